import LibSodium
import XChatEngine
import XChatEvents

/// Two users with a conversation key, a group of a hundred members, and messages to open.
struct BenchFixture {
    static let conversation = ConversationID(canonicalizing: "1111:2222")
    static let group = ConversationID(canonicalizing: "g1000")
    static let memberCount = 100

    let alice: Session
    let bob: Session
    let bobsKeys: PrivateKeys
    let key: ConversationKey
    let keyVersion: KeyVersion
    let members: [VerifiedPublicKey]

    private let batchCount: Int

    init(_ suite: SuiteName, batchCount: Int) throws(XChatError) {
        self.batchCount = batchCount
        let alicesKeys = try PrivateKeys.generate(suite)
        bobsKeys = try PrivateKeys.generate(suite)
        let pins = [
            try alicesKeys.verifiedKey(userID: "1111", version: "1"),
            try bobsKeys.verifiedKey(userID: "2222", version: "1"),
        ]
        var alice = try Session(userID: "1111", privateKeys: alicesKeys, signingKeyVersion: "1")
        var bob = try Session(userID: "2222", privateKeys: bobsKeys, signingKeyVersion: "1")
        key = try ConversationKey.generate()
        keyVersion = "1001"
        alice.trust(pins)
        bob.trust(pins)
        try alice.addConversationKey(key, in: Self.conversation, version: keyVersion)
        try bob.addConversationKey(key, in: Self.conversation, version: keyVersion)
        var members = [pins[0]]
        for number in 1..<Self.memberCount {
            let user = UserID(String(10_000 + number))
            members.append(try PrivateKeys.generate(suite).verifiedKey(userID: user, version: "1"))
        }
        self.members = members
        alice.trust(members)
        try alice.acceptMembers(members.map(\.userID), of: Self.group)
        self.alice = alice
        self.bob = bob
    }

    static func text(_ count: Int) -> String {
        String(repeating: "x", count: count)
    }

    func sealed(_ text: String) throws(XChatError) -> SealedMessage {
        try alice.seal(.message(MessageDraft(text)), in: Self.conversation)
    }

    /// Messages in the form of a history: the base64 of one event each.
    func batch() throws(XChatError) -> [String] {
        let text = Self.text(200)
        var lines: [String] = []
        for _ in 0..<batchCount { lines.append(Base64.encode(try sealed(text).event.encoded())) }
        return lines
    }
}
