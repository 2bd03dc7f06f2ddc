import LibSodium

/// The 32-byte key of a conversation: it encrypts messages, metadata and media.
///
/// The bytes are in memory that is wiped when the last reference is released. They never appear in a description.
public final class ConversationKey: Sendable {
    /// The length in bytes.
    public static let length = 32

    private let secret: SecretBytes

    private init(secret: consuming SecretBytes) {
        self.secret = secret
    }

    /// Creates a key from a copy of bytes.
    ///
    /// - Parameter bytes: 32 random bytes.
    /// - Throws: `invalid_key` for any other length.
    public convenience init(bytes: Span<UInt8>) throws(XChatError) {
        guard bytes.count == Self.length else {
            throw XChatError(.invalidKey, "a conversation key is \(Self.length) bytes, not \(bytes.count)")
        }
        do {
            self.init(secret: try SecretBytes(copying: bytes))
        } catch {
            throw XChatError(.unsupported, "libsodium could not store a conversation key: \(error)")
        }
    }

    /// Generates a random key (libsodium's `randombytes_buf`).
    ///
    /// - Returns: A new key.
    /// - Throws: `unsupported` if libsodium cannot start.
    public static func generate() throws(XChatError) -> ConversationKey {
        do {
            return ConversationKey(secret: try SecretBytes.random(count: length))
        } catch {
            throw XChatError(.unsupported, "libsodium could not generate a key: \(error)")
        }
    }

    /// Passes the bytes to a closure; the caller has to wipe any copy of them.
    ///
    /// - Parameter body: Reads the 32 bytes.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws.
    public func withBytes<Result: ~Copyable, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try secret.withBytes(body)
    }

    /// Encrypts with `crypto_secretbox` under a fresh nonce: `docs/protocol.md`, "Contents".
    func seal(_ plaintext: [UInt8]) throws(XChatError) -> [UInt8] {
        do {
            return try withBytes { (key) throws(SodiumError) in try SecretBox.seal(plaintext.span, key: key) }
        } catch {
            throw XChatError(.unsupported, "libsodium could not encrypt: \(error)")
        }
    }

    /// Decrypts the result of ``seal(_:)``; nothing is released unless all of it authenticates.
    func open(_ box: [UInt8]) throws(XChatError) -> [UInt8] {
        do {
            return try withBytes { (key) throws(SodiumError) in try SecretBox.open(box.span, key: key) }
        } catch {
            throw XChatError(.authenticationFailed, "the ciphertext does not authenticate")
        }
    }

    /// Whether two keys are the same, compared in constant time.
    package func isEqual(to other: ConversationKey) -> Bool {
        withBytes { left in other.withBytes { right in Sodium.isEqual(left, right) } }
    }
}
