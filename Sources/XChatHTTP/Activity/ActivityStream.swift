import Foundation
import NIOCore
import XChatEvents

extension ChatClient {
    /// What happens, as it happens: the activity stream of the app whose token the client has.
    ///
    /// The walk ends with an error that another connection would meet as well, or when the task is cancelled. Any other end is
    /// followed by a new connection, and ``ActivityStream/Element/connected`` says that events may have been missed: read
    /// the histories then. X promises neither order nor completeness; deliveries that come again are left out.
    /// - Parameter backfillMinutes: 0 to 5 minutes before each connection to be told again, where the account may.
    /// - Returns: Nothing happens before the sequence is walked. Throws ``APIError``.
    public func activity(backfillMinutes: Int? = nil) -> ActivityStream {
        ActivityStream(client: self, backfillMinutes: backfillMinutes)
    }
}

/// The activity stream, for ever.
public struct ActivityStream: AsyncSequence, Sendable {
    /// What ends it.
    public typealias Failure = APIError

    /// What came.
    public enum Element: Hashable, Sendable {
        /// The stream is open, for the first time or again: what happened before this may be missing.
        case connected
        /// Something happened.
        case event(ActivityEvent)
        /// The server complains, a line could not be read, or the stream could not be opened and will be tried again.
        case problem(APIError)
    }

    let client: ChatClient
    let backfillMinutes: Int?

    /// Opens a connection of its own.
    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    /// One walk over the stream, for one task.
    public final class Iterator: AsyncIteratorProtocol {
        private struct Connection {
            let answer: StreamedAnswer
            let opened: ContinuousClock.Instant
            var splitter: LineSplitter
            /// What came and is not read yet.
            ///
            /// More is asked for when it is used up, so that a server that is faster than the consumer has to wait.
            var piece = ByteBufferView()
            /// When the line that has begun must have ended.
            var lineDeadline: ContinuousClock.Instant?
        }

        /// The largest line: that of the largest event.
        private static let lineBytes = MessageEvent.maximumEncodedBytes

        private let stream: ActivityStream
        private var connection: Connection?
        private var reconnects: ReconnectState
        private var seen = SeenDeliveries()
        private var waiting: ArraySlice<ActivityStream.Element> = []
        /// Why the last connection ended and how long it lived; dealt with when nothing waits that it brought.
        private var lost: (error: APIError, life: Duration?)?
        private var pause: Duration?
        private var token: Token?
        private var isOver = false

        fileprivate init(_ stream: ActivityStream) {
            self.stream = stream
            reconnects = ReconnectState(longLife: stream.client.limits.streamSilence)
        }

        /// What comes next; nil after an error.
        public func next() async throws(APIError) -> ActivityStream.Element? {
            try await next(isolation: #isolation)
        }

        /// What comes next; nil after an error.
        public func next(isolation actor: isolated (any Actor)?) async throws(APIError) -> ActivityStream.Element? {
            guard !isOver else { return nil }
            isOver = true
            while waiting.isEmpty {
                if let (error, life) = lost {
                    lost = nil
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
            let token = if let token { token } else { await client.tokens.current }
            self.token = token
            let request = try APIRequest.activity(backfillMinutes: stream.backfillMinutes)
            do throws(APIError) {
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

        /// Reads one line or asks for more bytes, or gives the connection up.
        private func read() async {
            // Taken out, so that the line that has begun grows in place.
            guard var connection = connection.take() else { return }
            let client = stream.client
            let clock = ContinuousClock()
            do throws(APIError) {
                if let line = try connection.splitter.next(from: &connection.piece) {
                    connection.lineDeadline = nil
                    if try take(line) { throw APIError(.connection, "the server disconnects") }
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

        /// Queues what a line says, and answers whether it says that the connection ends.
        private func take(_ line: [UInt8]) throws(APIError) -> Bool {
            do throws(APIError) {
                switch try ActivityLine(line, token: token) {
                case .keepAlive: break
                case .event(let event): if seen.insert(event) { waiting.append(.event(event)) }
                case .problem(let problem): waiting.append(.problem(problem))
                case .disconnect: return true
                }
            } catch {
                // One bad line does not cost the others.
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
                // Told before the pause, so that nobody waits for a stream that never came about.
                if life == nil { waiting.append(.problem(error)) }
            }
        }
    }
}

extension APIRequest {
    /// The request `GET /2/activity/stream`.
    static func activity(backfillMinutes: Int?) throws(APIError) -> APIRequest {
        if let backfillMinutes, !(0...5).contains(backfillMinutes) {
            throw APIError(.invalidArgument, "0 to 5 minutes can be told again")
        }
        return APIRequest(
            method: .get,
            route: "/2/activity/stream",
            path: "/2/activity/stream",
            query: backfillMinutes.map { [("backfill_minutes", String($0))] } ?? []
        )
    }
}
