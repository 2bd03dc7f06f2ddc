public import XChatEvents

/// The faults that a sandbox injects, and the variants of X's documented answers that it serves.
///
/// X's documents can be read in several ways. A client that works with every setting works with each of these
/// readings. By default the sandbox injects no faults and serves the first variant of each option.
public struct SandboxFaults: Hashable, Sendable {
    /// How many requests a caller may make on one route in a window.
    public struct RateLimit: Hashable, Sendable {
        /// Requests in one window, at least 1.
        public var requests: Int
        /// The length of a window in seconds, at least 1.
        public var seconds: Int

        /// Makes a limit.
        public init(requests: Int, seconds: Int) {
            self.requests = requests
            self.seconds = seconds
        }
    }

    /// A failure event with a status of success, as X's servers send it.
    public struct FailureAnswer: Hashable, Sendable {
        /// The type of the failure event.
        public var type: FailureType
        /// The probability that a message is answered by it, from 0 to 1.
        public var probability: Double

        /// Makes a failure.
        public init(_ type: FailureType, probability: Double = 1) {
            self.type = type
            self.probability = probability
        }
    }

    /// The shapes of an error's body.
    public enum ErrorShape: String, CaseIterable, Sendable {
        /// Problem JSON with types at `api.x.com`.
        case problem
        /// A list `errors` of codes and messages.
        case codes
        /// Problem JSON with types at `api.twitter.com`.
        case twitter
    }

    /// The members of an event in a history.
    public enum HistoryShape: String, CaseIterable, Sendable {
        /// The members of X's current document.
        case full
        /// The members of X's previous document: `created_at_msec`, `previous_sequence_id`, `sequence_id`.
        case old
        /// Only the encoded event.
        case bare
    }

    /// The pages of a history that list the key change events.
    public enum KeyEvents: String, CaseIterable, Sendable {
        /// All pages.
        case every
        /// Only the newest page.
        case first
    }

    /// The forms of a chat event on the activity stream.
    public enum ActivityShape: String, CaseIterable, Sendable {
        /// All members, a number as `event_uuid`, and a colon in the conversation id.
        case full
        /// No optional members, a UUID as `event_uuid`, and a hyphen in the conversation id.
        case guide
        /// One of the two forms, chosen at random for each line.
        case mixed
    }

    /// The answer to a message whose id the server already has.
    public enum RepeatedID: String, CaseIterable, Sendable {
        /// The first event again, even if the conversation has a newer key.
        case first
        /// An error of status 400.
        case refused = "400"
        /// The key is checked before the id: the first event is returned only if the message uses the newest key.
        case stale
    }

    /// The answer for a list without elements.
    public enum EmptyList: String, CaseIterable, Sendable {
        /// An empty list.
        case list
        /// An answer without `data`.
        case absent
    }

    /// Where the members endpoint puts its answer.
    public enum MembersAnswer: String, CaseIterable, Sendable {
        /// In `data`.
        case data
        /// At the top level.
        case bare
    }

    // Faults.

    /// The probability that the connection breaks instead of an answer, from 0 to 1; half of the time before the
    /// request is processed, half of the time after.
    public var drop = 0.0
    /// How many of the first answers to new keys, new groups and added members are lost after the request is processed.
    public var lostAnswers = 0
    /// How many of the first answers to refreshed access tokens are lost after the request is processed.
    public var lostRefreshes = 0
    /// The probability of an answer with status 429, independent of ``rateLimit``; it asks the client to wait one
    /// second.
    public var http429 = 0.0
    /// The probability of an answer with status 500 and problem JSON, before or after the request is processed, like
    /// ``drop``.
    public var http500 = 0.0
    /// The probability of an answer with status 502 and HTML.
    public var http502 = 0.0
    /// The probability of an answer with status 503 and HTML.
    public var http503 = 0.0
    /// The delay of every answer, evenly distributed between the bounds.
    public var delay: ClosedRange<Duration> = .zero ... .zero
    /// The probability that the activity stream ends after an event, with X's error for a disconnection.
    public var disconnect = 0.0
    /// The probability that an event on the activity stream is sent as a line that is not JSON.
    public var garble = 0.0
    /// The probability that an event on the activity stream is sent twice.
    public var duplicate = 0.0
    /// The probability that an event on the activity stream is sent after the next one.
    public var reorder = 0.0
    /// The failure event that answers messages instead of accepting them; nil to accept them.
    public var failureEvent: FailureAnswer?

    // Limits.

    /// The limit of each route except the activity routes, which have X's limits.
    ///
    /// Nil for no limits at all; then answers have no rate limit headers.
    public var rateLimit: RateLimit? = RateLimit(requests: 100_000, seconds: 900)
    /// How often a user may register keys in 24 hours.
    public var registrations = 1000
    /// The largest segment of an upload in bytes.
    public var segmentBytes = 4 << 20
    /// How many members a group may have.
    public var groupMembers = 256

    // Variants.

    /// The status of a sent message: 201 or 200.
    public var sendStatus = 201
    /// The answer to a repeated message id.
    public var repeats = RepeatedID.first
    /// Whether an answer with an empty list has `data`.
    public var empty = EmptyList.list
    /// The members of an event in a history.
    public var history = HistoryShape.full
    /// The pages of a history that list the key change events.
    public var keyEvents = KeyEvents.every
    /// The shape of an error's body.
    public var errors = ErrorShape.problem
    /// The form of events on the activity stream.
    public var activity = ActivityShape.full
    /// Where the members endpoint puts its answer.
    public var members = MembersAnswer.data
    /// The time between two keep-alives on the activity stream.
    public var keepAlive = Duration.seconds(20)
    /// The lifetime of an access token in seconds.
    public var tokenLifetime = 7200
    /// The seed of the random numbers: the same seed repeats the same faults.
    ///
    /// Nil for a random seed.
    public var seed: UInt64?

    /// Makes settings without faults and with all defaults.
    public init() {}

    /// The `data` of an answer with a list; nil if it is left out.
    func data(_ elements: [JSON]) -> JSON? {
        elements.isEmpty && empty == .absent ? nil : .list(elements)
    }
}
