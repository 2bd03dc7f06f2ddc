import XChatEvents
package import XChatHTTP

package import struct Foundation.Date

/// Decides what to do after a failure; uses neither clock nor network nor storage.
///
/// A message is retried for as long as the server cannot be reached or is overloaded. It becomes a dead letter when the
/// server refuses it, or after repeated failures of which it is unknown whether waiting helps.
public struct OutboxPolicy: Hashable, Sendable {
    /// The pause after the first failure; it doubles with each further one.
    ///
    /// Default: 1 second.
    public var firstDelay: Duration = .seconds(1)
    /// The longest pause between two attempts, unless the server asks for a longer one.
    ///
    /// Default: 5 minutes; ``longestPause`` at most.
    public var longestDelay: Duration = .seconds(300)
    /// The pause after a rate limit that names no time.
    ///
    /// Default: 60 seconds; ``longestPause`` at most.
    public var rateLimitDelay: Duration = .seconds(60)
    /// How often a message may fail before it becomes a dead letter, if it is unknown whether waiting helps.
    ///
    /// Default: 8 times.
    public var maximumFailures = 8

    /// What to do with a message that the server refused because its key is not the newest, if users who could not read
    /// it when it was sealed could read it under the newest key.
    public enum NewReaders: Hashable, Sendable {
        /// Make it a dead letter with the code `members_changed`, until ``Outbox/retry(_:allowing:)`` names the new
        /// readers.
        case hold
        /// Encrypt it again for all present members of the group.
        case send
    }

    /// What to do with a message that would get new readers.
    ///
    /// Default: hold it.
    public var newReaders = NewReaders.hold

    /// The longest pause, even if the server asks for a longer one: windows of rate limits last 24 hours at most.
    ///
    /// A longer waiting time in the file was computed with a wrong clock, and is ignored.
    public static let longestPause: Duration = .seconds(25 * 3600)

    /// The defaults.
    public init() {}

    /// Why an attempt to post a message failed.
    package enum Failure: Hashable, Sendable {
        /// The call failed, or its answer was a failure event.
        case call(APIError)
        /// The server says that the message's key is not the newest, but this account knows no newer key, or does not
        /// have the message's key, which is needed to encrypt the message again.
        case noNewerKey
    }

    /// What to do now.
    package enum Action: Hashable, Sendable {
        /// Post the same bytes again, after a pause of this conversation.
        case retry(after: Duration)
        /// Post the same bytes again, after a pause of all conversations.
        case pause(Duration)
        /// Fetch the conversation's keys, and encrypt the message again.
        case reseal
        /// The conversation goes on without the message.
        case deadLetter
        /// Nothing can be posted: the message keeps its place, and the error is thrown.
        case stop
    }

    /// Decides what to do after a failure.
    ///
    /// - Parameters:
    ///   - failure: What happened now.
    ///   - failures: How often the message failed before; for a rate limit, how many came before it in a row.
    ///   - now: The present time, for rate limits that name the time of their end.
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

    /// The time until a date, between zero and ``longestPause``: the server's clock may be wrong.
    private static func rest(until date: Date?, now: Date) -> Duration {
        guard let date else { return .zero }
        return min(.seconds(min(max(date.timeIntervalSince(now), 0), 1e6)), longestPause)
    }
}
