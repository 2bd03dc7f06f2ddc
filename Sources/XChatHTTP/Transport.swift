import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import Synchronization
import XChatEvents

/// Sends a request and reads the answer, within a limit on time and size.
///
/// All network I/O of calls goes through this type.
struct Transport: Sendable {
    /// Scheme, host, port and path prefix, without a trailing slash.
    let base: String
    let clients: HTTPClients
    /// Describes failures of the connection.
    let connection: ConnectionFailure

    /// Sends a request and reads the whole answer.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - credentials: The credentials for the header `Authorization`.
    ///   - limit: The largest body of a success, in bytes. For a refusal the limit is 64 KiB.
    ///   - timeout: The time for name lookup, connection, request and the whole body of the answer.
    /// - Returns: The answer with any status. A refusal whose body is too large, late or incomplete has an empty body:
    ///   its status tells the caller more than an error about the body.
    /// - Throws: `connection`, `timed_out`, `too_large`, `malformed_response` or `cancelled`.
    func send(
        _ request: APIRequest,
        _ credentials: Credentials,
        limit: Int,
        timeout: Duration
    ) async throws(APIError) -> APIResponse {
        let answer = WholeAnswer(limit: limit)
        let task = clients.calls.execute(
            request: try message(request, credentials),
            delegate: answer,
            // This deadline covers the whole body, and the client cancels its timer when the request ends.
            deadline: .now() + TimeAmount(timeout.upToAYear)
        )
        do {
            return try await withTaskCancellationHandler {
                try await task.get()
            } onCancel: {
                task.cancel()
            }
        } catch {
            if Task.isCancelled { throw .cancelled }
            if let refusal = answer.refusal { return refusal }
            var failure = apiError(error, limit: limit, timeout: timeout)
            failure.isUnsent = !answer.isSent
            throw failure
        }
    }

    /// Converts a request for the HTTP client.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - credentials: The credentials for the header `Authorization`.
    ///   - isStreamed: Whether the answer is read piece by piece. Then the request forbids compression, which would
    ///     delay the lines of the answer.
    /// - Returns: The request. Unless it forbids compression, the default HTTP client asks the server for compression.
    /// - Throws: `invalid_argument` for an invalid URL.
    func message(
        _ request: APIRequest,
        _ credentials: Credentials,
        isStreamed: Bool = false
    ) throws(APIError) -> HTTPClient.Request {
        do {
            var message = try HTTPClient.Request(
                url: request.url(base: base),
                method: HTTPMethod(rawValue: request.method.rawValue)
            )
            if let value = credentials.headerValue { message.headers.add(name: "authorization", value: value) }
            message.headers.add(name: "accept", value: request.accept)
            if isStreamed { message.headers.add(name: "accept-encoding", value: "identity") }
            if let body = request.body {
                message.headers.add(name: "content-type", value: request.contentType)
                message.body = .byteBuffer(ByteBuffer(bytes: body))
            }
            return message
        } catch {
            throw APIError(.invalidArgument, "the URL of the request is invalid")
        }
    }

    /// Converts an error of the HTTP client.
    ///
    /// The client's own descriptions are not used: they may repeat header values, and so the token.
    func apiError(_ error: any Error, limit: Int, timeout: Duration) -> APIError {
        switch error {
        case let error as APIError: return error
        case is CancellationError: return .cancelled
        case is BodyTooLarge: return APIError(.tooLarge, "the answer is larger than \(limit) bytes")
        case HTTPParserError.headerOverflow: return APIError(.tooLarge, "the headers of the answer are too large")
        case HTTPParserError.invalidEOFState:
            return connection.error(HTTPClientError.remoteConnectionClosed, timeout: timeout)
        case is HTTPParserError: return APIError(.malformedResponse, "the answer is not HTTP")
        case NIOHTTPDecompression.DecompressionError.limit:
            return APIError(
                .tooLarge,
                "the compressed answer is more than \(HTTPClients.largestRatio) times as large when it is decompressed"
            )
        case is NIOHTTPDecompression.DecompressionError, is NIOHTTPDecompression.ExtraDecompressionError:
            return APIError(.malformedResponse, "the compressed answer is damaged or incomplete")
        default: return connection.error(error, timeout: timeout)
        }
    }
}

