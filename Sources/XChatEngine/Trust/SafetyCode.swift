import LibSodium
import XChatEvents

/// 60 digits that two users compare to check that each has the other's genuine keys.
///
/// A code covers the id, the identity key and the signing key of both users. Both users see the same code, and it
/// changes if any of these changes. X's fingerprint covers only the identity key, so it does not reveal a signing key
/// that an attacker replaced.
public struct SafetyCode: Hashable, Sendable, CustomStringConvertible {
    /// 60 ASCII digits: 30 for each user, the user with the smaller id first.
    public let digits: String

    /// Computes the code of two users.
    ///
    /// - Throws: `invalid_argument` for two keys of one user; `unsupported` if libsodium cannot be initialised.
    public init(_ one: VerifiedPublicKey, _ other: VerifiedPublicKey) throws(XChatError) {
        guard one.userID != other.userID else {
            throw XChatError(
                .invalidArgument,
                "a safety code needs the keys of two different users, and both keys are of user \(printable(one.userID))"
            )
        }
        let (first, second) = one.userID.isSmaller(than: other.userID) ? (one, other) : (other, one)
        digits = try Self.half(of: first) + Self.half(of: second)
    }

    /// Reads a code that a person typed: 60 digits, with spaces, hyphens or line ends between them.
    ///
    /// Nil for anything else.
    /// - Parameter text: At most 200 bytes.
    public init?(_ text: String) {
        guard text.utf8.count <= 200 else { return nil }
        let separators: [UInt8] = [0x20, 0x0A, 0x0D, 0x2D]
        let bytes = text.utf8.filter { !separators.contains($0) }
        guard bytes.count == 60, bytes.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        digits = String(decoding: bytes, as: UTF8.self)
    }

    /// The digits in 12 groups of 5, with spaces between them.
    public var description: String {
        let bytes = Array(digits.utf8)
        return stride(from: 0, to: bytes.count, by: 5)
            .map { String(decoding: bytes[$0..<min($0 + 5, bytes.count)], as: UTF8.self) }
            .joined(separator: " ")
    }

    /// Six numbers below 100,000, each from 5 bytes of a BLAKE2b-512 digest.
    private static func half(of key: VerifiedPublicKey) throws(XChatError) -> String {
        let domain = Array("swift-xchat safety code 1".utf8)
        let input = lengthPrefixed([domain, Array(key.userID.utf8), key.identityKey.spki, key.signingKey.spki])
        let digest: [UInt8]
        do {
            digest = try GenericHash.hash(input.span, count: 64)
        } catch {
            throw XChatError(.unsupported, "libsodium could not compute the safety code: \(error)")
        }
        return (0..<6).map { group in
            let number = digest[group * 5..<group * 5 + 5].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } % 100_000
            let digits = String(number)
            return String(repeating: "0", count: 5 - digits.utf8.count) + digits
        }.joined()
    }
}
