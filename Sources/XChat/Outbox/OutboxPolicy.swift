import XChatEvents
package import XChatHTTP

package import struct Foundation.Date

/// What follows from a failure: decisions only, neither clock nor network nor storage.
///
/// A message is never given up because the server cannot be reached or is overloaded. It becomes a dead letter when the
/// server understood it and does not want it, or again and again answers what cannot be understood.
public struct OutboxPolicy: Hashable, Sendable {
    /// The pause after the first failure; it doubles with each further one.
    ///
    /// Default: 1 second.
    public var firstDelay: Duration = .seconds(1)
    /// The longest pause between two tries, where the server asks for none.
    ///
    /// Default: 5 minutes; ``longestPause`` at most.
    public var longestDelay: Duration = .seconds(300)
    /// The pause after a rate limit that names no time.
    ///
    /// Default: 60 seconds; ``longestPause`` at most.
    public var rateLimitDelay: Duration = .seconds(60)
    /// How often a message may fail in a way that waiting may or may not cure, before it becomes a dead letter.
    ///
    /// Default: 8 times.
    public var maximumFailures = 8

    /// What to do with a message that the server refused for its key, when the newest key would give it to people who
    /// could not read it when it was sealed.
    public enum NewReaders: Hashable, Sendable {
        /// Set it aside with the code `members_changed`, until ``Outbox/retry(_:allowing:)`` names the new readers.
        case hold
        /// Encrypt it again for all present members of the group.
        case send
    }

    /// What to do with a message that would get new readers.
    ///
    /// Default: hold it.
    public var newReaders = NewReaders.hold

    /// The longest pause, also if the server asks for a longer one: windows of rate limits last 24 hours at most.
    ///
    /// What waits longer in the file comes from a clock that was wrong, and does not wait.
    public static let longestPause: Duration = .seconds(25 * 3600)

    /// The defaults.
    public init() {}

    /// What came of a try to post a message, when it was not sent.
    package enum Failure: Hashable, Sendable {
        /// The call failed, or its answer was a failure event.
        case call(APIError)
        /// Failure 6, and no newer key is known, or no key that decrypts the refused message.
        case noNewerKey
    }

    /// What to do now.
    package enum Action: Hashable, Sendable {
        /// The same bytes again, after a pause of this conversation.
        case retry(after: Duration)
        /// The same bytes again, after a pause of all conversations.
        case pause(Duration)
        /// Fetch the conversation's keys, and encrypt the message again.
        case reseal
        /// The conversation goes on without the message.
        case deadLetter
        /// Nothing can be posted: the message keeps its place, and the error is thrown.
        case stop
    }

    /// Decides.
    ///
    /// - Parameters:
    ///   - failure: What happened now.
    ///   - failures: How often the message failed before; for a rate limit, how many came before it in a row.
    ///   - now: The time, for rate limits that end at one.
    ///   - jitter: 0..<1, at random; two senders that failed together do not return together.
    /// - Returns: What to do.
    package func action(after failure: Failure, failures: Int, now: Date, jitter: Double) -> Action {
        let delay = delay(failures: failures, jitter: jitter)
        func retry(at date: Date?) -> Action { .retry(after: max(delay, Self.rest(until: date, now: now))) }
        func retryOrDeadLetter(at date: Date?) -> Action {
            failures < max(1, maximumFailures) - 1 ? retry(at: date) : .deadLetter
        }
        guard case .call(let error) = failure else { return retryOrDeadLetter(at: nil) }
        switch error.disposition {
        case .transient(let retryAt): return retry(at: retryAt)
        case .unclear(let retryAt): return retryOrDeadLetter(at: retryAt)
        case .rateLimited(let until):
            let asked = until.map { Self.rest(until: $0, now: now) }
            return .pause(pause(asked: asked, delay: delay, jitter: jitter))
        case .staleKey: return .reseal
        case .final: return .deadLetter
        case .stop: return .stop
        }
    }

    /// Exponential backoff with equal jitter.
    func delay(failures: Int, jitter: Double) -> Duration {
        Backoff(first: firstDelay, longest: min(longestDelay, Self.longestPause))
            .pause(failures: failures, jitter: jitter)
    }

    private func pause(asked: Duration?, delay: Duration, jitter: Double) -> Duration {
        guard let asked else { return min(max(rateLimitDelay, delay), Self.longestPause) }
        return asked == .zero ? delay : min(asked + firstDelay * jitter, Self.longestPause)
    }

    /// The time until a date, between none and ``longestPause``: the server's clock may be wrong.
    private static func rest(until date: Date?, now: Date) -> Duration {
        guard let date else { return .zero }
        return min(.seconds(min(max(date.timeIntervalSince(now), 0), 1e6)), longestPause)
    }
}
