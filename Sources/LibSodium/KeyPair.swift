/// A public key and its secret key.
///
/// Use a pair only with the type that made it: ``Sign``, ``SealedBox`` or ``KeyExchange``.
@frozen
public struct KeyPair: ~Copyable, Sendable {
    /// The public key: 32 bytes.
    public let publicKey: [UInt8]
    /// The secret key: 32 bytes, or 64 for ``Sign``.
    public let secretKey: SecretBytes

    init(publicKey: [UInt8], secretKey: consuming SecretBytes) {
        self.publicKey = publicKey
        self.secretKey = secretKey
    }

    /// Creates a pair from the output of one call to libsodium.
    ///
    /// - Parameters:
    ///   - publicCount: The length of the public key in bytes.
    ///   - secretCount: The length of the secret key in bytes.
    ///   - failure: Thrown when `call` does not return 0.
    ///   - call: Writes the public key first, the secret key second.
    /// - Throws: `failure`, `initializationFailed`.
    init(
        publicCount: Int,
        secretCount: Int,
        failure: SodiumError,
        madeBy call: (UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<UInt8>) -> CInt
    ) throws(SodiumError) {
        var publicKey = [UInt8](repeating: 0, count: publicCount)
        secretKey = try unsafe SecretBytes(count: secretCount, failure: failure) { secret in
            unsafe publicKey.withUnsafeMutableBufferPointer { buffer in
                guard let start = buffer.baseAddress else { return -1 }
                return unsafe call(start, secret)
            }
        }
        self.publicKey = publicKey
    }
}
