import XChatEvents

/// Checks each token once: it must belong to the expected user.
///
/// With the token of another user, calls would register keys for that user and send messages as that user.
actor TokenUserCheck {
    /// The time before the server is asked again after a call that failed without naming the user.
    private static let pause = Duration.seconds(60)

    private let user: UserID
    /// The token that was checked last, and its user; the user is nil if the server refuses to name it.
    private var checked: (token: Token, user: UserID?)?
    private var nextTry = ContinuousClock.now
    private var check: Task<Void, Never>?

    init(of user: UserID) {
        self.user = user
    }

    /// Checks a token before its first use; calls at the same time share one check.
    ///
    /// If the app lacks the scope for the check (403), if the server lacks the route (404), or if the server cannot be
    /// reached, the check is skipped and the client logs the failed attempt. The call that follows fails by itself if
    /// the server is not reachable or refuses the token.
    /// - Parameters:
    ///   - token: The token of the next call.
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
            "the access token belongs to user \(found), but the account belongs to user \(user); use a token of user "
                + "\(user), or the account of user \(found)"
        )
    }

    private func ask(_ token: Token, _ client: ChatClient) async {
        guard nextTry <= .now else { return }
        do throws(APIError) {
            checked = (token, try await client.tokenUser(token))
        } catch {
            switch error.code {
            case .forbidden, .notFound: checked = (token, nil)
            // The call itself is refused too, and then renews the token.
            case .unauthorized: break
            default: nextTry = .now + Self.pause
            }
        }
    }
}
