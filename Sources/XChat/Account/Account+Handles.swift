package import XChatEngine
public import XChatEvents
public import XChatHTTP

extension Account {
    /// Looks up the users of handles.
    ///
    /// Only the server knows which user has a handle. So a handle is pinned to the user id of its first look-up (trust
    /// on first use): otherwise the server could later name another user, who would get the messages. Every call asks
    /// the server again, with one request for all handles. If the server does not answer, or says that no user has the
    /// handle any more, the pinned user id is used.
    /// - Parameter handles: The handles.
    /// - Returns: The user of each handle.
    /// - Throws: ``AccountError`` with `handle_moved` if the server names another user than the pinned one, with
    ///   `unknown_handle` if no user has a handle that is not pinned; `APIError` if the request fails and a handle is
    ///   not pinned.
    public func users(handles: [Handle]) async throws -> [Handle: UserID] {
        guard !handles.isEmpty else { return [:] }
        return try await whileOpen { try await self.pinnedUsers(handles) }
    }

    private func pinnedUsers(_ handles: [Handle]) async throws -> [Handle: UserID] {
        var pinned = try await store.pinnedUsers(handles)
        let served: [Handle: UserID]
        do throws(APIError) {
            served = try await client.users(handles: handles)
        } catch {
            guard error.code != .cancelled, error.code != .wrongUser, handles.allSatisfy({ pinned[$0] != nil }) else {
                throw error
            }
            return pinned
        }
        for handle in handles {
            guard let user = served[handle] ?? pinned[handle] else {
                throw AccountError(
                    .unknownHandle,
                    "the server knows no user with the handle \"\(handle)\"; check the spelling, and ask the user, who may have "
                        + "changed the handle or never have signed in at this server"
                )
            }
            if let known = pinned[handle] {
                guard known == user else { throw AccountError(movedHandle: handle, from: known, to: user) }
                continue
            }
            do {
                try await store.pin(handle, to: user, replacing: nil)
            } catch let error as AccountError where error.code == .conflict {
                // Another process looked the handle up at the same time.
                guard let known = try await store.pinnedUsers([handle])[handle], known == user else { throw error }
            }
            pinned[handle] = user
        }
        return pinned
    }

    /// The pinned user of a handle, without asking the server; nil if the handle was not looked up before.
    ///
    /// - Parameter handle: The handle.
    /// - Returns: The user.
    /// - Throws: ``AccountError`` if the state cannot be read.
    public func pinnedUser(of handle: Handle) async throws -> UserID? {
        try await whileOpen { try await self.store.pinnedUsers([handle])[handle] }
    }

    /// Pins a handle to another user, after a person has confirmed both.
    ///
    /// - Parameters:
    ///   - handle: The handle.
    ///   - user: The user whom the server names, and whom the person was shown.
    ///   - known: The user to whom the handle is pinned; nil for a handle that is not pinned.
    /// - Throws: ``AccountError`` with `conflict` if the handle is pinned to a user other than `known`.
    public func accept(_ handle: Handle, of user: UserID, insteadOf known: UserID?) async throws {
        guard user.isValid else {
            throw AccountError(.invalidArgument, "\(quoted(user.string)) is not a user id: 1 to 19 digits")
        }
        try await whileOpen { try await self.store.pin(handle, to: user, replacing: known) }
    }

    /// Asks the server for the user of a handle, without pinning the answer; nil if no user has the handle.
    package func servedUser(of handle: Handle) async throws -> UserID? {
        try await whileOpen { try await self.client.users(handles: [handle])[handle] }
    }

    /// The handles of at most 100 users, for display; nil if the server does not answer within five seconds.
    package func handlesForDisplay(of users: [UserID]) async -> [UserID: Handle]? {
        let valid = users.filter(\.isValid).prefix(ChatClient.maximumUsersOfCall)
        guard !valid.isEmpty else { return [:] }
        return try? await client.handlesForDisplay(of: Array(valid))
    }

    /// A session with the whole state of an account, and the pinned users of handles, for work without a server.
    ///
    /// - Throws: ``AccountError`` with `unknown_handle` for a handle that was not looked up before.
    package static func session(
        _ configuration: Configuration,
        handles: [Handle]
    ) async throws -> (session: Session, users: [Handle: UserID]) {
        let (store, identity) = try await existing(configuration)
        let users = try await store.pinnedUsers(handles)
        if let handle = handles.first(where: { users[$0] == nil }) {
            throw AccountError(
                .unknownHandle,
                "the handle \(handle) was not looked up before, and this call does not ask the server: look it up first, or "
                    + "use the user id"
            )
        }
        return (try await AccountState(store: store, identity: identity).wholeSession(), users)
    }
}

extension AccountError {
    fileprivate init(movedHandle handle: Handle, from old: UserID, to new: UserID) {
        self.init(
            .handleMoved,
            "the server now says that \(handle) is user \(new), but before it was user \(old); handles can be given to other "
                + "people, so nothing was done: use the user id, or, if a person has confirmed user \(new), accept the new user"
        )
        self.handle = handle
        user = new
    }
}

extension RecordStore {
    /// The users to whom handles are pinned.
    fileprivate func pinnedUsers(_ handles: [Handle]) async throws -> [Handle: UserID] {
        let keys = Dictionary(handles.map { (RecordKey.handle($0.lowercased), $0) }, uniquingKeysWith: { $1 })
        var users: [Handle: UserID] = [:]
        for (key, record) in try await records(Array(keys.keys)) {
            guard let handle = keys[key] else { continue }
            guard let text = String(validating: record.bytes, as: UTF8.self), let user = UserID(validating: text) else {
                throw AccountError(
                    .malformed,
                    "the stored user id of the handle \(handle) is damaged or malformed; restore the account from a backup"
                )
            }
            users[handle] = user
        }
        return users
    }

    /// Pins a handle to a user if it is now pinned to `known`, or not pinned if `known` is nil.
    fileprivate func pin(_ handle: Handle, to user: UserID, replacing known: UserID?) async throws {
        let key = RecordKey.handle(handle.lowercased)
        let record = try await records([key])[key]
        guard record.map({ $0.bytes }) == known.map({ Array($0.utf8) }) else {
            throw AccountError(
                .conflict,
                "the pinned user of the handle \(handle) changed in the meantime; look the handle up again"
            )
        }
        var batch = RecordBatch()
        batch.expected[key] = record?.revision ?? 0
        batch.writes[key] = Array(user.utf8)
        try await commit(batch)
    }
}
