import CSodium

/// X25519, the multiplication of a point of Curve25519 by a scalar (`crypto_scalarmult`).
///
/// The result is not a key: its bits are not uniform, and several public keys lead to the same result. Hash it together
/// with both public keys, or use ``KeyExchange``, which does that.
public enum ScalarMult {
    /// The length of a point: 32 bytes.
    public static let pointByteCount = Int(crypto_scalarmult_bytes())
    /// The length of a scalar: 32 bytes.
    public static let scalarByteCount = Int(crypto_scalarmult_scalarbytes())

    /// Multiplies a point by a scalar: Diffie-Hellman (`crypto_scalarmult`).
    ///
    /// - Parameters:
    ///   - point: The other side's public key, 32 bytes.
    ///   - scalar: This side's secret key, 32 bytes; clamped as RFC 7748 requires.
    /// - Returns: The shared point, 32 bytes, never all zero.
    /// - Throws: `wrongLength`; `weakPoint` for a point of low order, whose product is all zero;
    ///   `initializationFailed`.
    public static func multiply(_ point: Span<UInt8>, by scalar: Span<UInt8>) throws(SodiumError) -> SecretBytes {
        try require(pointByteCount, point, "point")
        try require(scalarByteCount, scalar, "scalar")
        return try unsafe withPointers(point, scalar) { (point, scalar) throws(SodiumError) in
            try unsafe SecretBytes(count: pointByteCount, failure: SodiumError(.weakPoint, "point")) { output in
                unsafe crypto_scalarmult(output, scalar, point)
            }
        }
    }

    /// Computes the public key of a secret key: the base point times the scalar (`crypto_scalarmult_base`).
    ///
    /// - Parameter scalar: The secret key, 32 bytes; clamped as RFC 7748 requires.
    /// - Returns: The public key, 32 bytes.
    /// - Throws: `wrongLength`, `initializationFailed`.
    public static func multiplyBase(by scalar: Span<UInt8>) throws(SodiumError) -> [UInt8] {
        try Sodium.initialize()
        try require(scalarByteCount, scalar, "scalar")
        return try unsafe withPointer(scalar) { (scalar) throws(SodiumError) in
            try unsafe filled(count: pointByteCount, failure: SodiumError(.weakPoint, "scalar")) { output in
                unsafe crypto_scalarmult_base(output, scalar)
            }
        }
    }
}
