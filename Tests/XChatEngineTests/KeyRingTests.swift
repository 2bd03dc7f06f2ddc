import Testing
import XChatEvents

@testable import XChatEngine

@Suite struct KeyRingTests {
    private let conversation = Pair.conversation

    @Test func `the newest key has the highest number, in whatever order keys come`() throws {
        let versions: [KeyVersion] = ["9", "10", "8", "7"]
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 0, 1]] {
            var ring = KeyRing()
            for index in order {
                let key = AcceptedKey(key: try ConversationKey.generate())
                #expect(ring.accept(key, in: conversation, version: versions[index]) == .accepted)
            }
            #expect(ring.newestVersion(in: conversation) == "10")
            #expect(ring.newestVersion(in: conversation, upTo: 9) == "9")
            #expect(ring.highestVersion(of: conversation) == 10)
            ring.keep(
                try ConversationKey.generate(),
                in: conversation,
                version: "11",
                level: .announced,
                announcer: "1"
            )
            #expect(ring.newestVersion(in: conversation) == "10")
            #expect(ring.conversations == [conversation])
        }
    }

    @Test func `the first accepted key of a version stays, and a second one disputes the version`() throws {
        var ring = KeyRing()
        let (first, second) = (try ConversationKey.generate(), try ConversationKey.generate())
        #expect(ring.accept(AcceptedKey(key: first), in: conversation, version: "5") == .accepted)
        #expect(ring.accept(AcceptedKey(key: first), in: conversation, version: "5") == .known)
        #expect(!ring.isDisputed("5", in: conversation))
        #expect(ring.accept(AcceptedKey(key: second), in: conversation, version: "5") == .disputed)
        #expect(ring.isDisputed("5", in: conversation))
        #expect(ring.acceptedKey(in: conversation, version: "5")?.isEqual(to: first) == true)
    }

    @Test func `a key that was announced before another one is accepted disputes its version`() throws {
        var ring = KeyRing()
        ring.keep(try ConversationKey.generate(), in: conversation, version: "5", level: .unverified, announcer: nil)
        #expect(
            ring.accept(AcceptedKey(key: try ConversationKey.generate()), in: conversation, version: "5") == .accepted
        )
        #expect(!ring.isDisputed("5", in: conversation))
        ring.keep(try ConversationKey.generate(), in: conversation, version: "6", level: .announced, announcer: "1")
        #expect(
            ring.accept(AcceptedKey(key: try ConversationKey.generate()), in: conversation, version: "6") == .accepted
        )
        #expect(ring.isDisputed("6", in: conversation))
    }

    @Test func `any number of unverified keys leaves room for a verified one`() throws {
        var ring = KeyRing()
        for _ in 0..<3 * KeyRing.maximumPerVersion {
            ring.keep(
                try ConversationKey.generate(),
                in: conversation,
                version: "5",
                level: .unverified,
                announcer: nil
            )
        }
        #expect(ring.others(in: conversation, version: "5").count == KeyRing.maximumPerVersion)
        let signed = try ConversationKey.generate()
        ring.keep(signed, in: conversation, version: "5", level: .announced, announcer: "1")
        #expect(ring.others(in: conversation, version: "5").first?.key.isEqual(to: signed) == true)
    }

    @Test func `two spellings of a number are one version`() throws {
        var ring = KeyRing()
        let (first, second) = (try ConversationKey.generate(), try ConversationKey.generate())
        #expect(ring.accept(AcceptedKey(key: first), in: conversation, version: "1001") == .accepted)
        #expect(ring.accept(AcceptedKey(key: first), in: conversation, version: "01001") == .known)
        #expect(ring.accept(AcceptedKey(key: second), in: conversation, version: "01001") == .disputed)
        #expect(ring.newestVersion(in: conversation) == "1001")
        #expect(ring.isDisputed("1001", in: conversation))
    }

    @Test func `who announces many keys uses up no one else's room`() throws {
        var ring = KeyRing()
        let key = try ConversationKey.generate()
        func accept(_ number: Int, by user: UserID?, isOwn: Bool = false) -> KeyRing.Acceptance {
            let accepted = AcceptedKey(key: key, announcer: user, isOwn: isOwn)
            return ring.accept(accepted, in: conversation, version: KeyVersion(String(number)))
        }
        #expect(accept(10, by: "2222") == .accepted)
        for number in 100..<99 + KeyRing.maximumVersions { #expect(accept(number, by: "3333") == .accepted) }
        #expect(ring.versions(in: conversation).count == KeyRing.maximumVersions)
        // The oldest key of 3333 is displaced, and still decrypts.
        #expect(accept(90_000, by: "2222") == .accepted)
        #expect(ring.versions(in: conversation).count == KeyRing.maximumVersions)
        #expect(ring.acceptedKey(in: conversation, version: "100") == nil)
        #expect(ring.others(in: conversation, version: "100").count == 1)
        #expect(ring.acceptedKey(in: conversation, version: "10") != nil)
        // A key older than those of 3333 is refused, unless this account made it.
        #expect(accept(5, by: "2222") == .full)
        #expect(accept(6, by: "1111", isOwn: true) == .accepted)
    }

    @Test func `keys up to the floor do not encrypt, later own ones do`() throws {
        var ring = KeyRing()
        func accept(_ version: KeyVersion) throws {
            _ = ring.accept(AcceptedKey(key: try ConversationKey.generate()), in: conversation, version: version)
        }
        func isStale(_ version: KeyVersion) -> Bool? { ring.accepted(in: conversation, version: version)?.isStale }
        try accept("5")
        try accept("90")
        ring.retireKeys(of: conversation, floor: 50)
        try accept("50")
        try accept("51")
        #expect(["5", "90", "50", "51"].map(isStale) == [true, true, true, false])
        let key = try #require(ring.acceptedKey(in: conversation, version: "50"))
        ring.adopt(AcceptedKey(key: key), in: conversation, version: "50")
        #expect(isStale("50") == false)
        // Another key of the version says nothing about the accepted one.
        ring.adopt(AcceptedKey(key: key), in: conversation, version: "90")
        #expect(isStale("90") == true)
        // Users who are known to have the key stay known.
        for user: UserID in ["8", "7"] {
            ring.adopt(AcceptedKey(key: key, isStale: true, outsiders: [user]), in: conversation, version: "50")
        }
        #expect(isStale("50") == true)
        #expect(ring.accepted(in: conversation, version: "50")?.outsiders == ["7", "8"])
    }
}
