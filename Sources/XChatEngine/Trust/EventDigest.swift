import LibSodium
import XChatEvents

/// The digest that identifies a signed event: BLAKE2b-256 over the signing public key and the signed text.
///
/// Message ids and sequence ids do not identify an event, because senders choose message ids and the server chooses
/// sequence ids. Two events have the same digest only if the same key signed the same text; the envelope does not
/// matter.
public struct EventDigest: Hashable, Sendable {
    /// The length in bytes.
    static let byteCount = 32

    /// The digest, 32 bytes.
    public let bytes: [UInt8]

    /// Computes the digest of a text that a key signed.
    ///
    /// - Throws: `unsupported` if libsodium cannot be initialised.
    init(signedBy key: SigningPublicKey, text: [UInt8]) throws(XChatError) {
        try self.init(ofParts: [key.spki, text])
    }

    /// Computes the digest of several parts, each after its length.
    init(ofParts parts: [[UInt8]]) throws(XChatError) {
        let input = lengthPrefixed(parts)
        do {
            bytes = try GenericHash.hash(input.span)
        } catch {
            throw XChatError(.unsupported, "libsodium could not compute a digest: \(error)")
        }
    }

    /// Computes the digest of the bytes of an event that has no verified signature.
    ///
    /// - Throws: `unsupported` if libsodium cannot be initialised.
    package init(ofBytes bytes: [UInt8]) throws(XChatError) {
        try self.init(ofParts: [bytes])
    }

    /// Restores a stored digest; nil for a length other than 32 bytes.
    package init?(stored bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }
}

/// Concatenates parts, each after its length in four bytes, so that the boundaries of the parts are unambiguous.
func lengthPrefixed(_ parts: [[UInt8]]) -> [UInt8] {
    var bytes: [UInt8] = []
    for part in parts {
        let count = UInt32(clamping: part.count)
        bytes += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) }
        bytes += part
    }
    return bytes
}
