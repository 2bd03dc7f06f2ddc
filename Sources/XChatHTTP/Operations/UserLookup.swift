public import XChatEvents

extension ChatClient {
    /// Looks up the users that have the given handles.
    ///
    /// The server's answer cannot be verified, and handles change: bind trust to the user id.
    /// - Parameter handles: The handles; there is one call for every 100.
    /// - Returns: The user id of each handle that exists.
    /// - Throws: ``APIError``; `malformed_response` for an answer that names other handles or contradicts itself.
    public func users(handles: some Sequence<Handle>) async throws(APIError) -> [Handle: UserID] {
        let handles = Array(Set(handles)).sorted { $0.lowercased < $1.lowercased }
        var users: [Handle: UserID] = [:]
        for start in stride(from: 0, to: handles.count, by: Self.maximumUsersOfCall) {
            let part = Array(handles[start..<min(start + Self.maximumUsersOfCall, handles.count)])
            users.merge(try await perform(.users(handles: part, limit: limits.answerBytes))) { first, _ in first }
        }
        return users
    }

    /// Looks up the handles of users.
    ///
    /// - Parameter users: The users; there is one call for every 100.
    /// - Returns: The handle of each user that the server knows, in the server's spelling. A handle cannot be verified.
    /// - Throws: ``APIError``; `malformed_response` for an answer that names other users or contradicts itself.
    public func handles(of users: some Sequence<UserID>) async throws(APIError) -> [UserID: Handle] {
        let users = Array(Set(users)).sorted()
        var handles: [UserID: Handle] = [:]
        for start in stride(from: 0, to: users.count, by: Self.maximumUsersOfCall) {
            let part = Array(users[start..<min(start + Self.maximumUsersOfCall, users.count)])
            handles.merge(try await perform(.handles(of: part, limit: limits.answerBytes))) { first, _ in first }
        }
        return handles
    }

    /// Looks up the handles of at most 100 users for display, with one attempt of at most five seconds.
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
                        "the answer names user \(id) with \(handle?.description ?? "no handle"), but was asked for other handles"
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
                throw APIError(.malformedResponse, "the answer names user \(stranger), but was asked for other users")
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
    /// The users that a look-up found.
    ///
    /// The answer lists the others as errors, which are ignored.
    ///
    /// - Returns: The handle of each user; nil for an invalid handle.
    /// - Throws: `malformed_response` if an id is invalid, a user has two handles, or two users have the same handle.
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
