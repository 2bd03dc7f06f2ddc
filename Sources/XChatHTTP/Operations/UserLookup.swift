public import XChatEvents

extension ChatClient {
    /// The users of some handles.
    ///
    /// Who has a handle is the server's word, and it changes: bind trust to the user id.
    /// - Parameter handles: The handles; one call asks for 100.
    /// - Returns: The id of each handle that a user has.
    /// - Throws: ``APIError``; `malformed_response` for an answer that contradicts the question.
    public func users(handles: some Sequence<Handle>) async throws(APIError) -> [Handle: UserID] {
        let handles = Array(Set(handles)).sorted { $0.lowercased < $1.lowercased }
        var users: [Handle: UserID] = [:]
        for start in stride(from: 0, to: handles.count, by: Self.maximumUsersOfCall) {
            let part = Array(handles[start..<min(start + Self.maximumUsersOfCall, handles.count)])
            users.merge(try await perform(.users(handles: part, limit: limits.answerBytes))) { first, _ in first }
        }
        return users
    }

    /// The handles of some users.
    ///
    /// - Parameter users: The users; one call asks for 100.
    /// - Returns: The handle of each user that the server knows, as the server spells it. The server's word.
    /// - Throws: ``APIError``; `malformed_response` for an answer that contradicts the question.
    public func handles(of users: some Sequence<UserID>) async throws(APIError) -> [UserID: Handle] {
        let users = Array(Set(users)).sorted()
        var handles: [UserID: Handle] = [:]
        for start in stride(from: 0, to: users.count, by: Self.maximumUsersOfCall) {
            let part = Array(users[start..<min(start + Self.maximumUsersOfCall, users.count)])
            handles.merge(try await perform(.handles(of: part, limit: limits.answerBytes))) { first, _ in first }
        }
        return handles
    }

    /// The handles of at most 100 users for display: asks once, for at most five seconds.
    package func handlesForDisplay(of users: [UserID]) async throws(APIError) -> [UserID: Handle] {
        let call = try Call.handles(of: users, limit: limits.answerBytes)
        let timeout = min(limits.timeout, .seconds(5))
        return try await attempt(call, token: try await tokens.current(within: timeout), timeout: timeout)
    }

    /// The most users of one call.
    package static var maximumUsersOfCall: Int { 100 }
}

extension Call<[Handle: UserID]> {
    /// The call `GET /2/users/by`.
    static func users(handles: [Handle], limit: Int) throws(APIError) -> Self {
        try checkCount(handles.count)
        return Call(
            request: APIRequest(
                method: .get,
                route: "/2/users/by",
                path: "/2/users/by",
                query: [("usernames", handles.map(\.text).joined(separator: ",")), ("user.fields", FoundUser.fields)]
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            let asked = Set(handles)
            var users: [Handle: UserID] = [:]
            for (id, handle) in try answer.foundUsers() {
                guard let handle, asked.contains(handle) else {
                    throw APIError(
                        .malformedResponse,
                        "the answer names user \(id) with \(handle?.description ?? "no handle"), and was asked for other handles"
                    )
                }
                users[handle] = id
            }
            return users
        }
    }
}

extension Call<[UserID: Handle]> {
    /// The call `GET /2/users`.
    static func handles(of users: [UserID], limit: Int) throws(APIError) -> Self {
        try checkCount(users.count)
        let ids = try users.map { (user) throws(APIError) in try user.userIDPathComponent() }
        return Call(
            request: APIRequest(
                method: .get,
                route: "/2/users",
                path: "/2/users",
                query: [("ids", ids.joined(separator: ",")), ("user.fields", FoundUser.fields)]
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            let asked = Set(users)
            let found = try answer.foundUsers()
            if let stranger = found.keys.first(where: { !asked.contains($0) }) {
                throw APIError(.malformedResponse, "the answer names user \(stranger), and was asked for other users")
            }
            return found.compactMapValues { $0 }
        }
    }
}

private func checkCount(_ count: Int) throws(APIError) {
    guard (1...ChatClient.maximumUsersOfCall).contains(count) else {
        throw APIError(.invalidArgument, "one call looks up 1 to 100 users, not \(count)")
    }
}

extension Success {
    /// The users that a look-up found; those that it did not find are errors of the answer.
    ///
    /// - Returns: The handle of each user; nil for one that is not of the form of a handle.
    /// - Throws: `malformed_response` if an id is no id, or if a user has two handles or a handle two users.
    fileprivate func foundUsers() throws(APIError) -> [UserID: Handle?] {
        let entries: [FoundUser]
        do throws(APIError) {
            entries = try page(of: FoundUser.self).elements
        } catch {
            guard error.code == .notFound else { throw error }
            return [:]
        }
        var users: [UserID: Handle?] = [:]
        var owners: [Handle: UserID] = [:]
        for (index, entry) in entries.enumerated() {
            let id: UserID = try number(entry.id, "data[\(index)].id")
            let handle = entry.username.flatMap { Handle(ifValid: $0) }
            if let other = users[id], other != handle {
                throw APIError(.malformedResponse, "the answer names user \(id) with two handles")
            }
            if let handle, let owner = owners.updateValue(id, forKey: handle), owner != id {
                throw APIError(.malformedResponse, "the answer names two users with the handle \(handle)")
            }
            users[id] = handle
        }
        return users
    }
}

/// A user as the server describes it.
private struct FoundUser: Decodable {
    static let fields = "id,username"

    let id: String
    let username: String?
}
