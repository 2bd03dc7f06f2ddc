import Foundation
import NIOCore
import XChatEvents

extension ChatClient {
    /// The activity stream of the app that the client's token belongs to: its events as they happen.
    ///
    /// The client connects when the iteration starts, and connects again when a connection breaks. Repeated deliveries
    /// are dropped. X guarantees neither order nor completeness: events from before each
    /// ``ActivityStream/Element/connected`` may be missing, so read the histories after it.
    ///
    /// The iteration ends with an error that a new connection would not resolve, or with
    /// ``APIError/Code-swift.struct/cancelled`` if the task is cancelled.
    ///
    /// - Parameter backfillMinutes: How many minutes before each connection, 0 to 5, the server delivers again, if the
    ///   account's plan includes it.
    /// - Returns: The stream, whose iterator throws ``APIError``.
    public func activity(backfillMinutes: Int? = nil) -> ActivityStream {
        ActivityStream(client: self, backfillMinutes: backfillMinutes)
    }
}

/// The activity stream, across connections.
public struct ActivityStream: AsyncSequence, Sendable {
    /// The error that ends the stream.
    public typealias Failure = APIError

    /// An element of the stream.
    public enum Element: Hashable, Sendable {
        /// A connection is open, the first one or a new one: events from before it may be missing.
        case connected
        /// The connection ended: events may be missing until the next one is open.
        case disconnected
        /// An event.
        case event(ActivityEvent)
        /// The server reported an error, a line could not be read, or a connection could not be opened; the stream
        /// continues.
        case problem(APIError)
    }

    let client: ChatClient
    let backfillMinutes: Int?

    /// Starts an iteration with its own connection.
    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    /// An iteration over the stream, for one task.
    public final class Iterator: AsyncIteratorProtocol {
        private struct Connection {
            let answer: StreamedAnswer
            let opened: ContinuousClock.Instant
            var splitter: LineSplitter
            /// The bytes that arrived and are not read yet.
            ///
            /// More bytes are fetched only when this buffer is empty, so a server that is faster than the consumer has
            /// to wait.
            var piece = ByteBufferView()
            /// The deadline of the incomplete line.
            var lineDeadline: ContinuousClock.Instant?
        }

        /// The longest line in bytes: the size of the largest event.
        private static let lineBytes = MessageEvent.maximumEncodedBytes

        private let stream: ActivityStream
        private var connection: Connection?
        private var reconnects: ReconnectState
        private var seen = SeenDeliveries()
        private var waiting: ArraySlice<ActivityStream.Element> = []
        /// Why the last connection ended and how long it was open; handled once its elements are delivered.
        private var lost: (error: APIError, life: Duration?)?
        private var pause: Duration?
        private var token: Token?
        private var isOver = false

        fileprivate init(_ stream: ActivityStream) {
            self.stream = stream
            reconnects = ReconnectState(longLife: stream.client.limits.streamSilence)
        }

        /// The next element; nil after an error.
        public func next() async throws(APIError) -> ActivityStream.Element? {
            try await next(isolation: #isolation)
        }

        /// The next element; nil after an error.
        public func next(isolation actor: isolated (any Actor)?) async throws(APIError) -> ActivityStream.Element? {
            guard !isOver else { return nil }
            isOver = true
            while waiting.isEmpty {
                if let (error, life) = lost {
                    lost = nil
                    if life != nil { waiting.append(.disconnected) }
                    try await prepareReconnect(after: error, life: life)
                } else if let pause {
                    self.pause = nil
                    try await ChatClient.sleep(for: pause)
                } else if connection == nil {
                    try await connect()
                } else {
                    await read()
                }
            }
            isOver = false
            return waiting.popFirst()
        }

        private func connect() async throws(APIError) {
            let client = stream.client
            let request = try APIRequest.activity(backfillMinutes: stream.backfillMinutes)
            do throws(APIError) {
                let token =
                    if let token { token } else { try await client.tokens.current(within: client.retries.budget) }
                self.token = token
                let answer = try await client.open(request, token: token)
                connection = Connection(
                    answer: answer,
                    opened: ContinuousClock.now,
                    splitter: LineSplitter(maximumBytes: Swift.min(client.limits.pageBytes, Self.lineBytes))
                )
                waiting.append(.connected)
            } catch {
                lost = (error, nil)
            }
        }

        /// Reads a line or fetches more bytes; after an error, drops the connection.
        private func read() async {
            // Taken out of the property, so that appending to the incomplete line does not copy it.
            guard var connection = connection.take() else { return }
            let client = stream.client
            let clock = ContinuousClock()
            do throws(APIError) {
                if let line = try connection.splitter.next(from: &connection.piece) {
                    connection.lineDeadline = nil
                    if try take(line) { throw APIError(.connection, "the server announced that it closes the stream") }
                    self.connection = connection
                    return
                }
                if connection.splitter.isInsideLine, connection.lineDeadline == nil {
                    connection.lineDeadline = clock.now + client.limits.timeout
                }
                let silence = client.limits.streamSilence
                let untilLineEnds = connection.lineDeadline.map { Swift.max($0 - clock.now, .milliseconds(1)) }
                let piece = try await connection.answer.next(within: Swift.min(silence, untilLineEnds ?? silence))
                guard let piece else { throw APIError(.connection, "the server ended the stream") }
                connection.piece = piece.readableBytesView
                self.connection = connection
            } catch {
                lost = (error, clock.now - connection.opened)
            }
        }

        /// Queues the element of a line, and returns whether the server announced the end of the connection.
        private func take(_ line: [UInt8]) throws(APIError) -> Bool {
            do throws(APIError) {
                switch try ActivityLine(line, token: token) {
                case .keepAlive: break
                case .event(let event): if seen.insert(event) { waiting.append(.event(event)) }
                case .problem(let problem): waiting.append(.problem(problem))
                case .disconnect: return true
                }
            } catch {
                // A malformed line does not end the stream.
                waiting.append(.problem(error))
            }
            return false
        }

        private func prepareReconnect(after error: APIError, life: Duration?) async throws(APIError) {
            let action = reconnects.ended(error, life: life, now: Date(), jitter: Double.random(in: 0...1))
            switch action {
            case .fail: throw error
            case .refreshToken:
                let client = stream.client
                guard let token,
                    let renewed = try await client.tokens.token(after: token, within: client.retries.budget)
                else { throw error }
                self.token = renewed
            case .connect(let pause):
                ChatMetrics.retried(error.code)
                self.pause = pause
                // Reported before the pause: otherwise the consumer would wait without knowing that the stream is not
                // open.
                if life == nil { waiting.append(.problem(error)) }
            }
        }
    }
}

extension APIRequest {
    /// The request `GET /2/activity/stream`.
    static func activity(backfillMinutes: Int?) throws(APIError) -> APIRequest {
        if let backfillMinutes, !(0...5).contains(backfillMinutes) {
            throw APIError(.invalidArgument, "backfillMinutes must be 0 to 5, not \(backfillMinutes)")
        }
        return APIRequest(
            method: .get,
            route: "/2/activity/stream",
            path: "/2/activity/stream",
            query: backfillMinutes.map { [("backfill_minutes", String($0))] } ?? []
        )
    }
}
