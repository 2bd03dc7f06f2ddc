import AsyncHTTPClient
import NIOCore

/// Where the calls of a client take their token from.
///
/// A token that the server refuses is renewed once per call; calls that meet the same refusal at the same time share one
/// renewal, because the token that renews is often good for a single use.
public actor TokenSource {
    private var token: Token
    private let renew: (@Sendable () async throws -> Token)?
    private var renewal: Task<Token?, Never>?

    /// Makes a source.
    ///
    /// - Parameters:
    ///   - token: The first token.
    ///   - renew: Gets a new token when the server refused the present one. What it throws is not shown, since it may
    ///     hold a secret: the call then fails with the refusal itself. So does a call whose ``RetryPolicy/budget`` is
    ///     spent while it waits; the renewal goes on, for later calls.
    public init(_ token: Token, renew: (@Sendable () async throws -> Token)? = nil) {
        self.token = token
        self.renew = renew
    }

    /// The present token.
    var current: Token { token }

    /// A token that is not the refused one; nil where there is none, or none within the time.
    func token(after refused: Token, within timeout: Duration) async throws(APIError) -> Token? {
        if !token.isSame(as: refused) { return token }
        guard let renew else { return nil }
        let renewal = renewal ?? Task { try? await renew() }
        self.renewal = renewal
        // Waiting for a task's value cannot be cancelled; waiting for the end of a stream can.
        let (results, result) = AsyncStream.makeStream(of: Token?.self)
        Task {
            result.yield(await renewal.value)
            result.finish()
        }
        let timer = HTTPClient.defaultEventLoopGroup.any().scheduleTask(in: TimeAmount(timeout.upToAYear)) {
            result.finish()
        }
        defer { timer.cancel() }
        var iterator = results.makeAsyncIterator()
        let received: Token?? = await iterator.next()
        if Task.isCancelled { throw .cancelled }
        guard let renewed = received else { return nil }
        if self.renewal == renewal { self.renewal = nil }
        guard let renewed, !renewed.isSame(as: refused) else { return nil }
        // Whoever waited longest does not put a token back that was refused meanwhile.
        if token.isSame(as: refused) { token = renewed }
        return token
    }
}
