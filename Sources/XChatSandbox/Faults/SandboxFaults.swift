public import XChatEvents

/// What a sandbox does other than well, and which of X's divided habits it follows.
///
/// X's documents leave much open; a client that is right against every setting here is right against every reading of
/// them. By default nothing fails and the first reading named below holds.
public struct SandboxFaults: Hashable, Sendable {
    /// How many requests a caller has on one route in a window.
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

    /// A failure that is answered under a status of success, as X's servers do.
    public struct FailureAnswer: Hashable, Sendable {
        /// What the failure event says.
        public var type: FailureType
        /// How often, from 0 to 1.
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

    /// Which members an event of a history has.
    public enum HistoryShape: String, CaseIterable, Sendable {
        /// The names of X's present document.
        case full
        /// The names of the one before: `created_at_msec`, `previous_sequence_id`, `sequence_id`.
        case old
        /// The event and nothing else.
        case bare
    }

    /// Which pages of a history name the key changes.
    public enum KeyEvents: String, CaseIterable, Sendable {
        /// All pages.
        case every
        /// The newest page alone.
        case first
    }

    /// The two spellings of a chat event on the activity stream.
    public enum ActivityShape: String, CaseIterable, Sendable {
        /// All members, a number for `event_uuid`, a colon in the conversation id.
        case full
        /// No optional members, a UUID, a hyphen.
        case guide
        /// Both in turn.
        case mixed
    }

    /// What a message meets whose id the server has already.
    public enum RepeatedID: String, CaseIterable, Sendable {
        /// The first event is answered again, whatever became of the conversation's key.
        case first
        /// An error of status 400.
        case refused = "400"
        /// The key is judged before the id: only under the newest key is the first event answered again.
        case stale
    }

    /// How a list without elements is answered.
    public enum EmptyList: String, CaseIterable, Sendable {
        /// As a list.
        case list
        /// Not at all: there is no `data`.
        case absent
    }

    /// Where the members endpoint puts its answer.
    public enum MembersAnswer: String, CaseIterable, Sendable {
        /// In `data`.
        case data
        /// At the top.
        case bare
    }

    // Faults.

    /// How often a connection breaks instead of an answer, from 0 to 1: half of these before the request is worked on,
    /// half after.
    public var drop = 0.0
    /// How many answers to new keys, new groups and added members are lost: the first ones, each after the work is
    /// done.
    public var lostAnswers = 0
    /// How many answers to refreshed access tokens are lost: the first ones, each after the work is done.
    public var lostRefreshes = 0
    /// How often 429 is answered, whatever ``rateLimit`` says; a second later it is over.
    public var http429 = 0.0
    /// How often 500 is answered, with problem JSON; before or after the work as for ``drop``.
    public var http500 = 0.0
    /// How often 502 is answered, with HTML.
    public var http502 = 0.0
    /// How often 503 is answered, with HTML.
    public var http503 = 0.0
    /// How long every answer waits: evenly between the bounds.
    public var delay: ClosedRange<Duration> = .zero ... .zero
    /// How often, after an event on the activity stream, the stream ends with X's error for that.
    public var disconnect = 0.0
    /// How often an event on the activity stream comes as a line that is not JSON.
    public var garble = 0.0
    /// How often an event on the activity stream comes twice.
    public var duplicate = 0.0
    /// How often an event on the activity stream comes after the next.
    public var reorder = 0.0
    /// What is answered to messages instead of taking them.
    public var failureEvent: FailureAnswer?

    // Limits.

    /// The limit of each route but the activity's, which have X's; nil for none, and then no header speaks of limits.
    public var rateLimit: RateLimit? = RateLimit(requests: 100_000, seconds: 900)
    /// How often a user may register keys in 24 hours.
    public var registrations = 1000
    /// The largest segment of an upload in bytes.
    public var segmentBytes = 4 << 20
    /// How many people a group may have.
    public var groupMembers = 256

    // Habits.

    /// The status of a sent message: 201 or 200.
    public var sendStatus = 201
    /// What is answered to a message id that comes again.
    public var repeats = RepeatedID.first
    /// Whether an answer with an empty list has `data`.
    public var empty = EmptyList.list
    /// The members of a history's events.
    public var history = HistoryShape.full
    /// Where key changes are in a history.
    public var keyEvents = KeyEvents.every
    /// The bodies of errors.
    public var errors = ErrorShape.problem
    /// The spelling of activity events.
    public var activity = ActivityShape.full
    /// The answer of the members endpoint.
    public var members = MembersAnswer.data
    /// How long the activity stream is silent at most.
    public var keepAlive = Duration.seconds(20)
    /// How many seconds the access token of a sign-in is valid.
    public var tokenLifetime = 7200
    /// Makes the faults repeatable.
    public var seed: UInt64?

    /// No faults, and every habit by default.
    public init() {}

    /// The `data` of an answer that is a list; nil where it is left out.
    func data(_ elements: [JSON]) -> JSON? {
        elements.isEmpty && empty == .absent ? nil : .list(elements)
    }
}
