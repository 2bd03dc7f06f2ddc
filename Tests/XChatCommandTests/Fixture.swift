import TestSupport
import XChat
import XChatCommand
import XChatEngine
import XChatEvents

/// Two users who trust each other and share a conversation key, as sessions of the engine and as session files.
struct Fixture {
    static let conversation = ConversationID.oneToOne("1111", "2222")
    static let keyVersion: KeyVersion = "1001"

    let scratch: Scratch
    let suite: SuiteName
    let keys: [UserID: PrivateKeys]
    let conversationKey: ConversationKey
    private let verifiedKeys: [UserID: VerifiedPublicKey]

    init(_ suite: SuiteName = .xchat) throws {
        scratch = try Scratch()
        self.suite = suite
        let keys: [UserID: PrivateKeys] = ["1111": try .generate(suite), "2222": try .generate(suite)]
        self.keys = keys
        verifiedKeys = Dictionary(
            uniqueKeysWithValues: try keys.map { ($0, try $1.verifiedKey(userID: $0, version: "1")) }
        )
        conversationKey = try .generate()
    }

    /// The public keys of a user, under version 1.
    func bound(_ user: UserID) throws -> VerifiedPublicKey {
        guard let key = verifiedKeys[user] else { throw CommandError("no such user") }
        return key
    }

    /// The session of a user who trusts both users.
    func session(of user: UserID, withConversationKey: Bool = true) throws -> Session {
        var session = try Session(userID: user, privateKeys: keys[user], signingKeyVersion: "1")
        session.trust([try bound("1111"), try bound("2222")])
        if withConversationKey {
            try session.addConversationKey(conversationKey, in: Self.conversation, version: Self.keyVersion)
        }
        return session
    }

    /// The session file of a user, with changes to its members.
    func document(
        of user: UserID,
        _ change: (inout JSONObject) -> Void = { _ in }
    ) throws -> JSONObject {
        guard let blob = try keys[user]?.withExport({ Base64.encode($0) }) else { throw CommandError("no such user") }
        var document: JSONObject = [
            "user_id": .string(user),
            "signing_key_version": "1",
            "private_keys": .string(blob),
            "signing_keys": .array([try bound("1111").registered.json, try bound("2222").registered.json]),
            "conversation_keys": [
                Self.conversation.text: [
                    Self.keyVersion.text: .string(conversationKey.withBytes { Base64.encode($0) })
                ]
            ],
        ]
        change(&document)
        return document
    }

    /// Writes a session file and returns its path.
    func file(
        of user: UserID,
        _ name: String = "session.json",
        mode: Int = 0o600,
        _ change: (inout JSONObject) -> Void = { _ in }
    ) throws -> String {
        try scratch.write(name, JSONValue.object(try document(of: user, change)).indented, mode: mode)
    }

    /// A text message from a user, as a recipient receives it.
    func message(_ text: String, from user: UserID = "1111") throws -> MessageEvent {
        try session(of: user).seal(.text(text), in: Self.conversation).event
    }

    /// A key change from 1111 that delivers the key of a version.
    func keyChange(version: KeyVersion) throws -> KeyChange {
        var session = try session(of: "1111", withConversationKey: false)
        return try session.prepareKeyChange(
            in: Self.conversation,
            participants: [try bound("1111"), try bound("2222")],
            version: version
        )
    }
}

extension MessageEvent {
    var base64: String { Base64.encode(encoded()) }

    /// The event with its signature changed.
    func withSignature(_ change: (inout MessageEventSignature) -> Void) -> MessageEvent {
        var event = self
        var signature = messageEventSignature ?? MessageEventSignature()
        change(&signature)
        event.messageEventSignature = signature
        return event
    }
}

/// The bytes of lines, each ended by a newline.
func lines(_ lines: String...) -> [UInt8] {
    lines.flatMap { Array(($0 + "\n").utf8) }
}