/// The credentials of a request.
enum Credentials: Sendable {
    case bearer(Token)
    /// An app with its secret (RFC 6749, section 2.3.1).
    case basic(id: String, secret: Token)
    case none

    var headerValue: String? {
        switch self {
        case .bearer(let token): "Bearer \(token.secretText)"
        case .basic(let id, let secret): "Basic \(Self.encoded(id, secret))"
        case .none: nil
        }
    }

    /// The secrets to remove from a text of the server.
    var secrets: [Token] {
        switch self {
        case .bearer(let token): [token]
        case .basic(let id, let secret): [secret] + ((try? [Token(Self.encoded(id, secret))]) ?? [])
        case .none: []
        }
    }

    private static func encoded(_ id: String, _ secret: Token) -> String {
        Base64.encode(Array("\(APIRequest.escaped(id)):\(APIRequest.escaped(secret.secretText))".utf8))
    }
}

/// Thrown if the body of an answer is longer than the limit.
struct BodyTooLarge: Error {}

extension APIError {
    static var cancelled: Self { APIError(.cancelled, "the task was cancelled") }
}

extension Duration {
    /// The duration, at most a year: the clock of the event loop cannot express every duration.
    var upToAYear: Duration { min(self, .seconds(365 * 86_400)) }
}

/// Collects an answer on the event loop of its connection.
final class WholeAnswer: HTTPClientResponseDelegate {
    typealias Response = APIResponse

    /// The largest body of a refusal, in bytes.
    static let refusalBytes = 64 << 10

    private struct State {
        var isSent = false
        var head: HTTPResponseHead?
        var body = ByteBuffer()
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) {
        self.limit = limit
    }

    /// The head of the answer as a refusal without a body, if its status is not 2xx.
    var refusal: APIResponse? {
        state.withLock { state in
            guard let head = state.head, !head.isSuccess else { return nil }
            return APIResponse(status: Int(head.status.code), headers: head.headers)
        }
    }

    /// Whether the server may have received a part of the request.
    var isSent: Bool { state.withLock { $0.isSent } }

    func didSendRequestHead(task: HTTPClient.Task<Response>, _ head: HTTPRequestHead) {
        state.withLock { $0.isSent = true }
    }

    func didVisitURL(task: HTTPClient.Task<Response>, _ request: HTTPClient.Request, _ head: HTTPResponseHead) {
        state.withLock { $0.head = head }
        // Cancel before the client reads the location: so even a client that follows redirects sends neither the
        // request nor the token to another URL.
        if head.isRedirect { task.cancel() }
    }

    func didReceiveHead(task: HTTPClient.Task<Response>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        if head.isSuccess, let length = head.headers.value("content-length").flatMap({ Int($0) }), length > limit {
            return task.eventLoop.makeFailedFuture(BodyTooLarge())
        }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Response>, _ part: ByteBuffer) -> EventLoopFuture<Void> {
        let isTooLarge = state.withLock { state in
            let limit = state.head?.isSuccess == true ? limit : Self.refusalBytes
            guard part.readableBytes <= limit - state.body.readableBytes else { return true }
            state.body.writeImmutableBuffer(part)
            return false
        }
        return isTooLarge
            ? task.eventLoop.makeFailedFuture(BodyTooLarge()) : task.eventLoop.makeSucceededVoidFuture()
    }

    func didFinishRequest(task: HTTPClient.Task<Response>) throws -> APIResponse {
        try state.withLock { state in
            guard let head = state.head else { throw HTTPClientError.remoteConnectionClosed }
            return APIResponse(
                status: Int(head.status.code),
                headers: head.headers,
                body: Data(state.body.readableBytesView)
            )
        }
    }
}

extension HTTPHeaders {
    /// The first value of a header, without the white space around it (RFC 9110, section 5.5).
    func value(_ name: String) -> String? {
        first(name: name).map { text in
            let bytes = text.utf8.drop { $0 == 0x20 || $0 == 0x09 }
            let end = bytes.lastIndex { $0 != 0x20 && $0 != 0x09 }
            return end.map { String(Substring(bytes[...$0])) } ?? ""
        }
    }
}

extension HTTPResponseHead {
    var isSuccess: Bool { (200..<300).contains(status.code) }
    var isRedirect: Bool { (300..<400).contains(status.code) }
}
