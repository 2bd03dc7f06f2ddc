import Synchronization
import XChatEngine
public import XChatEvents
import XChatHTTP

/// A failure or a notice that does not stop the account.
public struct Problem: Sendable, CustomStringConvertible {
    /// What went wrong: an error code of `XChatError`, `APIError` or ``AccountError``, one of the codes below, or
    /// `outbox` for another failure of the worker.
    public let code: String
    /// One sentence.
    public let message: String
    /// The conversation that the problem is about.
    public var conversation: ConversationID?
    /// The user that the problem is about.
    public var user: UserID?
    /// The event that was refused, as it was received; it is not verified.
    public var event: MessageEvent?
    /// The message of this account that was not sent.
    public var messageID: MessageID?
    /// Whether the problem is final; false for an event that may be accepted later, and for a failed operation that is
    /// retried.
    public var isFinal: Bool

    /// The server finally refused a message of this account; the message is kept in the outbox and not retried by
    /// itself.
    public static let deadLetter = "dead_letter"
    /// Something about keys or members that a person should look at.
    public static let notice = "notice"

    /// The code and the message.
    public var description: String { "\(code): \(message)" }

    init(_ code: String, _ message: String, conversation: ConversationID? = nil, isFinal: Bool = true) {
        self.code = code
        self.message = message
        self.conversation = conversation
        self.isFinal = isFinal
    }

    init(_ error: XChatError, _ opened: OpenedEvent, conversation: ConversationID, isFinal: Bool = true) {
        let place = placeText(of: opened.received, servedID: opened.servedID)
        self.init(
            error.code.rawValue,
            place.map { "an event was refused (\($0)): \(error.message)" } ?? error.message,
            conversation: conversation,
            isFinal: isFinal
        )
        event = opened.received
        user = event?.senderID
    }

    init(_ error: APIError, conversation: ConversationID? = nil) {
        self.init(error.code.rawValue, "\(error)", conversation: conversation, isFinal: !error.mayPass)
    }

    init(dropped event: String, conversation: ConversationID) {
        let received = try? MessageEvent(base64: event)
        self.init(
            XChatError.Code.keyMissing.rawValue,
            "an event that waited for a key\(placeText(of: received).map { " (\($0))" } ?? "") was discarded, because too many newer "
                + "events wait",
            conversation: conversation
        )
        self.event = received
        user = received?.senderID
    }

    init(deadLetter entry: OutboxEntry) {
        self.init(
            Self.deadLetter,
            "message \(entry.messageID) was not sent: \(entry.reason ?? "the server refused it")",
            conversation: entry.conversationID
        )
        messageID = entry.messageID
    }

    init(_ notice: Notice, conversation: ConversationID) {
        self.init(Self.notice, "\(notice)", conversation: conversation)
        if case .keysRefused(let user, let error) = notice {
            self = Problem(error.code.rawValue, error.message, conversation: conversation)
            self.user = user
        }
        if case .keysUnavailable(let user, _) = notice {
            self.user = user
            isFinal = false
        }
    }
}

/// The problems of an account as they arise.
///
/// At most 1,000 problems wait for a reader; a slow reader loses the oldest ones.
public struct Problems: AsyncSequence, Sendable {
    let broadcast: Broadcast<Problem>

    /// Starts with the next problem.
    public func makeAsyncIterator() -> AsyncStream<Problem>.Iterator { broadcast.stream().makeAsyncIterator() }
}

/// Sends elements to any number of readers.
final class Broadcast<Element: Sendable>: Sendable {
    /// The most elements that wait for one reader.
    private static var maximumWaiting: Int { 1000 }

    private struct State {
        var readers: [Int: AsyncStream<Element>.Continuation] = [:]
        var next = 0
        var isFinished = false
    }

    private let state = Mutex(State())

    func stream() -> AsyncStream<Element> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Element.self,
            bufferingPolicy: .bufferingNewest(Self.maximumWaiting)
        )
        let number: Int? = state.withLock { state in
            guard !state.isFinished else { return nil }
            state.next += 1
            state.readers[state.next] = continuation
            return state.next
        }
        guard let number else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { state in _ = state.readers.removeValue(forKey: number) }
        }
        return stream
    }

    func send(_ element: Element) {
        let readers = state.withLock { Array($0.readers.values) }
        for reader in readers { reader.yield(element) }
    }

    func finish() {
        let readers = state.withLock { state in
            defer { (state.readers, state.isFinished) = ([:], true) }
            return Array(state.readers.values)
        }
        for reader in readers { reader.finish() }
    }
}
