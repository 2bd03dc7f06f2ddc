public import XChatEngine
public import XChatEvents

/// Two people with a conversation key between them, and as many others as a group needs.
public struct People: Sendable {
    /// The conversation of the two.
    public static let conversation = ConversationID.oneToOne("1111", "2222")
    /// A group for key changes.
    public static let group = ConversationID(canonicalizing: "g1000")

    /// Writes.
    public let alice: Session
    /// Reads.
    public let bob: Session
    /// Reads, and has no pins yet.
    public let stranger: Session
    private let others: PrivateKeys

    /// Makes all keys.
    public init(_ suite: SuiteName) throws {
        let alicesKeys = try PrivateKeys.generate(suite)
        let bobsKeys = try PrivateKeys.generate(suite)
        let pins = [
            try alicesKeys.verifiedKey(userID: "1111", version: "1"),
            try bobsKeys.verifiedKey(userID: "2222", version: "1"),
        ]
        let key = try ConversationKey.generate()
        var alice = try Session(userID: "1111", privateKeys: alicesKeys, signingKeyVersion: "1")
        stranger = try Session(userID: "2222", privateKeys: bobsKeys, signingKeyVersion: "1")
        var bob = stranger
        alice.trust(pins)
        bob.trust(pins)
        try alice.addConversationKey(key, in: Self.conversation, version: "1001")
        try bob.addConversationKey(key, in: Self.conversation, version: "1001")
        self.alice = alice
        self.bob = bob
        others = try PrivateKeys.generate(suite)
    }

    /// A message of Alice.
    public func message(_ text: String) throws -> SealedMessage {
        try alice.seal(.text(text), in: Self.conversation)
    }

    /// A message of Alice as Bob gets it: base64.
    public func line(_ text: String) throws -> String {
        Base64.encode(try message(text).event.encoded())
    }

    /// Alice in a group of `count` members; the others share a key pair.
    public func aliceInGroup(of count: Int) throws -> Session {
        var alice = alice
        let keys = try (1..<max(1, count)).map { try others.verifiedKey(userID: Self.other($0), version: "1") }
        alice.trust(keys)
        try alice.acceptMembers(["1111"] + keys.map(\.userID), of: Self.group)
        return alice
    }

    /// A key change of Alice for herself and Bob.
    public func keyChange() throws -> KeyChange {
        var alice = alice
        return try alice.prepareKeyChange(in: Self.conversation)
    }

    static func other(_ number: Int) -> UserID { UserID(String(10_000 + number)) }
}

/// A text of so many bytes.
public func text(_ count: Int) -> String { String(repeating: "x", count: count) }
