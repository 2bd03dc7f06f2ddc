import Foundation
import XChatEngine
import XChatEvents
import XChatHTTP

/// A user of the demonstration, registered with the server.
struct DemoUser {
    let keys: PrivateKeys
    /// The version that the server gave the keys.
    let version: KeyVersion
    let client: ChatClient
    var session: Session

    /// Makes fresh keys and registers them over HTTP.
    init(_ userID: UserID, _ suite: SuiteName, _ url: URL) async throws {
        keys = try PrivateKeys.generate(suite)
        client = try ChatClient(api: url.absoluteString, token: try Token("sandbox-\(userID)"))
        let proposed = KeyVersion(String(Int64(Date().timeIntervalSince1970 * 1000)))
        version = try await client.register(try keys.registration(version: proposed), user: userID)
        session = try Session(userID: userID, privateKeys: keys, signingKeyVersion: version)
    }

    /// Fetches a user's keys and pins them.
    mutating func pinKeys(of user: UserID) async throws -> [VerifiedPublicKey] {
        let served = try await client.publicKeys(of: user)
        try session.pin(served, of: user)
        return try session.bound(served, of: user)
    }

    /// Gives the conversation with a user its first key.
    mutating func startConversation(with peer: UserID) async throws -> KeyChange {
        let conversation = ConversationID.oneToOne(session.userID, peer)
        let change = try session.prepareKeyChange(in: conversation)
        _ = try await client.addKeys(change)
        try session.adopt(change)
        return change
    }
}
