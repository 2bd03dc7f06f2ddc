import CSodium

/// The group ristretto255 of RFC 9496 and the scalars of its order L (`crypto_core_ristretto255`).
///
/// Points and scalars are 32 bytes each. Every input point and scalar must be in its canonical encoding. libsodium
/// 1.0.18 does not check that: it ignores the top bit of a point, and accepts L + 5 as the scalar 5. Results are in
/// memory that is wiped, because the protocol determines which of them are secret.
package enum Ristretto255 {
    /// The length of a point: 32 bytes.
    package static let pointByteCount = Int(crypto_core_ristretto255_bytes())
    /// The length of a scalar: 32 bytes, little-endian.
    package static let scalarByteCount = Int(crypto_core_ristretto255_scalarbytes())
    /// The length of a hash that is mapped to a point: 64 bytes.
    package static let hashByteCount = Int(crypto_core_ristretto255_hashbytes())
    /// The length of a number that is reduced to a scalar: 64 bytes.
    package static let wideScalarByteCount = Int(crypto_core_ristretto255_nonreducedscalarbytes())

    // MARK: Points

    /// Whether bytes are the canonical encoding of a point; the identity, 32 zeros, is a point.
    ///
    /// - Parameter point: The bytes.
    /// - Returns: `false` also for a length other than 32 bytes.
    package static func isValidPoint(_ point: Span<UInt8>) -> Bool {
        // libsodium 1.0.18 drops bit 255 instead of refusing it.
        guard point.count == pointByteCount, point[pointByteCount - 1] < 0x80,
            (try? Sodium.initialize()) != nil
        else { return false }
        return unsafe withPointer(point) { point in unsafe crypto_core_ristretto255_is_valid_point(point) == 1 }
    }

    /// Maps 64 uniform bytes to a point (the one-way map of RFC 9496, section 4.3.4).
    ///
    /// - Parameter hash: 64 bytes, such as a SHA-512 digest.
    /// - Returns: The point.
    /// - Throws: `wrongLength`, `initializationFailed`.
    package static func point(fromHash hash: Span<UInt8>) throws(SodiumError) -> SecretBytes {
        try require(hashByteCount, hash, "hash")
        return try unsafe withPointer(hash) { (hash) throws(SodiumError) in
            try unsafe SecretBytes(count: pointByteCount, failure: SodiumError(.invalidParameters, "hash")) { output in
                unsafe crypto_core_ristretto255_from_hash(output, hash)
            }
        }
    }

    /// Adds two points.
    ///
    /// - Parameters:
    ///   - left: A point, 32 bytes.
    ///   - right: A point, 32 bytes.
    /// - Returns: The sum, which may be the identity.
    /// - Throws: `invalidParameters` if one is not a point, `initializationFailed`.
    package static func add(_ left: Span<UInt8>, _ right: Span<UInt8>) throws(SodiumError) -> SecretBytes {
        try unsafe combine(left, right) { output, left, right in
            unsafe crypto_core_ristretto255_add(output, left, right)
        }
    }

    /// Subtracts one point from another.
    ///
    /// - Parameters:
    ///   - left: A point, 32 bytes.
    ///   - right: The point to subtract, 32 bytes.
    /// - Returns: The difference, which may be the identity.
    /// - Throws: `invalidParameters` if one is not a point, `initializationFailed`.
    package static func subtract(_ left: Span<UInt8>, _ right: Span<UInt8>) throws(SodiumError) -> SecretBytes {
        try unsafe combine(left, right) { output, left, right in
            unsafe crypto_core_ristretto255_sub(output, left, right)
        }
    }

    private static func combine(
        _ left: Span<UInt8>,
        _ right: Span<UInt8>,
        by call: (UnsafeMutablePointer<UInt8>, UnsafePointer<UInt8>, UnsafePointer<UInt8>) -> CInt
    ) throws(SodiumError) -> SecretBytes {
        try requirePoint(left, "left")
        try requirePoint(right, "right")
        return try unsafe withPointers(left, right) { (left, right) throws(SodiumError) in
            try unsafe SecretBytes(count: pointByteCount, failure: SodiumError(.invalidParameters, "points")) {
                output in
                unsafe call(output, left, right)
            }
        }
    }

    /// Multiplies a point by a scalar (`crypto_scalarmult_ristretto255`).
    ///
    /// - Parameters:
    ///   - point: A point, 32 bytes.
    ///   - scalar: A scalar, 32 bytes.
    /// - Returns: The product, never the identity.
    /// - Throws: `invalidParameters` if `point` is not a point or `scalar` is not a scalar, `weakPoint` if the product
    ///   is the identity, `initializationFailed`.
    package static func multiply(_ point: Span<UInt8>, by scalar: Span<UInt8>) throws(SodiumError) -> SecretBytes {
        try requirePoint(point, "point")
        try requireScalar(scalar, "scalar")
        return try unsafe withPointers(point, scalar) { (point, scalar) throws(SodiumError) in
            try unsafe SecretBytes(count: pointByteCount, failure: SodiumError(.weakPoint, "point")) { output in
                unsafe crypto_scalarmult_ristretto255(output, scalar, point)
            }
        }
    }

    /// Multiplies the base point by a scalar (`crypto_scalarmult_ristretto255_base`).
    ///
    /// - Parameter scalar: A scalar, 32 bytes.
    /// - Returns: The product, never the identity.
    /// - Throws: `invalidParameters` if `scalar` is not a scalar, `weakPoint` for 0, `initializationFailed`.
    package static func multiplyBase(by scalar: Span<UInt8>) throws(SodiumError) -> SecretBytes {
        try requireScalar(scalar, "scalar")
        return try unsafe withPointer(scalar) { (scalar) throws(SodiumError) in
            try unsafe SecretBytes(count: pointByteCount, failure: SodiumError(.weakPoint, "scalar")) { output in
                unsafe crypto_scalarmult_ristretto255_base(output, scalar)
            }
        }
    }

    private static func requirePoint(_ point: Span<UInt8>, _ what: String) throws(SodiumError) {
        try Sodium.initialize()
        try require(pointByteCount, point, what)
        guard isValidPoint(point) else { throw SodiumError(.invalidParameters, what) }
    }

    // MARK: Scalars

    /// Whether bytes are the encoding of a scalar: a number below L.
    ///
    /// - Parameter scalar: The bytes.
    /// - Returns: `false` also for a length other than 32 bytes.
    package static func isValidScalar(_ scalar: Span<UInt8>) -> Bool {
        guard scalar.count == scalarByteCount else { return false }
        // libsodium 1.0.18 has no function for this. Reduction does not change a number below L.
        let reduced = try? SecretBytes(count: wideScalarByteCount) { (wide) throws(SodiumError) in
            for index in scalar.indices { wide[index] = scalar[index] }
        }
        guard let reduced, let value = try? reduced.withBytes({ (wide) throws(SodiumError) in try reduce(wide) }) else {
            return false
        }
        return value.withBytes { Sodium.isEqual($0, scalar) }
    }

    /// Reduces a number of 64 bytes modulo L.
    ///
    /// - Parameter wide: 64 bytes, little-endian.
    /// - Returns: The scalar.
    /// - Throws: `wrongLength`, `initializationFailed`.
    package static func reduce(_ wide: Span<UInt8>) throws(SodiumError) -> SecretBytes {
        try require(wideScalarByteCount, wide, "wide")
        return try unsafe withPointer(wide) { (wide) throws(SodiumError) in
            try unsafe SecretBytes(count: scalarByteCount, failure: SodiumError(.invalidParameters, "wide")) { output in
                unsafe crypto_core_ristretto255_scalar_reduce(output, wide)
                return 0
            }
        }
    }

    /// Generates a random scalar other than 0.
    ///
    /// - Returns: The scalar, uniformly distributed.
    /// - Throws: `initializationFailed`.
    package static func randomScalar() throws(SodiumError) -> SecretBytes {
        let failure = SodiumError(.invalidParameters, "crypto_core_ristretto255_scalar_random")
        return try unsafe SecretBytes(count: scalarByteCount, failure: failure) { output in
            unsafe crypto_core_ristretto255_scalar_random(output)
            return 0
        }
    }

    /// A small number as a scalar.
    ///
    /// - Parameter number: The number.
    /// - Returns: The scalar.
    /// - Throws: `initializationFailed`.
    package static func scalar(_ number: UInt32) throws(SodiumError) -> SecretBytes {
        try SecretBytes(count: scalarByteCount) { (bytes) throws(SodiumError) in
            for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: number >> (8 * UInt32(index))) }
        }
    }

    /// Adds two scalars modulo L.
    ///
    /// - Parameters:
    ///   - left: A scalar, 32 bytes.
    ///   - right: A scalar, 32 bytes.
    /// - Returns: The sum.
    /// - Throws: `invalidParameters` if one is not a scalar, `initializationFailed`.
    package static func addScalars(_ left: Span<UInt8>, _ right: Span<UInt8>) throws(SodiumError) -> SecretBytes {
        try unsafe combineScalars(left, right) { output, left, right in
            unsafe crypto_core_ristretto255_scalar_add(output, left, right)
        }
    }

    /// Subtracts one scalar from another modulo L.
    ///
    /// - Parameters:
    ///   - left: A scalar, 32 bytes.
    ///   - right: The scalar to subtract, 32 bytes.
    /// - Returns: The difference.
    /// - Throws: `invalidParameters` if one is not a scalar, `initializationFailed`.
    package static func subtractScalars(_ left: Span<UInt8>, _ right: Span<UInt8>) throws(SodiumError) -> SecretBytes {
        try unsafe combineScalars(left, right) { output, left, right in
            unsafe crypto_core_ristretto255_scalar_sub(output, left, right)
        }
    }

    /// Multiplies two scalars modulo L.
    ///
    /// - Parameters:
    ///   - left: A scalar, 32 bytes.
    ///   - right: A scalar, 32 bytes.
    /// - Returns: The product.
    /// - Throws: `invalidParameters` if one is not a scalar, `initializationFailed`.
    package static func multiplyScalars(_ left: Span<UInt8>, _ right: Span<UInt8>) throws(SodiumError) -> SecretBytes {
        try unsafe combineScalars(left, right) { output, left, right in
            unsafe crypto_core_ristretto255_scalar_mul(output, left, right)
        }
    }

    private static func combineScalars(
        _ left: Span<UInt8>,
        _ right: Span<UInt8>,
        by call: (UnsafeMutablePointer<UInt8>, UnsafePointer<UInt8>, UnsafePointer<UInt8>) -> Void
    ) throws(SodiumError) -> SecretBytes {
        try requireScalar(left, "left")
        try requireScalar(right, "right")
        return try unsafe withPointers(left, right) { (left, right) throws(SodiumError) in
            let failure = SodiumError(.invalidParameters, "scalars")
            return try unsafe SecretBytes(count: scalarByteCount, failure: failure) { output in
                unsafe call(output, left, right)
                return 0
            }
        }
    }

    /// The multiplicative inverse of a scalar modulo L.
    ///
    /// - Parameter scalar: A scalar other than 0.
    /// - Returns: The inverse.
    /// - Throws: `invalidParameters` if `scalar` is 0 or not a scalar, `initializationFailed`.
    package static func invertScalar(_ scalar: Span<UInt8>) throws(SodiumError) -> SecretBytes {
        try requireScalar(scalar, "scalar")
        return try unsafe withPointer(scalar) { (scalar) throws(SodiumError) in
            let failure = SodiumError(.invalidParameters, "scalar")
            return try unsafe SecretBytes(count: scalarByteCount, failure: failure) { output in
                unsafe crypto_core_ristretto255_scalar_invert(output, scalar)
            }
        }
    }

    private static func requireScalar(_ scalar: Span<UInt8>, _ what: String) throws(SodiumError) {
        try Sodium.initialize()
        try require(scalarByteCount, scalar, what)
        guard isValidScalar(scalar) else { throw SodiumError(.invalidParameters, what) }
    }
}
