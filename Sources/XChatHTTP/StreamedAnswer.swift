import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// An answer whose body is read piece by piece.
///
/// It is unchecked because the HTTP client's iterator is not `Sendable`; one task reads at a time, and waits for the child
/// that reads for it.
final class StreamedAnswer: @unchecked Sendable {
    let headers: HTTPHeaders
    private let transport: Transport
    private var pieces: HTTPClientResponse.Body.AsyncIterator

    fileprivate init(_ response: HTTPClientResponse, transport: Transport) {
        headers = response.headers
        pieces = response.body.makeAsyncIterator()
        self.transport = transport
    }

    /// The next bytes of the body, never none; nil at its end.
    ///
    /// The timeout is for these bytes alone.
    func next(within timeout: Duration) async throws(APIError) -> ByteBuffer? {
        let result: Result<ByteBuffer?, APIError>?
        do {
            result = try await Transport.within(timeout) { await self.next(timeout: timeout) }
        } catch {
            throw APIError(.cancelled, "the task was cancelled")
        }
        guard let result else { throw Transport.timedOut(timeout) }
        return try result.get()
    }

    @concurrent
    private func next(timeout: Duration) async -> Result<ByteBuffer?, APIError> {
        do {
            while let piece = try await pieces.next() {
                if piece.readableBytes > 0 { return .success(piece) }
            }
            // A cancelled body ends early, as if it were complete.
            try Task.checkCancellation()
            return .success(nil)
        } catch {
            return .failure(transport.apiError(error, limit: 0, timeout: timeout))
        }
    }
}

extension Transport {
    /// Sends a request and returns once the head of a success is there.
    ///
    /// The timeout reaches up to the head of the answer; a refusal is read whole in that time.
    func open(_ request: APIRequest, token: Token, timeout: Duration) async throws(APIError) -> StreamedAnswer {
        let message = message(request, token: token)
        let result: Result<StreamedAnswer, APIError>?
        do {
            result = try await Self.within(timeout) { await open(message, token: token, timeout: timeout) }
        } catch {
            throw APIError(.cancelled, "the task was cancelled")
        }
        guard let result else { throw Self.timedOut(timeout) }
        return try result.get()
    }

    @concurrent
    private func open(
        _ message: HTTPClientRequest,
        token: Token,
        timeout: Duration
    ) async -> Result<StreamedAnswer, APIError> {
        do {
            let response = try await execute(message, timeout: timeout)
            let status = Int(response.status.code)
            guard (200..<300).contains(status) else {
                let refusal = APIResponse(status: status, headers: response.headers, body: await reason(response))
                return .failure(APIError(refusal: refusal, token: token))
            }
            return .success(StreamedAnswer(response, transport: self))
        } catch {
            return .failure(apiError(error, limit: 0, timeout: timeout))
        }
    }
}
