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
    ///     hold a secret: the call then fails with the refusal itself.
    public init(_ token: Token, renew: (@Sendable () async throws -> Token)? = nil) {
        self.token = token
        self.renew = renew
    }

    /// The present token.
    var current: Token { token }

    /// A token that is not the refused one; nil where there is none.
    func token(after refused: Token) async -> Token? {
        if !token.isSame(as: refused) { return token }
        guard let renew else { return nil }
        let renewal = renewal ?? Task { try? await renew() }
        self.renewal = renewal
        let renewed = await renewal.value
        if self.renewal == renewal { self.renewal = nil }
        guard let renewed, !renewed.isSame(as: refused) else { return nil }
        // Whoever waited longest does not put a token back that was refused meanwhile.
        if token.isSame(as: refused) { token = renewed }
        return token
    }
}
