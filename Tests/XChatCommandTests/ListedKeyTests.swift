import TestSupport
import Testing
import XChat
import XChatEngine
import XChatEvents
import XChatText

struct ListedKeyTests {
    /// Keys under a version that a server made up.
    private func key(_ version: KeyVersion, user: UserID = "2222") throws -> VerifiedPublicKey {
        try PrivateKeys.generate().verifiedKey(userID: user, version: version)
    }

    private let padded = KeyVersion(
        "1, suite xchat" + String(repeating: " ", count: 66)
            + "fingerprint   forged\nEverything matches what was pinned."
    )

    @Test func `keys list quotes a version that is no number`() async throws {
        let fixture = try Fixture()
        let (own, other) = (try fixture.bound("1111").registered, try key(padded))
        let path = try fixture.file(of: "1111") { $0["signing_keys"] = [own.json, other.registered.json] }
        let listed = try await Program.run("keys", "list", "--session", path)
        let lines = [pinLine(try fixture.bound("1111"), isOwn: true), pinLine(other, isOwn: false)]
        // A state may also refuse to load a key under such a version.
        #expect(listed.lines == lines || listed.lines == [lines[0]])
    }
}
