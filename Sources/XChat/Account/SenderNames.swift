package import XChatEvents
package import XChatHTTP

/// The handles of senders, for display.
///
/// Only the server vouches for them. Each user is looked up once, in at most 20 calls of up to 100 users. After a call
/// has failed there are no more calls, and the other senders are shown by their ids.
package actor SenderNames {
    private let account: Account
    private var handles: [UserID: Handle] = [:]
    private var asked: Set<UserID> = []
    /// How many calls may still be made.
    private var calls = 20

    package init(_ account: Account) {
        self.account = account
    }

    /// Looks up the senders of events, the last 100 who were not looked up before, in one call, and returns all known
    /// handles.
    package func handles(ofSendersIn events: [OpenedEvent]) async -> [UserID: Handle] {
        await handles(asking: events.compactMap { $0.received?.senderID })
    }

    private func handles(asking users: [UserID]) async -> [UserID: Handle] {
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

    /// Looks up the known users of a conversation in one call.
    package func ask(for conversation: ConversationID) async throws {
        guard let (first, second) = conversation.participants else {
            _ = await handles(asking: Array(try await account.members(of: conversation)))
            return
        }
        _ = await handles(asking: [first, second])
    }
}
