/// A fixed DER header before a public key.
///
/// This library compares headers byte for byte, because general DER importers accept headers that name another curve.
struct SubjectPublicKeyInfo {
    let header: [UInt8]
    let keyLength: Int

    /// id-ecPublicKey with prime256v1 (RFC 5480), then a SEC1 point of 65 bytes.
    static let p256 = SubjectPublicKeyInfo(
        header: [
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
            0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
        ],
        keyLength: 65
    )
    /// id-X25519 (RFC 8410 section 4), then 32 bytes.
    static let x25519 = rfc8410(lastArc: 0x6e)
    /// id-Ed25519 (RFC 8410 section 4), then 32 bytes.
    static let ed25519 = rfc8410(lastArc: 0x70)

    private static func rfc8410(lastArc: UInt8) -> SubjectPublicKeyInfo {
        SubjectPublicKeyInfo(
            header: [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, lastArc, 0x03, 0x21, 0x00],
            keyLength: 32
        )
    }

    func encoding(_ key: [UInt8]) -> [UInt8] { header + key }

    /// Whether the bytes are exactly this header followed by a key of the right length.
    func isHeader(of encoded: [UInt8]) -> Bool {
        encoded.count == header.count + keyLength && encoded.starts(with: header)
    }

    /// The key after the header; nil if the bytes do not start with exactly this header or have another length.
    func key(in encoded: [UInt8]) -> [UInt8]? {
        guard isHeader(of: encoded) else { return nil }
        return Array(encoded[header.count...])
    }
}
