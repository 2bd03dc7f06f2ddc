import Testing
import XChatEngine

/// Media that this engine encrypts and the SDK decrypts, and the reverse.
@Suite(.enabled(if: Peer.isWanted, Peer.absence))
struct MediaInteropTests {
    // Sizes around one frame and several frames, and sizes that this engine decrypts on several cores.
    private static let counts = [
        0, 1, 2, 1023, 1024, 1025, 2047, 2048, 2049, 5000, 10_240, 100_000, 131_072, 1_048_576, 3_000_001,
    ]

    @Test func `files of any length decrypt on both sides`() throws {
        let peer = try Peer()
        for count in Self.counts {
            let key = try ConversationKey.generate()
            let plaintext = noise(count)

            let ours = try encrypt(plaintext, key, pieces: Int.random(in: 1...200_000))
            #expect(ours.count == MediaEncryptor.encryptedSize(of: count))
            let decrypted = try peer.call(
                "decrypt_stream",
                of: "sdk",
                ["encrypted": .bytes(ours), "conversation_key": .bytes(key.bytes)],
                returning: Bytes.self
            )
            #expect(decrypted.bytes == plaintext, "\(count) bytes of ours")

            let theirs = try peer.call(
                "encrypt_stream",
                of: "sdk",
                ["plaintext": .bytes(plaintext), "conversation_key": .bytes(key.bytes)],
                returning: Bytes.self
            ).bytes
            #expect(theirs.count == ours.count)
            for cores in [1, 2] {
                let opened = try decrypt(theirs, key, pieces: Int.random(in: 1...2_000_000), cores: cores)
                #expect(opened == plaintext, "\(count) bytes of theirs, \(cores) cores")
            }
        }
        report(2 * Self.counts.count, "files, half of them encrypted by us")
    }

    @Test func `what one side refuses, the other refuses too`() throws {
        let peer = try Peer()
        let key = try ConversationKey.generate()
        let stream = try encrypt(noise(2500), key, pieces: 2500)
        var forgeries: [[UInt8]] = [Array(stream.dropLast()), stream + [0], Array(stream[..<23]), []]
        forgeries += [Array(stream[..<(24 + 1041)]), Array(stream[..<(24 + 16)])]
        for _ in 0..<30 {
            var forged = stream
            forged[Int.random(in: stream.indices)] ^= 1 << UInt8.random(in: 0..<8)
            forgeries.append(forged)
        }
        for forged in forgeries {
            let refusal = try peer.refusal(
                "decrypt_stream",
                of: "sdk",
                ["encrypted": .bytes(forged), "conversation_key": .bytes(key.bytes)]
            )
            #expect(refusal != nil)
            do throws(XChatError) {
                _ = try decrypt(forged, key, pieces: 1000, cores: 1)
                Issue.record("a forged stream decrypts")
            } catch {
                #expect(error.code == .authenticationFailed)
            }
        }
        report(forgeries.count, "altered files")
    }

    private func noise(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            unsafe withUnsafeBytes(of: generator.next()) { unsafe bytes.append(contentsOf: $0) }
        }
        return Array(bytes.prefix(count))
    }

    private func encrypt(_ plaintext: [UInt8], _ key: ConversationKey, pieces: Int) throws(XChatError) -> [UInt8] {
        var encryptor = try MediaEncryptor(key: key)
        var stream: [UInt8] = []
        for start in stride(from: 0, to: plaintext.count, by: pieces) {
            let piece = Array(plaintext[start..<min(start + pieces, plaintext.count)])
            try encryptor.push(piece, appendingTo: &stream)
        }
        try encryptor.finish(appendingTo: &stream)
        return stream
    }

    private func decrypt(
        _ stream: [UInt8],
        _ key: ConversationKey,
        pieces: Int,
        cores: Int
    ) throws(XChatError) -> [UInt8] {
        var decryptor = MediaDecryptor(key: key, cores: cores)
        var plaintext: [UInt8] = []
        for start in stride(from: 0, to: stream.count, by: pieces) {
            let piece = Array(stream[start..<min(start + pieces, stream.count)])
            try decryptor.push(piece, appendingTo: &plaintext)
        }
        try decryptor.finish(appendingTo: &plaintext)
        return plaintext
    }
}
