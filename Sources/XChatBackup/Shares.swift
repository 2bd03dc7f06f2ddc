import LibSodium

/// Shamir's secret sharing over the scalars of ristretto255.
package enum Shares {
    /// Splits a scalar.
    ///
    /// - Parameters:
    ///   - secret: The scalar.
    ///   - coefficients: Random scalars, one fewer than the shares needed to join; the coefficient of the highest power
    ///     comes first.
    ///   - count: The number of shares.
    /// - Returns: The shares; their indexes count from 1.
    /// - Throws: `SodiumError` if one is not a scalar.
    package static func split(_ secret: Secret, coefficients: [Secret], count: Int) throws -> [Secret] {
        guard count > 0 else { return [] }
        return try (1...count).map { index in
            let x = try Scalar.number(index)
            var sum = try Scalar.number(0)
            for coefficient in coefficients + [secret] {
                sum = try Scalar.add(Scalar.multiply(sum, x), coefficient)
            }
            return sum
        }
    }

    /// Generates random coefficients; `threshold` is the number of shares needed to join.
    static func coefficients(threshold: Int) throws -> [Secret] {
        try (1..<max(threshold, 1)).map { _ in try Scalar.random() }
    }

    /// Joins scalars.
    ///
    /// - Parameter shares: Shares by index, at least as many as needed; all of them are used.
    /// - Returns: The secret.
    /// - Throws: `SodiumError` if one is not a scalar.
    package static func join(scalars shares: [Int: Secret]) throws -> Secret {
        var sum = try Scalar.number(0)
        for (index, share) in shares {
            sum = try Scalar.add(sum, Scalar.multiply(weight(of: index, among: shares.keys), share))
        }
        return sum
    }

    /// Joins points, each the product of one point and a share of a scalar.
    ///
    /// - Parameter shares: Points by index, at least as many as needed; all of them are used.
    /// - Returns: The product of the point and the joined scalar.
    /// - Throws: `SodiumError` if one is not a point, or is the identity.
    package static func join(points shares: [Int: Secret]) throws -> Secret {
        // 32 zeros are the identity.
        var sum = try Scalar.number(0)
        for (index, share) in shares {
            sum = try Point.add(sum, Point.multiply(share, by: weight(of: index, among: shares.keys)))
        }
        return sum
    }

    /// The Lagrange coefficient at 0 of one index among several.
    package static func weight(of index: Int, among indexes: some Sequence<Int>) throws -> Secret {
        var (numerator, denominator) = (try Scalar.number(1), try Scalar.number(1))
        for other in indexes where other != index {
            let x = try Scalar.number(other)
            numerator = try Scalar.multiply(numerator, x)
            denominator = try Scalar.multiply(denominator, Scalar.subtract(x, Scalar.number(index)))
        }
        return try Scalar.multiply(numerator, Scalar.invert(denominator))
    }
}
