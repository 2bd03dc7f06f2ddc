import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import XChatEvents

/// The one place that does I/O: a request out, an answer in, within a time and a size.
struct Transport: Sendable {
    /// Scheme, host, port and path prefix, without a trailing slash.
    let base: String

    /// One pool of connections for the process, so that clients are plain values that need no closing.
    private static let pool: HTTPClient = {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(10))
        )
        // A refused connection is an answer; trying again until the connect timeout only hides it.
        configuration.connectionPool.retryConnectionEstablishment = false
        // The default of 8 holds for the process: as many downloads or open streams would keep every other call waiting
        // until its time is up.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    /// Sends a request and reads the whole answer.
    ///
    /// The timeout covers name lookup, connection, request and the whole body of the answer.
    func send(
        _ request: APIRequest,
        token: Token,
        limit: Int,
        timeout: Duration
    ) async throws(APIError) -> APIResponse {
        let message = message(request, token: token)
        let result: Result<APIResponse, APIError>?
        do {
            result = try await Self.within(timeout) { await exchange(message, limit: limit, timeout: timeout) }
        } catch {
            throw APIError(.cancelled, "the task was cancelled")
        }
        guard let result else { throw Self.timedOut(timeout) }
        return try result.get()
    }

    func message(_ request: APIRequest, token: Token) -> HTTPClientRequest {
        var message = HTTPClientRequest(url: request.url(base: base))
        message.method = HTTPMethod(rawValue: request.method.rawValue)
        message.headers.add(name: "authorization", value: token.headerValue)
        message.headers.add(name: "accept", value: request.accept)
        if let body = request.body {
            message.headers.add(name: "content-type", value: "application/json")
            message.body = .bytes(ByteBuffer(bytes: body))
        }
        return message
    }

    private func exchange(
        _ message: HTTPClientRequest,
        limit: Int,
        timeout: Duration
    ) async -> Result<APIResponse, APIError> {
        do {
            let response = try await execute(message, timeout: timeout)
            let status = Int(response.status.code)
            var answer = APIResponse(status: status, headers: response.headers)
            switch status {
            case 200..<300: answer.body = try await read(response.body, limit: limit)
            default: answer.body = await reason(response)
            }
            return .success(answer)
        } catch {
            return .failure(apiError(error, limit: limit, timeout: timeout))
        }
    }

    func execute(_ message: HTTPClientRequest, timeout: Duration) async throws -> HTTPClientResponse {
        try await Self.pool.execute(message, timeout: TimeAmount(timeout))
    }

    /// The body of an answer that is no success.
    ///
    /// Why a request was refused matters less than that it was, so a body too large is left aside.
    func reason(_ response: HTTPClientResponse) async -> Data {
        if (300..<400).contains(response.status.code) { return Data() }
        return (try? await read(response.body, limit: 64 * 1024)) ?? Data()
    }

    private func read(_ body: HTTPClientResponse.Body, limit: Int) async throws -> Data {
        let bytes = try await body.collect(upTo: limit)
        // A cancelled body ends early, as if it were complete.
        try Task.checkCancellation()
        return Data(bytes.readableBytesView)
    }

    /// The bounded form of whatever the HTTP client throws: its own descriptions may repeat header values.
    func apiError(_ error: any Error, limit: Int, timeout: Duration) -> APIError {
        switch error {
        case is CancellationError: return APIError(.cancelled, "the task was cancelled")
        case is NIOTooManyBytesError: return APIError(.tooLarge, "the answer is larger than \(limit) bytes")
        case HTTPParserError.headerOverflow: return APIError(.tooLarge, "the headers of the answer are too large")
        case HTTPParserError.invalidEOFState:
            return APIError(.connection, "the connection closed before the answer was complete")
        case is HTTPParserError: return APIError(.malformedResponse, "the answer is not HTTP")
        case let error as HTTPClientError: return Self.apiError(error, timeout: timeout)
        default: return APIError(.connection, "no connection to \(base.display()) (\(type(of: error)))")
        }
    }

    private static func apiError(_ error: HTTPClientError, timeout: Duration) -> APIError {
        switch error {
        case .deadlineExceeded, .connectTimeout, .tlsHandshakeTimeout: timedOut(timeout)
        case .cancelled: APIError(.cancelled, "the task was cancelled")
        default: APIError(.connection, error.shortDescription.display())
        }
    }

    static func timedOut(_ timeout: Duration) -> APIError {
        APIError(.timedOut, "no complete answer within \(timeout)")
    }

    /// Runs an operation, and cancels it and answers nil when the time is up.
    ///
    /// The client's own deadline ends with the head of the response; a body that drips has none.
    static func within<Value: Sendable>(
        _ timeout: Duration,
        _ operation: @escaping @Sendable () async -> Value
    ) async throws(CancellationError) -> Value? {
        let result = await withTaskGroup(of: Value?.self) { group in
            group.addTask { await operation() }
            group.addTask {
                try? await Task.sleep(for: timeout)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        if Task.isCancelled { throw CancellationError() }
        return result
    }
}
