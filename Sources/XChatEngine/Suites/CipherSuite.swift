import XChatEvents

/// The name of a cipher suite.
public struct SuiteName: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The name, such as `xchat`.
    public let rawValue: String

    /// Creates a suite name from its text; whether the suite exists is checked when it is used.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// P-256 ECIES and ECDSA: the suite of X's servers and of every X Chat client.
    public static let xchat = SuiteName(rawValue: "xchat")
    /// X25519 sealed boxes and Ed25519, for deployments with their own server: X's servers do not support it.
    public static let sodium = SuiteName(rawValue: "sodium")

    /// All suites.
    public static var all: [SuiteName] { CipherSuites.all.map { $0.name } }

    /// The name itself.
    public var description: String { rawValue }
}

/// The algorithms that wrap a conversation key for an identity key and that sign a payload.
///
/// To add a suite, write a type that conforms to this protocol, and add it to ``CipherSuites/all``. Sessions, events
/// and message contents (`crypto_secretbox`) do not depend on the suite.
protocol CipherSuite: Sendable {
    static var name: SuiteName { get }

    /// Reads an identity key; nil if the bytes have no format of this suite.
    static func identityKey(encoded: [UInt8]) throws(XChatError) -> (any SuiteIdentityKey)?
    /// Reads a signing key; nil if the bytes have no format of this suite.
    static func signingKey(encoded: [UInt8]) throws(XChatError) -> (any SuiteSigningKey)?
    /// Reads the identity key from an SPKI that was parsed before it was stored; nil for an SPKI of another suite.
    ///
    /// Only the header is compared. Checks that cost more, such as whether a point is on its curve, are made at the
    /// first use.
    static func identityKey(storedSPKI spki: [UInt8]) -> (any SuiteIdentityKey)?
    /// Reads the signing key from an SPKI that was parsed before it was stored, like ``identityKey(storedSPKI:)``.
    static func signingKey(storedSPKI spki: [UInt8]) -> (any SuiteSigningKey)?

    static func generate() throws(XChatError) -> any SuitePrivateKeys
    /// Reads the private keys in a blob; nil if it has no format of this suite.
    static func privateKeys(blob: Span<UInt8>) throws(XChatError) -> (any SuitePrivateKeys)?
}

protocol SuiteIdentityKey: Sendable {
    /// DER SubjectPublicKeyInfo: the encoding that is compared, pinned and sent.
    var spki: [UInt8] { get }
    /// The encodings that a binding signature may cover; this library signs the first one.
    var boundEncodings: [[UInt8]] { get }

    func wrap(_ key: ConversationKey) throws(XChatError) -> [UInt8]
    /// Whether this identity key signed the signing key; nil if the suite's identity keys cannot sign.
    func endorses(_ signingKey: any SuiteSigningKey, signature: [UInt8]) -> Bool?
}

protocol SuiteSigningKey: Sendable {
    /// DER SubjectPublicKeyInfo: the encoding that is compared, pinned and sent.
    var spki: [UInt8] { get }
    /// The encodings over which an identity key may have signed this key.
    var boundEncodings: [[UInt8]] { get }

    func isValid(_ signature: [UInt8], for text: Span<UInt8>) -> Bool
}

protocol SuitePrivateKeys: Sendable {
    var identityKey: any SuiteIdentityKey { get }
    /// Nil for a blob with only an identity key.
    var signingKey: (any SuiteSigningKey)? { get }

    func unwrap(_ wrapped: [UInt8]) throws(XChatError) -> ConversationKey
    func sign(_ text: Span<UInt8>) throws(XChatError) -> [UInt8]
    /// The identity key's signature over the signing key; nil if the suite's identity keys cannot sign.
    func endorsement() throws(XChatError) -> [UInt8]?
    /// Passes the blob in the suite's export format to a closure.
    func withBlob<Result>(_ body: (Span<UInt8>) throws(XChatError) -> Result) throws(XChatError) -> Result
}

enum CipherSuites {
    static let all: [any CipherSuite.Type] = [P256Suite.self, SodiumSuite.self]

    static func named(_ name: SuiteName) throws(XChatError) -> any CipherSuite.Type {
        for suite in all where suite.name == name { return suite }
        throw XChatError(
            .unsupported,
            "there is no cipher suite \(printable(WireString(name.rawValue))): use xchat or sodium"
        )
    }
}
