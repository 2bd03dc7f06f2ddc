import AsyncHTTPClient
import NIOCore

/// Provides the token for the calls of a client, and renews it.
///
/// A refused token is renewed once per call. Concurrent calls whose token was refused share one renewal, because
/// refresh tokens are often valid for a single use.
public actor TokenSource {
    private var token: Token
    private let renew: (@Sendable () async throws -> Token)?
    private var renewal: Task<Token?, Never>?

    /// Makes a source.
    ///
    /// - Parameters:
    ///   - token: The first token.
    ///   - renew: Gets a new token after the server refused the current one. Its errors are not shown, since they may
    ///     contain a secret: the call then fails with the server's refusal. So does a call whose ``RetryPolicy/budget``
    ///     runs out while it waits; the renewal goes on for later calls.
    public init(_ token: Token, renew: (@Sendable () async throws -> Token)? = nil) {
        self.token = token
        self.renew = renew
    }

    /// The current token.
    var current: Token { token }

    /// Another token than the refused one; nil if none arrives within the timeout.
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
        // The result of an older renewal does not replace a newer token.
        if token.isSame(as: refused) { token = renewed }
        return token
    }
}
