import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Synchronization

/// A successful answer whose body is read piece by piece, by one task at a time.
///
/// At most 64 KiB are buffered before they are read; then the server has to wait. The connection closes when the last
/// reference to the answer is released.
final class StreamedAnswer: Sendable {
    /// Whether HTTP marks the end of the body.
    ///
    /// If not, the body ends when the connection closes, so a broken connection looks like a complete answer.
    let hasMarkedEnd: Bool
    private let connection: Connection
    private let transport: Transport

    fileprivate init(head: HTTPResponseHead, connection: Connection, transport: Transport) {
        hasMarkedEnd =
            head.version.major > 1 || head.headers.contains(name: "content-length")
            || head.headers.contains(name: "transfer-encoding")
        self.connection = connection
        self.transport = transport
    }

    /// Waits for the next bytes of the body.
    ///
    /// - Parameter timeout: How long to wait for these bytes.
    /// - Returns: At least one byte; nil at the end of the body.
    /// - Throws: `connection`, `timed_out`, `malformed_response` or `cancelled`.
    func next(within timeout: Duration) async throws(APIError) -> ByteBuffer? {
        let deadline = NIODeadline.now() + TimeAmount(timeout.upToAYear)
        while true {
            switch await connection.receive(until: deadline) {
            case .head: continue
            case .piece(let piece): return piece
            case .end: return nil
            case .failure(let error):
                if Task.isCancelled { throw .cancelled }
                throw transport.apiError(error, limit: 0, timeout: timeout)
            }
        }
    }
}

extension Transport {
    /// Sends a request and returns when the head of a success has arrived.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - token: The bearer token.
    ///   - timeout: The time until the head of a success has arrived, or until a refusal has arrived as a whole.
    /// - Returns: The answer, whose body is not read yet.
    /// - Throws: The error of a refusal, or `connection`, `timed_out`, `too_large`, `malformed_response` or
    ///   `cancelled`.
    func open(_ request: APIRequest, token: Token, timeout: Duration) async throws(APIError) -> StreamedAnswer {
        let deadline = NIODeadline.now() + TimeAmount(timeout.upToAYear)
        let message = try message(request, .bearer(token), isStreamed: true)
        let connection = Connection(executing: message, with: clients.streams)
        switch await connection.receive(until: deadline) {
        case .head(let head) where head.isSuccess:
            return StreamedAnswer(head: head, connection: connection, transport: self)
        case .head(let head):
            let body = head.isRedirect ? nil : await connection.refusalBody(until: deadline)
            if Task.isCancelled { throw .cancelled }
            let refusal = APIResponse(status: Int(head.status.code), headers: head.headers, body: body ?? Data())
            throw APIError(refusal: refusal, token: token)
        case .failure(let error):
            if Task.isCancelled { throw .cancelled }
            throw apiError(error, limit: 0, timeout: timeout)
        case .piece, .end:
            throw APIError(.malformedResponse, "the answer is not HTTP")
        }
    }
}

/// One request in progress; deinitialising it ends the request.
private final class Connection: Sendable {
    private let parts = AnswerParts()
    private let task: HTTPClient.Task<Void>

    init(executing request: HTTPClient.Request, with http: HTTPClient) {
        let parts = parts
        task = http.execute(request: request, delegate: parts)
        // The future also reports a request that failed before the delegate was called.
        task.futureResult.whenComplete { result in
            switch result {
            case .success: parts.end(.end)
            case .failure(let error): parts.end(.failure(error))
            }
        }
    }

    deinit {
        task.cancel()
        parts.close()
    }

    /// Waits for the next part of the answer.
    ///
    /// - Parameter deadline: When to give up; the request then fails with the client's `deadlineExceeded`.
    /// - Returns: The part.
    func receive(until deadline: NIODeadline) async -> AnswerParts.Part {
        if let part = parts.next() { return part }
        let task = task
        let timer = task.eventLoop.scheduleTask(deadline: deadline) {
            task.fail(reason: HTTPClientError.deadlineExceeded)
        }
        defer { timer.cancel() }
        return await withTaskCancellationHandler {
            await parts.wait()
        } onCancel: {
            task.cancel()
        }
    }

