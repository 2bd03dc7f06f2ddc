import TestSupport
import Testing
import XChatEvents

@testable import XChatEngine

/// Printing a value does not show its secrets.
@Suite struct SecretsTests {
    /// Bytes that are recognized by the first few of them, in every notation.
    private struct Secret {
        let bytes: [UInt8]

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
        }

        init(from first: UInt8) {
            bytes = (0..<32).map { first &+ $0 &* 37 }
        }

        func stands(in text: String) -> Bool {
            let spellings = [Base64.encode(Array(bytes.prefix(9))), hexadecimal(bytes.prefix(6))]
            let lowercase = text.lowercased()
            if text.contains(spellings[0]) || lowercase.contains(spellings[1]) { return true }
            // Numbers with any separator, also one in each line as in a dump.
            let numbers = text.split { !$0.isASCII || !$0.isNumber }.map { Int($0) }
            return numbers.contains(bytes.prefix(4).map { Int($0) })
        }

        private func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
            bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
    }

    private func printed(_ value: some Any) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        return ["\(value)", String(reflecting: value), dumped]
    }

    private let identity = Secret(from: 0x31)
    private let signing = Secret(from: 0x52)
    private let conversation = Secret(from: 0x73)

    @Test func `the search finds a secret in every notation`() {
        for text in printed(identity.bytes) + [Base64.encode(identity.bytes)] {
            #expect(identity.stands(in: text))
            #expect(!signing.stands(in: text))
        }
        #expect(identity.stands(in: "key: 31567BA0C5EA0F34"))
    }

    @Test(arguments: SuiteName.all)
    func `no secret is printed`(suite: SuiteName) throws {
        let prefix = suite == .sodium ? SodiumPrivateKeys.blobPrefix : []
        let blob = prefix + identity.bytes + signing.bytes
        let keys = try PrivateKeys(importing: blob.span)
        try keys.withExport { (exported) throws(XChatError) in #expect(exported.count == blob.count) }
        let key = try ConversationKey(bytes: conversation.bytes.span)

        var session = try Session(userID: "1111", privateKeys: keys, signingKeyVersion: "1")
        let own = try keys.verifiedKey(userID: "1111", version: "1")
        let peer = try PrivateKeys.generate(suite).verifiedKey(userID: "2222", version: "1")
        session.trust([own, peer])
        try session.addConversationKey(key, in: Pair.conversation, version: "5")
        let change = try session.prepareKeyChange(in: Pair.conversation, participants: [own, peer])
        let fresh = change.key.withBytes { bytes in Secret(bytes.indices.map { bytes[$0] }) }

        let texts = printed(keys) + printed(key) + printed(session) + printed(change) + printed(keys.keys)
        for secret in [identity, signing, conversation, fresh, Secret(blob), Secret(identity.bytes + signing.bytes)] {
            for text in texts { #expect(!secret.stands(in: text)) }
        }
    }
}
