import XChat
import XChatEvents
import XChatHTTP

/// The handles of senders, for display.
///
/// They are the server's word. Each user is asked for once, and after a failure no more: then the ids remain.
actor SenderNames {
    private static let limit = 1000

    private let account: Account
    private var handles: [UserID: Handle] = [:]
    private var asked: Set<UserID> = []
    private var isAvailable = true

    init(_ account: Account) {
        self.account = account
    }

    /// The handles that are known after asking for users who were not asked for, the last 100 of them, in one call.
    func handles(asking users: [UserID]) async -> [UserID: Handle] {
        var new: [UserID] = []
        for user in users.reversed() where new.count < ChatClient.maximumUsersOfCall {
            guard user.isValid, asked.count < Self.limit, asked.insert(user).inserted else { continue }
            new.append(user)
        }
        guard isAvailable, !new.isEmpty else { return handles }
        if let found = await account.handlesForDisplay(of: new) {
            handles.merge(found) { $1 }
        } else {
            isAvailable = false
        }
        return handles
    }
}

/// A user for a person to read: the id, and before it the handle with `~`, which marks it as the server's word.
func nameText(_ user: UserID?, _ handles: [UserID: Handle]) -> String {
    guard let user, let handle = handles[user] else { return safeField(user) }
    return "~\(handle) (\(safeField(user)))"
}
