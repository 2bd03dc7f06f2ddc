import XChatEvents

/// The name of a cipher suite.
public struct SuiteName: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The name, such as `xchat`.
    public let rawValue: String

    /// A suite name from its text; whether such a suite exists is seen when it is used.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// P-256 ECIES and ECDSA: what X's servers and every X Chat client speak.
    public static let xchat = SuiteName(rawValue: "xchat")
    /// X25519 sealed boxes and Ed25519, for deployments with a server of their own: X's servers do not know it.
    public static let sodium = SuiteName(rawValue: "sodium")

    /// Every suite there is.
    public static var all: [SuiteName] { CipherSuites.all.map { $0.name } }

    /// The name itself.
    public var description: String { rawValue }
}

/// How a conversation key is wrapped to an identity key and how a payload is signed.
///
/// A further suite is one type that conforms to this, and one entry in ``CipherSuites/all``. Sessions, events and
/// message contents (`crypto_secretbox`) do not depend on it.
protocol CipherSuite: Sendable {
    static var name: SuiteName { get }

    /// The identity key with these bytes, or nil if they have the form of no identity key of this suite.
    static func identityKey(encoded: [UInt8]) throws(XChatError) -> (any SuiteIdentityKey)?
    /// The signing key with these bytes, or nil if they have the form of no signing key of this suite.
    static func signingKey(encoded: [UInt8]) throws(XChatError) -> (any SuiteSigningKey)?
    /// The identity key of an SPKI that was parsed before it was stored, or nil if it is not one of this suite.
    ///
    /// Only the header is compared. What costs more, such as finding out whether a point is on its curve, waits for the
    /// first use.
    static func identityKey(storedSPKI spki: [UInt8]) -> (any SuiteIdentityKey)?
    /// The signing key of an SPKI that was parsed before it was stored, as ``identityKey(storedSPKI:)``.
    static func signingKey(storedSPKI spki: [UInt8]) -> (any SuiteSigningKey)?

    static func generate() throws(XChatError) -> any SuitePrivateKeys
    /// The private keys in a blob, or nil if it has the form of no blob of this suite.
    static func privateKeys(blob: Span<UInt8>) throws(XChatError) -> (any SuitePrivateKeys)?
}

protocol SuiteIdentityKey: Sendable {
    /// DER SubjectPublicKeyInfo: what is compared, pinned and sent.
    var spki: [UInt8] { get }
    /// The encodings over which a signing key may have bound this key; the first is the one that we sign.
    var boundEncodings: [[UInt8]] { get }

    func wrap(_ key: ConversationKey) throws(XChatError) -> [UInt8]
    /// Whether this identity key signed the signing key; nil where the suite's identity keys cannot sign.
    func endorses(_ signingKey: any SuiteSigningKey, signature: [UInt8]) -> Bool?
}

protocol SuiteSigningKey: Sendable {
    /// DER SubjectPublicKeyInfo: what is compared, pinned and sent.
    var spki: [UInt8] { get }
    /// The encodings over which an identity key may have signed this key.
    var boundEncodings: [[UInt8]] { get }

    func isValid(_ signature: [UInt8], for text: Span<UInt8>) -> Bool
}

protocol SuitePrivateKeys: Sendable {
    var identityKey: any SuiteIdentityKey { get }
    /// Nil for a blob that holds an identity key alone.
    var signingKey: (any SuiteSigningKey)? { get }

    func unwrap(_ wrapped: [UInt8]) throws(XChatError) -> ConversationKey
    func sign(_ text: Span<UInt8>) throws(XChatError) -> [UInt8]
    /// The identity key's signature over the signing key; nil where the suite's identity keys cannot sign.
    func endorsement() throws(XChatError) -> [UInt8]?
    /// Lends the blob in the suite's export format.
    func withBlob<Result>(_ body: (Span<UInt8>) throws(XChatError) -> Result) throws(XChatError) -> Result
}

enum CipherSuites {
    static let all: [any CipherSuite.Type] = [P256Suite.self, SodiumSuite.self]

    static func named(_ name: SuiteName) throws(XChatError) -> any CipherSuite.Type {
        for suite in all where suite.name == name { return suite }
        throw XChatError(.unsupported, "there is no cipher suite of that name; there are: xchat, sodium")
    }
}
