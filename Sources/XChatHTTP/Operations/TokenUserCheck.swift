import XChatEvents

/// Makes sure, once for each token, that it is the token of the expected user.
///
/// With the token of another user, keys would be registered for that user, and messages sent by them.
actor TokenUserCheck {
    /// After a failure that says nothing about the user, the server is asked again after this time.
    private static let pause = Duration.seconds(60)

    private let user: UserID
    /// The token that was checked last, and whose it is; nil if the server does not say.
    private var checked: (token: Token, user: UserID?)?
    private var nextTry = ContinuousClock.now
    private var check: Task<Void, Never>?

    init(of user: UserID) {
        self.user = user
    }

    /// Checks a token before its first use; calls at the same time share one check.
    ///
    /// An app may lack the scope for the question (403), and a server the route (404). Then, and while the server
    /// cannot be asked, calls go on, and the log has the failed question: they fail by themselves if the server is away
    /// or refuses the token.
    /// - Parameters:
    ///   - token: The token.
    ///   - client: The client, whose calls are not checked again.
    /// - Throws: `wrong_user`, and `cancelled`.
    func require(_ token: Token, _ client: ChatClient) async throws(APIError) {
        if checked?.token.isSame(as: token) != true {
            let check = check ?? Task { await self.ask(token, client) }
            self.check = check
            // Waiting for a task's value cannot be cancelled; waiting for the end of a stream can.
            let (results, end) = AsyncStream.makeStream(of: Never.self)
            Task {
                await check.value
                end.finish()
            }
            for await _ in results {}
            if Task.isCancelled { throw .cancelled }
            if self.check == check { self.check = nil }
        }
        guard let checked, checked.token.isSame(as: token), let found = checked.user, found != user else { return }
        throw APIError(
            .wrongUser,
            "the access token is that of user \(found), and the account belongs to user \(user); use a token of user \(user)"
        )
    }

    private func ask(_ token: Token, _ client: ChatClient) async {
        guard nextTry <= .now else { return }
        do throws(APIError) {
            checked = (token, try await client.tokenUser(token))
        } catch {
            switch error.code {
            case .forbidden, .notFound: checked = (token, nil)
            // The call itself is refused as well, and renews the token.
            case .unauthorized: break
            default: nextTry = .now + Self.pause
            }
        }
    }
}
