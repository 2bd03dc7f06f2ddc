import Testing
import XChatEvents

@testable import XChat

@Suite struct PinTests {
    @Test func `what the server serves first is pinned, and the same again is fine`() throws {
        var alice = try person("1111")
        let bob = try person("2222")
        let served = bob.pins["2222"].map(\.registered)
        try alice.pin(served, of: "2222")
        #expect(alice.pins["2222"].count == 1)
        try alice.pin(served, of: "2222")
        try alice.pin([], of: "2222")
        #expect(alice.pins["2222"].count == 1)
    }

    @Test func `a fresh signing key bound to the victim's genuine identity key is a changed pin`()
        throws
    {
        var alice = try person("1111")
        let bob = try person("2222")
        try alice.pin(bob.pins["2222"].map(\.registered), of: "2222")

        // What a lying server can do: sign Bob's real identity key with a signing key of its own.
        let identity = try #require(bob.privateKeys).identityKey
        let attacker = try PrivateKeys.generate()
        var forged = RegisteredKey(
            userID: "2222",
            publicKeyVersion: "1",
            publicKey: WireString(try #require(attacker.signingKey).base64),
            identityPublicKey: WireString(identity.base64),
            identityPublicKeySignature: WireString(
                Base64.encode(try attacker.keys.sign(identity.spki.span))
            )
        )
        let bound = try BoundKey(checking: forged)
        #expect(bound.identityKey.fingerprint == identity.fingerprint)
        #expect(code { try alice.pin([forged], of: "2222") } == .pinChanged)
        // As a new version beside the pinned one it is no better.
        forged.publicKeyVersion = "2"
        #expect(
            code { try alice.pin(bob.pins["2222"].map(\.registered) + [forged], of: "2222") }
                == .pinChanged
        )
        #expect(alice.pins["2222"].count == 1)

        // And an event signed with it stays the event of an unknown or wrong signer.
        let mallory = try Session(userID: "2222", privateKeys: attacker, signingKeyVersion: "1")
        let event = try forge(
            .messageDeleteEvent(
                MessageDeleteEvent(sequenceIDs: ["5"], deleteMessageAction: .deleteForAll)
            ),
            by: mallory
        )
        #expect(code { _ = try alice.open(event) } == .wrongSignature)
    }

    @Test func `an accepted change takes the place of its version and leaves the others`() throws {
        var alice = try person("1111")
        let old = try PrivateKeys.generate()
        let new = try PrivateKeys.generate()
        let first = try old.boundKey(userID: "2222", version: "1")
        let second = try old.boundKey(userID: "2222", version: "2")
        let changed = try new.boundKey(userID: "2222", version: "2")
        try alice.pin([first.registered, second.registered], of: "2222")
        let changes = alice.pins.changes(in: [first, changed], of: "2222")
        #expect(changes.map(\.version) == ["2"])
        alice.acceptChange(changes)
        #expect(alice.pins["2222"].map(\.identityKey) == [first.identityKey, changed.identityKey])
    }

    @Test func `of several keys of one version all that are accepted stay, and may be served again`() throws {
        var alice = try person("1111")
        let keys = try (0..<3).map { _ in try PrivateKeys.generate().boundKey(userID: "2222", version: "1") }
        try alice.pin([keys[0].registered], of: "2222")
        let served = keys.map(\.registered)
        #expect(code { try alice.pin(served, of: "2222") } == .pinChanged)
        #expect(alice.pins.changes(in: keys, of: "2222").map(\.signingKey) == keys[1...].map(\.signingKey))
        alice.acceptChange(keys)
        #expect(alice.pins["2222"].map(\.signingKey) == keys.map(\.signingKey))
        try alice.pin(served, of: "2222")
        alice.acceptChange(Array(keys[1...]))
        #expect(alice.pins["2222"].map(\.signingKey) == keys[1...].map(\.signingKey))
    }

    @Test func `served keys of another user, unbound keys and mixed suites are refused whole`() throws {
        var alice = try person("1111")
        let bob = try person("2222").pins["2222"].map(\.registered)
        #expect(code { try alice.pin(bob, of: "3333") } == .invalidArgument)
        var unbound = bob[0]
        unbound.publicKeyVersion = "2"
        unbound.identityPublicKeySignature = WireString(Base64.encode([UInt8](repeating: 1, count: 64)))
        #expect(code { try alice.pin(bob + [unbound], of: "2222") } == .invalidKey)
        #expect(alice.pins["2222"].isEmpty)
    }

    @Test func `every trusted key of the version is tried`() throws {
        let pair = try Pair()
        var bob = try Session(userID: "2222", privateKeys: pair.bob.privateKeys, signingKeyVersion: "1")
        bob.trust([try PrivateKeys.generate().boundKey(userID: "1111", version: "1")])
        bob.trust(pair.alice.pins["1111"])
        #expect(try bob.open(pair.change.event).isVerified)
    }
}
