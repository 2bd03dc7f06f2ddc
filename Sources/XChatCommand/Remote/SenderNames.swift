import XChat
import XChatEvents
import XChatHTTP

/// The handles of senders, for display.
///
/// They are the server's word. Each user is asked for once, in at most 20 calls of 100 users, and after a failure no
/// more: then the ids remain.
actor SenderNames {
    private let account: Account
    private var handles: [UserID: Handle] = [:]
    private var asked: Set<UserID> = []
    /// How many calls may still be made.
    private var calls = 20

    init(_ account: Account) {
        self.account = account
    }

    /// The handles that are known after asking for users who were not asked for, the last 100 of them, in one call.
    func handles(asking users: [UserID]) async -> [UserID: Handle] {
        var new: [UserID] = []
        for user in users.reversed() where new.count < ChatClient.maximumUsersOfCall {
            guard calls > 0, user.isValid, asked.insert(user).inserted else { continue }
            new.append(user)
        }
        guard !new.isEmpty else { return handles }
        calls -= 1
        if let found = await account.handlesForDisplay(of: new) {
            handles.merge(found) { $1 }
        } else {
            calls = 0
        }
        return handles
    }

    /// Asks for the known users of a conversation in one call.
    func ask(for conversation: ConversationID) async throws {
        guard let (first, second) = conversation.participants else {
            _ = await handles(asking: Array(try await account.members(of: conversation)))
            return
        }
        _ = await handles(asking: [first, second])
    }
}

/// A user for a person to read: the id, and before it the handle with `~`, which marks it as the server's word.
func nameText(_ user: UserID?, _ handles: [UserID: Handle]) -> String {
    guard let user, let handle = handles[user] else { return safeField(user) }
    return "~\(handle) (\(safeField(user)))"
}
