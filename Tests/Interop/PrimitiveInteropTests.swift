import LibSodium
import Testing
import XChatEvents

/// The primitives of metadata and media, compared with the SDK's calls for them.
@Suite(.enabled(if: Peer.isWanted, Peer.absence))
struct PrimitiveInteropTests {
    @Test func `boxes around a text open on both sides`() throws {
        let peer = try Peer()
        var texts = RandomTexts()
        let drafts = texts.take(200)
        for (index, text) in drafts.enumerated() {
            let key = try Sodium.randomBytes(count: SecretBox.keyByteCount)
            let place: Comment = "text \(index), seed \(texts.seed)"
            let bytes = Array(text.utf8)

            let ours = try SecretBox.seal(bytes.span, key: key.span)
            let decrypted = try peer.call(
                "decrypt",
                of: "sdk",
                ["ciphertext_b64": .string(Base64.encode(ours)), "conversation_key": .bytes(key)],
                returning: String.self
            )
            #expect(Array(decrypted.utf8) == bytes, place)

            let theirs = try peer.call(
                "encrypt",
                of: "sdk",
                ["plaintext": .string(text), "conversation_key": .bytes(key)],
                returning: String.self
            )
            let box = try Base64.decode(theirs)
            #expect(try SecretBox.open(box.span, key: key.span) == bytes, place)
        }
        report(2 * drafts.count, "boxes, half of them sealed by us, seed \(texts.seed)")
    }

    @Test func `streams of any length open on both sides`() throws {
        let peer = try Peer()
        // Lengths around that of one media frame, 1024 bytes, and of several frames.
        let counts = [1, 2, 1023, 1024, 1025, 2047, 2048, 2049, 10240, 100_000]
        for count in counts {
            try compareStreams(of: count, peer)
        }
        report(2 * counts.count, "streams, half of them sealed by us")
    }

    private func compareStreams(of count: Int, _ peer: Peer) throws {
        let key = try Sodium.randomBytes(count: SecretStream.keyByteCount)
        let plaintext = try Sodium.randomBytes(count: count)

        var push = try SecretStream.Push(key: key.span)
        var ours = push.header
        for start in stride(from: 0, to: count, by: 1024) {
            let chunk = Array(plaintext[start..<min(start + 1024, count)])
            try push.push(chunk.span, tag: start + 1024 >= count ? .final : .message, appendingTo: &ours)
        }
        let decrypted = try peer.call(
            "decrypt_stream",
            of: "sdk",
            ["encrypted": .bytes(ours), "conversation_key": .bytes(key)],
            returning: Bytes.self
        )
        #expect(decrypted.bytes == plaintext, "\(count) bytes")

        let theirs = try peer.call(
            "encrypt_stream",
            of: "sdk",
            ["plaintext": .bytes(plaintext), "conversation_key": .bytes(key)],
            returning: Bytes.self
        ).bytes
        let header = Array(theirs.prefix(SecretStream.headerByteCount))
        var pull = try SecretStream.Pull(header: header.span, key: key.span)
        var opened: [UInt8] = []
        for start in stride(from: header.count, to: theirs.count, by: 1041) {
            let frame = Array(theirs[start..<min(start + 1041, theirs.count)])
            _ = try pull.pull(frame.span, appendingTo: &opened)
        }
        #expect(pull.isEnded == true)
        #expect(opened == plaintext, "\(count) bytes")
    }
}
