package import XChatEvents

/// The user to whom a token belongs, as the server describes them.
package struct TokenUser: Sendable {
    package let id: UserID
    /// The handle without `@`, as the server writes it.
    package let username: String?
    package let name: String?
}

extension Call<TokenUser> {
    /// The call `GET /2/users/me`.
    ///
    /// The answer may have at most 64 KiB.
    static func me(limit: Int) -> Self {
        Call(
            request: APIRequest(
                method: .get,
                route: "/2/users/me",
                path: "/2/users/me",
                query: [("user.fields", "id,name,username")]
            ),
            limit: min(limit, 64 << 10)
        ) { (answer) throws(APIError) in
            let user = try answer.data(UserAnswer.self)
            return TokenUser(id: try answer.number(user.id, "data.id"), username: user.username, name: user.name)
        }
    }
}

extension ChatClient {
    /// Asks the server which user the token belongs to.
    ///
    /// - Returns: The user. Name and handle are not verified, and only the size of the answer limits their length.
    /// - Throws: ``APIError``; `forbidden` if the token does not allow this call.
    package func me() async throws(APIError) -> TokenUser {
        try await perform(.me(limit: limits.answerBytes))
    }
}

private struct UserAnswer: Decodable {
    let id: String
    let username: String?
    let name: String?
}