    /// Reads the rest of the body; nil if it is larger than 64 KiB, late or incomplete.
    func refusalBody(until deadline: NIODeadline) async -> Data? {
        var body = Data()
        while true {
            switch await receive(until: deadline) {
            case .head: continue
            case .piece(let piece):
                guard piece.readableBytes <= WholeAnswer.refusalBytes - body.count else { return nil }
                body += piece.readableBytesView
            case .end: return body
            case .failure: return nil
            }
        }
    }
}

/// Hands an answer from the event loop to the one task that reads it.
private final class AnswerParts: HTTPClientResponseDelegate {
    typealias Response = Void

    enum Part {
        case head(HTTPResponseHead)
        /// Bytes of the body, at least one.
        case piece(ByteBuffer)
        case end
        case failure(any Error)
    }

    private struct State {
        var head: HTTPResponseHead?
        /// The bytes of the body that arrived and are not read yet.
        var body = ByteBuffer()
        /// How the request ended; after the body, every read returns it.
        var end: Part?
        var reader: CheckedContinuation<Part, Never>?
        /// Asks the client for more of the body.
        var demand: EventLoopPromise<Void>?
        var isClosed = false

        mutating func next() -> Part? {
            if let head = head.take() { return .head(head) }
            guard body.readableBytes > 0 else { return end }
            defer { body = ByteBuffer() }
            return .piece(body)
        }
    }

    /// The number of unread bytes at which the server has to wait.
    ///
    /// The buffer is this large because the client drops bytes that are not requested yet when a connection breaks.
    private static let unreadBytes = 64 << 10

    private let state = Mutex(State())

    /// Takes the next part that has arrived, and asks for more if the server waits.
    ///
    /// - Returns: The part; nil if none has arrived.
    func next() -> Part? {
        let (part, demand) = state.withLock { state in (state.next(), state.demand.take()) }
        demand?.succeed()
        return part
    }

    /// Waits for a part.
    func wait() async -> Part {
        await withCheckedContinuation { continuation in
            let part = state.withLock { state -> Part? in
                if let part = state.next() { return part }
                state.reader = continuation
                return nil
            }
            if let part { continuation.resume(returning: part) }
        }
    }

    /// Records that the request ended.
    func end(_ part: Part) {
        update { $0.end = $0.end ?? part }
    }

    /// Stops the request; nothing is read after this.
    func close() {
        let demand = state.withLock { state in
            state.isClosed = true
            return state.demand.take()
        }
        demand?.fail(HTTPClientError.cancelled)
    }

    func didVisitURL(task: HTTPClient.Task<Void>, _ request: HTTPClient.Request, _ head: HTTPResponseHead) {
        guard head.isRedirect else { return }
        // Like ``WholeAnswer``: report the redirect and do not follow it, even if the client is configured to follow
        // redirects.
        update { $0.head = head }
        task.cancel()
    }

    func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        update { $0.head = head }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ part: ByteBuffer) -> EventLoopFuture<Void> {
        update { $0.body.writeImmutableBuffer(part) }
        let demand = task.eventLoop.makePromise(of: Void.self)
        let mustWait = state.withLock { state in
            guard !state.isClosed, state.body.readableBytes >= Self.unreadBytes else { return false }
            state.demand = demand
            return true
        }
        if !mustWait { demand.succeed() }
        return demand.futureResult
    }

    func didFinishRequest(task: HTTPClient.Task<Void>) throws {}

    /// Changes the state, and passes the next part to a waiting reader.
    private func update(_ change: (inout State) -> Void) {
        let (reader, part) = state.withLock { state -> (CheckedContinuation<Part, Never>?, Part?) in
            change(&state)
            guard state.reader != nil, let part = state.next() else { return (nil, nil) }
            return (state.reader.take(), part)
        }
        if let reader, let part { reader.resume(returning: part) }
    }
}
