import AsyncHTTPClient
import NIOCore

package import struct Foundation.Date

/// Provides the token for the calls of a client, and renews it.
///
/// A refused token is renewed once per call. Concurrent calls whose token was refused share one renewal, because
/// refresh tokens are often valid for a single use.
public actor TokenSource {
    /// A token, and the time after which a new one is requested before the next call.
    ///
    /// The time is nil if the token is used until the server refuses it.
    package struct Renewed: Sendable {
        package let token: Token
        package let usedUntil: Date?

        package init(_ token: Token, usedUntil: Date? = nil) {
            (self.token, self.usedUntil) = (token, usedUntil)
        }
    }

    /// The result of a renewal; nil if there is no new token and the reason is not shown.
    private typealias Renewal = Task<Result<Renewed?, APIError>, Never>

    private var latest: Renewed?
    private let renew: (@Sendable (_ last: Token?) async throws(APIError) -> Renewed?)?
    private var renewal: Renewal?

    /// Makes a source.
    ///
    /// - Parameters:
    ///   - token: The first token.
    ///   - renew: Gets a new token after the server refused the current one. Its errors are not shown, since they may
    ///     contain a secret; the call then fails with the server's refusal. A call whose ``RetryPolicy/budget`` runs
    ///     out while it waits also fails with the refusal; the renewal continues for later calls.
    public init(_ token: Token, renew: (@Sendable () async throws -> Token)? = nil) {
        latest = Renewed(token)
        if let renew {
            self.renew = { _ in (try? await renew()).map { Renewed($0) } }
        } else {
            self.renew = nil
        }
    }

    /// Makes a source that has no token at first.
    ///
    /// - Parameter renew: Gets a new token. It receives the last token, which was refused or is about to expire; nil at
    ///   first. The call that needs the token throws the errors of `renew`.
    package init(renew: @escaping @Sendable (_ last: Token?) async throws(APIError) -> Renewed?) {
        self.renew = renew
    }

    /// The token for a new call.
    ///
    /// - Parameter timeout: How long to wait for a renewal.
    /// - Returns: The token.
    /// - Throws: The error of the renewal; `timed_out`, `cancelled`.
    func current(within timeout: Duration) async throws(APIError) -> Token {
        if let latest, latest.usedUntil.map({ $0 > Date() }) ?? true { return latest.token }
        if let token = try await renewed(within: timeout) { return token }
        if let latest { return latest.token }
        throw APIError(.timedOut, "no access token within \(timeout.inSeconds)")
    }

    /// A token other than the refused one; nil if no such token arrives within the timeout.
    func token(after refused: Token, within timeout: Duration) async throws(APIError) -> Token? {
        if let latest, !latest.token.isSame(as: refused) { return latest.token }
        guard let token = try await renewed(within: timeout), !token.isSame(as: refused) else { return nil }
        return token
    }

    /// Waits for a renewal that all callers share; nil if it does not end within the timeout.
    private func renewed(within timeout: Duration) async throws(APIError) -> Token? {
        guard let renew else { return nil }
        let last = latest?.token
        let renewal =
            renewal
            ?? Task {
                do throws(APIError) {
                    return .success(try await renew(last))
                } catch {
                    return .failure(error)
                }
            }
        self.renewal = renewal
        // Waiting for a task's value cannot be cancelled; waiting for the end of a stream can.
        let (results, result) = AsyncStream.makeStream(of: Result<Renewed?, APIError>.self)
        Task {
            result.yield(await renewal.value)
            result.finish()
        }
        let timer = HTTPClient.defaultEventLoopGroup.any().scheduleTask(in: TimeAmount(timeout.upToAYear)) {
            result.finish()
        }
        defer { timer.cancel() }
        var iterator = results.makeAsyncIterator()
        let received = await iterator.next()
        if Task.isCancelled { throw .cancelled }
        guard let received else { return nil }
        if self.renewal == renewal { self.renewal = nil }
        guard let renewed = try received.get() else { return nil }
        // The result of an older renewal does not replace a newer token.
        if isLast(last) { latest = renewed }
        return latest?.token
    }

    private func isLast(_ token: Token?) -> Bool {
        guard let latest, let token else { return latest == nil && token == nil }
        return latest.token.isSame(as: token)
    }
}
