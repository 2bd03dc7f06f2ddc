package import XChatEngine
public import XChatEvents
public import XChatHTTP

extension Account {
    /// The users of some handles.
    ///
    /// Who has a handle is the server's word. So a handle is bound to the user id of its first look-up, and the id is
    /// kept. Every call asks the server again, once for all handles. While it does not answer, or answers that no user
    /// has the handle any more, the kept id is used.
    /// - Parameter handles: The handles.
    /// - Returns: The user of each handle.
    /// - Throws: ``AccountError`` with `handle_moved` if the server now names another user for one of them, with
    ///   `unknown_handle` if no user has one of them; `APIError` if one that was not used before cannot be looked up.
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
                throw AccountError(.unknownHandle, "the server knows no user \(handle); check the spelling")
            }
            if let known = pinned[handle] {
                guard known == user else { throw AccountError(movedHandle: handle, from: known, to: user) }
                continue
            }
            do {
                try await store.pin(handle, to: user, replacing: nil)
            } catch let error as AccountError where error.code == .conflict {
                // Another process looked it up at the same time.
                guard let known = try await store.pinnedUsers([handle])[handle], known == user else { throw error }
            }
            pinned[handle] = user
        }
        return pinned
    }

    /// The user of a handle that was looked up before, without a question to the server; nil for another handle.
    ///
    /// - Parameter handle: The handle.
    /// - Returns: The user.
    /// - Throws: ``AccountError`` if the state cannot be read.
    public func pinnedUser(of handle: Handle) async throws -> UserID? {
        try await whileOpen { try await self.store.pinnedUsers([handle])[handle] }
    }

    /// Binds a handle to another user, after a person has confirmed both.
    ///
    /// - Parameters:
    ///   - handle: The handle.
    ///   - user: The user whom the person was shown: the one that the server names.
    ///   - known: The user to whom the handle was bound before; nil for a handle that was not used before.
    /// - Throws: ``AccountError`` with `conflict` if it is bound to a user other than `known`.
    public func accept(_ handle: Handle, of user: UserID, insteadOf known: UserID?) async throws {
        guard user.isValid else {
            throw AccountError(.invalidArgument, "\(quoted(user.string)) is not a user id: 1 to 19 digits")
        }
        try await whileOpen { try await self.store.pin(handle, to: user, replacing: known) }
    }

    /// The user whom the server names for a handle now, which is not kept; nil if it names none.
    package func servedUser(of handle: Handle) async throws -> UserID? {
        try await whileOpen { try await self.client.users(handles: [handle])[handle] }
    }

    /// The handles of at most 100 users, for display; nil if the server does not tell them within five seconds.
    package func handlesForDisplay(of users: [UserID]) async -> [UserID: Handle]? {
        let valid = users.filter(\.isValid).prefix(ChatClient.maximumUsersOfCall)
        guard !valid.isEmpty else { return [:] }
        return try? await client.handlesForDisplay(of: Array(valid))
    }

    /// Everything that an account knows, as one session, and the users of handles that were looked up before: for work
    /// without a server.
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
                "the user of \(handle) is not known here, and this works without the server: look the handle up first, or "
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
            "the server now says that \(handle) is user \(new), and before it was user \(old); handles can be given to other "
                + "people, so nothing was done: use the user id, or accept the new user of the handle"
        )
        self.handle = handle
        user = new
    }
}

extension RecordStore {
    /// The users to whom handles are bound.
    fileprivate func pinnedUsers(_ handles: [Handle]) async throws -> [Handle: UserID] {
        let keys = Dictionary(handles.map { (RecordKey.handle($0.lowercased), $0) }, uniquingKeysWith: { $1 })
        var users: [Handle: UserID] = [:]
        for (key, record) in try await records(Array(keys.keys)) {
            guard let handle = keys[key] else { continue }
            guard let text = String(validating: record.bytes, as: UTF8.self), let user = UserID(validating: text) else {
                throw AccountError(.malformed, "the record of the handle \(handle) is not a user id")
            }
            users[handle] = user
        }
        return users
    }

    /// Binds a handle to a user if it is bound to another one as expected.
    fileprivate func pin(_ handle: Handle, to user: UserID, replacing known: UserID?) async throws {
        let key = RecordKey.handle(handle.lowercased)
        let record = try await records([key])[key]
        guard record.map({ $0.bytes }) == known.map({ Array($0.utf8) }) else {
            throw AccountError(.conflict, "the handle \(handle) was bound to another user meanwhile; look it up again")
        }
        var batch = RecordBatch()
        batch.expected[key] = record?.revision ?? 0
        batch.writes[key] = Array(user.utf8)
        try await commit(batch)
    }
}
