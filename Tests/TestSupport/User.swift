package import Foundation
package import XChatEngine
package import XChatEvents
package import XChatHTTP

/// A user with a session and a client.
package struct User {
    package var client: ChatClient
    package var session: Session

    /// Makes keys and registers them.
    package init(_ id: UserID, _ suite: SuiteName, _ url: URL) async throws {
        client = try ChatClient(api: url.absoluteString, token: Token("sandbox-\(id)"))
        let keys = try PrivateKeys.generate(suite)
        let version = try await client.register(keys.registration(version: "1"), user: id)
        session = try Session(userID: id, privateKeys: keys, signingKeyVersion: version)
        session.trust([try keys.verifiedKey(userID: id, version: version)])
    }

    /// Makes a conversation key and posts it.
    package mutating func start(with peer: User) async throws -> ConversationID {
        let conversation = ConversationID.oneToOne(session.userID, peer.session.userID)
        let peerKeys = try await client.publicKeys(of: peer.session.userID)
        let ownKeys = try await client.publicKeys(of: session.userID)
        let change = try session.prepareKeyChange(
            in: conversation,
            participants: (ownKeys + peerKeys).map { try VerifiedPublicKey(checking: $0) }
        )
        let added = try await client.addKeys(change)
        try session.addConversationKey(change.key, in: conversation, version: change.version)
        return added.conversationID
    }

    package func send(_ text: String, in conversation: ConversationID) async throws -> SentMessage {
        try await client.send(session.seal(.text(text), in: conversation))
    }

    /// The texts of a history, each verified.
    package mutating func open(_ history: History) throws -> [String?] {
        for event in history.keyEvents { _ = try session.open(MessageEvent(base64: event)) }
        return try history.events.map { event in
            let opened = try session.open(MessageEvent(base64: event.encodedEvent))
            guard opened.isVerified, case .message(let message) = opened.contents?.contents else { return nil }
            return message.messageText?.string
        }
    }
}
