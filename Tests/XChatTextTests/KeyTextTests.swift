import Testing
import XChat
import XChatEngine
import XChatEvents
import XChatText

struct KeyTextTests {
    /// Keys under a version that a server made up.
    private func key(_ version: KeyVersion, user: UserID = "2222") throws -> VerifiedPublicKey {
        try PrivateKeys.generate().verifiedKey(userID: user, version: version)
    }

    private let padded = KeyVersion(
        "1, suite xchat" + String(repeating: " ", count: 66)
            + "fingerprint   forged\nEverything matches what was pinned."
    )

    @Test func `a pin is described on four lines, whatever its version is`() throws {
        let key = try key(padded)
        let lines = pinText(key, title: "new").split(separator: "\n", omittingEmptySubsequences: false)
        #expect(
            lines == [
                #"new: version "1, suite xchat\u{20}×66fingerprint   forged…", suite xchat"#,
                "  fingerprint   \(key.identityKey.fingerprint)", "  identity key  \(key.identityKey.base64)",
                "  signing key   \(key.signingKey.base64)",
            ]
        )
        #expect(try pinText(self.key("1"), title: "new").hasPrefix("new: version 1, suite xchat\n"))
    }

    @Test func `a listed key is one line, whatever its version and user are`() throws {
        let key = try key(padded)
        #expect(
            pinLine(key, isOwn: false)
                == "\(key.identityKey.fingerprint)  user 2222, version "
                + #""1, suite xchat\u{20}×66fingerprint   forged…", xchat"#
        )
        #expect(try pinLine(self.key("1"), isOwn: true).hasSuffix("  user 2222 (you), version 1, xchat"))
        #expect(try pinLine(self.key("1", user: "2  2"), isOwn: false).hasSuffix(#"  user "2  2", version 1, xchat"#))
    }
}
