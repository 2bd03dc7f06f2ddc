import Testing
import XChatEvents

@testable import XChatEngine

@Suite struct PinTests {
    @Test func `the first served keys are pinned, and the same keys are accepted again`() throws {
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

        // A lying server can sign Bob's genuine identity key with its own signing key.
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
        let bound = try VerifiedPublicKey(checking: forged)
        #expect(bound.identityKey.fingerprint == identity.fingerprint)
        #expect(code { try alice.pin([forged], of: "2222") } == .pinChanged)
        // Served as a new version together with the pinned one, it is refused too.
        forged.publicKeyVersion = "2"
        #expect(
            code { try alice.pin(bob.pins["2222"].map(\.registered) + [forged], of: "2222") }
                == .pinChanged
        )
        #expect(alice.pins["2222"].count == 1)

        // An event signed with it has an unknown signer or a wrong signature.
        let mallory = try Session(userID: "2222", privateKeys: attacker, signingKeyVersion: "1")
        let event = try forge(
            .messageDeleteEvent(
                MessageDeleteEvent(sequenceIDs: ["5"], deleteMessageAction: .deleteForAll)
            ),
            by: mallory
        )
        #expect(code { _ = try alice.open(event) } == .wrongSignature)
    }

    @Test func `an accepted change becomes current and retires every other pin`() throws {
        var alice = try person("1111")
        let (old, new) = (try PrivateKeys.generate(), try PrivateKeys.generate())
        let first = try old.verifiedKey(userID: "2222", version: "1")
        let second = try old.verifiedKey(userID: "2222", version: "2")
        let changed = try new.verifiedKey(userID: "2222", version: "2")
        try alice.pin([first.registered, second.registered], of: "2222")
        #expect(alice.pins.current(of: "2222")?.version == "2")
        #expect(alice.pins.isRetired(first))
        let changes = alice.pins.changes(in: [first, changed], of: "2222")
        #expect(changes == [changed])
        try alice.acceptChange([first, changed])
        #expect(alice.pins.current(of: "2222") == changed)
        #expect(alice.pins["2222"].map(alice.pins.isRetired) == [true, true, false])
        // All served keys were accepted, so they are no change the next time.
        try alice.pin([first.registered, changed.registered], of: "2222")
    }

    @Test func `a server that serves replaced keys alone rolls back`() throws {
        var alice = try person("1111")
        let old = try PrivateKeys.generate().verifiedKey(userID: "2222", version: "1")
        let new = try PrivateKeys.generate().verifiedKey(userID: "2222", version: "2")
        try alice.pin([old.registered], of: "2222")
        try alice.acceptChange([old, new])
        #expect(code { try alice.pin([old.registered], of: "2222") } == .pinRolledBack)
        #expect(code { try alice.pin([old.registered, new.registered], of: "2222") } == nil)
    }

    @Test func `a retired key verifies with a mark, announces nothing, and gets no key`() throws {
        let pair = try Pair()
        let newKeys = try PrivateKeys.generate()
        let new = try newKeys.verifiedKey(userID: "1111", version: "2")
        var bob = pair.bob
        bob.trust([try #require(bob.privateKeys).verifiedKey(userID: "2222", version: "1")])
        _ = try bob.open(pair.change.event)
        #expect(try bob.encryptingVersion(in: Pair.conversation) == pair.change.version)
        try bob.acceptChange([new])
        // No key that was wrapped to the old identity key is used to encrypt any more.
        #expect(code { _ = try bob.encryptingVersion(in: Pair.conversation) } == .rotationNeeded)
        let change = try bob.prepareKeyChange(in: Pair.conversation)
        #expect(change.participantKeys.first { $0.userID == "1111" }?.publicKeyVersion == "2")
        let message = try pair.alice.seal(.text("by the thief"), in: Pair.conversation).event
        #expect(try bob.open(message).marks == [.retiredKey])
        var thief = pair.alice
        let announced = try thief.prepareKeyChange(in: Pair.conversation)
        #expect(try bob.open(announced.event).marks == [.retiredKey])
        #expect(bob.keyRing.acceptedKey(in: Pair.conversation, version: announced.version) == nil)
    }

    @Test func `more than 16 served keys of one user are refused`() throws {
        var alice = try person("1111")
        let keys = try PrivateKeys.generate()
        let served = try (1...17).map {
            try keys.verifiedKey(userID: "2222", version: KeyVersion(String($0))).registered
        }
        #expect(code { try alice.pin(served, of: "2222") } == .tooLarge)
        try alice.pin(Array(served.prefix(16)), of: "2222")
        #expect(alice.pins.current(of: "2222")?.version == "16")
    }

    @Test func `keys that failed a check are not pinned on first use, and can be accepted`() throws {
        var alice = try person("1111")
        let key = try PrivateKeys.generate().verifiedKey(userID: "2222", version: "1")
        let other = try PrivateKeys.generate().verifiedKey(userID: "2222", version: "1")
        try alice.rejectKeys([key])
        #expect(code { try alice.pin([key.registered], of: "2222") } == .pinRejected)
        #expect(alice.pins["2222"].isEmpty)
        var another = alice
        try another.pin([other.registered], of: "2222")
        try alice.acceptChange([key])
        try alice.pin([key.registered], of: "2222")
        #expect(alice.pins.rejected.isEmpty)
    }

    @Test func `after 64 rejected keys of a user no key is pinned that a person did not accept`() throws {
        var alice = try person("1111")
        let keys = try (1...66).map { _ in try PrivateKeys.generate().verifiedKey(userID: "2222", version: "1") }
        for key in keys.prefix(65) { try alice.rejectKeys([key]) }
        let state = try #require(alice.state(of: "2222" as UserID)).encoded()
        var restored = try person("1111")
        restored.restore(try UserState(decoding: state))
        for session in [alice, restored] {
            var session = session
            for key in keys.suffix(2) {
                #expect(code { try session.pin([key.registered], of: "2222") } == .pinRejected)
            }
            #expect(session.pins["2222"].isEmpty)
            // A rejected key that is accepted makes no place for the keys that were not recorded.
            try session.acceptChange([keys[0]], servedWith: [keys[64]])
            #expect(session.pins["2222"].map { $0.isSamePin(as: keys[0]) } == [true])
            try session.pin([keys[0].registered], of: "2222")
            #expect(code { try session.pin([keys[0], keys[64]].map(\.registered), of: "2222") } == .pinChanged)
            session.forget(["2222"])
            #expect(code { try session.pin([keys[64].registered], of: "2222") } == .pinRejected)
        }
        // The limit is that of one user.
        let other = try PrivateKeys.generate().verifiedKey(userID: "3333", version: "1")
        try alice.pin([other.registered], of: "3333")
    }

    @Test func `a safety code is the same for both users and covers all four keys and both ids`() throws {
        let (one, other) = (try PrivateKeys.generate(), try PrivateKeys.generate())
        let alice = try one.verifiedKey(userID: "11", version: "1")
        let bob = try other.verifiedKey(userID: "9", version: "1")
        let code = try SafetyCode(alice, bob)
        #expect(try SafetyCode(bob, alice) == code)
        #expect(code.digits.utf8.count == 60)
        #expect(code.description.split(separator: " ").map(\.utf8.count) == Array(repeating: 5, count: 12))
        // The user with the numerically smaller id comes first.
        let third = try PrivateKeys.generate().verifiedKey(userID: "12", version: "1")
        #expect(try SafetyCode(bob, third).digits.prefix(30) == code.digits.prefix(30))
        // The safety code does not cover the version: a key that is registered again has the same code.
        #expect(try SafetyCode(try one.verifiedKey(userID: "11", version: "7"), bob) == code)
        #expect(try SafetyCode(try one.verifiedKey(userID: "13", version: "1"), bob) != code)
        // A signing key of the server, combined with the genuine identity key.
        let identity = one.identityKey
        let forger = try PrivateKeys.generate()
        let forged = try VerifiedPublicKey(
            checking: RegisteredKey(
                userID: "11",
                publicKeyVersion: "1",
                publicKey: WireString(try #require(forger.signingKey).base64),
                identityPublicKey: WireString(identity.base64),
                identityPublicKeySignature: WireString(Base64.encode(try forger.keys.sign(identity.spki.span)))
            )
        )
        #expect(try SafetyCode(forged, bob) != code)
        #expect(SafetyCode(code.description) == code)
        #expect(SafetyCode(code.digits.prefix(59) + "x") == nil)
        #expect(SafetyCode(String(code.digits.prefix(59))) == nil)
    }

    @Test func `a safety code is what it was`() throws {
        // Computed by hand with Python's hashlib.blake2b from the two SPKIs of scalars 1 to 4 of the protocol's known
        // answers.
        let alice = try PrivateKeys(importing: Self.blob(1, 2).span).verifiedKey(userID: "1111", version: "1")
        let bob = try PrivateKeys(importing: Self.blob(3, 4).span).verifiedKey(userID: "2222", version: "1")
        #expect(try SafetyCode(alice, bob).description == Self.knownCode)
    }

    private static let knownCode = "59432 27033 63764 41024 15111 72101 02334 69455 59002 77122 32827 26139"

    private static func blob(_ identity: UInt8, _ signing: UInt8) -> [UInt8] {
        var blob = [UInt8](repeating: 0, count: 64)
        (blob[31], blob[63]) = (identity, signing)
        return blob
    }

    @Test func `an answer with keys of another user, unbound keys or mixed suites is refused as a whole`() throws {
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
        bob.trust([try PrivateKeys.generate().verifiedKey(userID: "1111", version: "1")])
        bob.trust(pair.alice.pins["1111"])
        #expect(try bob.open(pair.change.event).isVerified)
    }
}
