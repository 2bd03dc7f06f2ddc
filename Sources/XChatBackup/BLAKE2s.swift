import LibSodium

/// BLAKE2s of RFC 7693, which libsodium lacks, with the HMAC and HKDF that Noise builds on it.
///
/// Messages of key backups are short, so each is hashed in one piece.
package enum BLAKE2s {
    private static let blockByteCount = 64
    /// The length of a full digest: 32 bytes.
    package static let byteCount = 32

    private static let initial: [8 of UInt32] = [
        0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19,
    ]
    private static let permutations: [10 of [16 of Int]] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    ]

    /// Hashes a message.
    ///
    /// - Parameters:
    ///   - message: The message; may be empty.
    ///   - key: The key, 0 to 32 bytes; empty for a plain hash.
    ///   - count: The length of the digest, 1 to 32 bytes.
    /// - Returns: The digest.
    /// - Throws: `SodiumError` if memory is lacking. A length out of range is a programming error and traps.
    package static func hash(_ message: Span<UInt8>, key: Span<UInt8>, count: Int = byteCount) throws -> Secret {
        precondition((1...32).contains(count) && key.count <= 32)
        var state = initial
        state[0] ^= 0x0101_0000 ^ UInt32(key.count) << 8 ^ UInt32(count)
        let keyBlock = key.isEmpty ? 0 : blockByteCount
        let total = keyBlock + message.count
        var start = 0
        repeat {
            var block = [16 of UInt32](repeating: 0)
            for place in start..<min(start + blockByteCount, total) {
                let byte: UInt8 =
                    place >= keyBlock ? message[place - keyBlock] : place < key.count ? key[place] : 0
                let index = place - start
                block[index / 4] |= UInt32(byte) << UInt32(index % 4 * 8)
            }
            start += blockByteCount
            compress(&state, block, counter: UInt64(min(start, total)), isLast: start >= total)
        } while start < total
        return Secret(
            try SecretBytes(count: count) { (digest) throws(SodiumError) in
                for index in 0..<count {
                    digest[index] = UInt8(truncatingIfNeeded: state[index / 4] >> (index % 4 * 8))
                }
            }
        )
    }

    private static func compress(
        _ state: inout [8 of UInt32],
        _ block: [16 of UInt32],
        counter: UInt64,
        isLast: Bool
    ) {
        var v = [16 of UInt32](repeating: 0)
        for index in 0..<8 {
            v[index] = state[index]
            v[index + 8] = initial[index]
        }
        v[12] ^= UInt32(truncatingIfNeeded: counter)
        v[13] ^= UInt32(truncatingIfNeeded: counter >> 32)
        if isLast { v[14] = ~v[14] }
        for round in 0..<10 {
            let order = permutations[round]
            mix(&v, 0, 4, 8, 12, block[order[0]], block[order[1]])
            mix(&v, 1, 5, 9, 13, block[order[2]], block[order[3]])
            mix(&v, 2, 6, 10, 14, block[order[4]], block[order[5]])
            mix(&v, 3, 7, 11, 15, block[order[6]], block[order[7]])
            mix(&v, 0, 5, 10, 15, block[order[8]], block[order[9]])
            mix(&v, 1, 6, 11, 12, block[order[10]], block[order[11]])
            mix(&v, 2, 7, 8, 13, block[order[12]], block[order[13]])
            mix(&v, 3, 4, 9, 14, block[order[14]], block[order[15]])
        }
        for index in 0..<8 { state[index] ^= v[index] ^ v[index + 8] }
    }

    /// The function G of RFC 7693, section 3.1; its sums are modulo 2³².
    private static func mix(
        _ v: inout [16 of UInt32],
        _ a: Int,
        _ b: Int,
        _ c: Int,
        _ d: Int,
        _ x: UInt32,
        _ y: UInt32
    ) {
        func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 { word >> count | word << (32 - count) }
        v[a] = v[a] &+ v[b] &+ x
        v[d] = rotate(v[d] ^ v[a], 16)
        v[c] = v[c] &+ v[d]
        v[b] = rotate(v[b] ^ v[c], 12)
        v[a] = v[a] &+ v[b] &+ y
        v[d] = rotate(v[d] ^ v[a], 8)
        v[c] = v[c] &+ v[d]
        v[b] = rotate(v[b] ^ v[c], 7)
    }

    // MARK: HMAC and HKDF

    /// HMAC of RFC 2104.
    package static func hmac(_ message: SecretBuffer, key: Secret) throws -> Secret {
        func padded(_ mask: UInt8) -> SecretBuffer {
            let buffer = SecretBuffer()
            key.withBytes { key in
                for index in 0..<blockByteCount { buffer.append([(index < key.count ? key[index] : 0) ^ mask]) }
            }
            return buffer
        }
        precondition(key.count <= blockByteCount)
        let inner = padded(0x36)
        message.withBytes { inner.append($0) }
        let outer = padded(0x5C)
        outer.append(try inner.withBytes { try hash($0, key: Span()) })
        return try outer.withBytes { try hash($0, key: Span()) }
    }

    /// HKDF with two outputs, as the Noise protocol framework defines it in section 4.3.
    package static func hkdf(chainingKey: Secret, input: Secret) throws -> (first: Secret, second: Secret) {
        func buffer(_ secret: Secret?, _ last: [UInt8]) -> SecretBuffer {
            let buffer = SecretBuffer()
            if let secret { buffer.append(secret) }
            buffer.append(last)
            return buffer
        }
        let temporary = try hmac(buffer(input, []), key: chainingKey)
        let first = try hmac(buffer(nil, [1]), key: temporary)
        let second = try hmac(buffer(first, [2]), key: temporary)
        return (first, second)
    }

    /// The keyed hash of a label and several parts, each preceded by its length in four bytes.
    ///
    /// - Parameters:
    ///   - label: The purpose of the hash.
    ///   - parts: The parts.
    ///   - key: The key, 32 bytes.
    ///   - count: The length of the hash, 16 or 32 bytes.
    /// - Returns: The hash.
    /// - Throws: `SodiumError` if memory is lacking.
    package static func mac(_ label: String, _ parts: [Secret], key: Secret, count: Int) throws -> Secret {
        let buffer = SecretBuffer()
        buffer.append(bigEndian: UInt32(label.utf8.count))
        buffer.append(label)
        for part in parts {
            buffer.append(bigEndian: UInt32(part.count))
            buffer.append(part)
        }
        return try buffer.withBytes { message in try key.withBytes { try hash(message, key: $0, count: count) } }
    }
}
