import LibSodium

// This file contains the oblivious pseudorandom function 2HashDH over ristretto255, and the proof that a realm used its
// key.

/// A PIN's access key and its blinded point; only the point is sent to the realms, and it does not reveal the PIN.
package struct BlindedInput: Sendable {
    package let accessKey: Secret
    /// The point that goes to the realms: 32 bytes.
    package let point: [UInt8]
    private let blindingFactor: Secret

    /// Blinds an access key.
    ///
    /// - Parameters:
    ///   - accessKey: 32 bytes.
    ///   - blindingFactor: A scalar; random except in known-answer tests.
    /// - Throws: `SodiumError`.
    package init(_ accessKey: Secret, blindingFactor: Secret? = nil) throws {
        self.accessKey = accessKey
        self.blindingFactor = try blindingFactor ?? Secret(Ristretto255.randomScalar())
        point = try Point.multiply(OPRF.inputPoint(accessKey), by: self.blindingFactor).published
    }

    /// Computes the output of the function from the joined result of the realms.
    package func output(_ result: Secret) throws -> Secret {
        let inverse = Secret(
            try blindingFactor.withBytes { (factor) throws(SodiumError) in try Ristretto255.invertScalar(factor) }
        )
        return try OPRF.output(accessKey, Point.multiply(result, by: inverse))
    }
}

package enum OPRF {
    /// Maps an access key to a point.
    package static func inputPoint(_ accessKey: Secret) throws -> Secret {
        let hash = try accessKey.withBytes { (key) throws(SodiumError) in try SHA512.hash(key) }
        return Secret(try hash.withBytes { (hash) throws(SodiumError) in try Ristretto255.point(fromHash: hash) })
    }

    /// Computes the output of the function with a private key that the caller knows.
    package static func output(_ accessKey: Secret, privateKey: Secret) throws -> Secret {
        try output(accessKey, Point.multiply(inputPoint(accessKey), by: privateKey))
    }

    static func output(_ accessKey: Secret, _ point: Secret) throws -> Secret {
        let buffer = SecretBuffer()
        buffer.append("Juicebox_OPRF_2023_1;")
        buffer.append(accessKey)
        buffer.append(point)
        return Secret(try buffer.withBytes { (message) throws(SodiumError) in try SHA512.hash(message) })
    }
}

/// The key that proves knowledge of the PIN to the realms, and the commitment by which a client detects a wrong PIN.
package struct UnlockKey: Sendable {
    package let key: Secret
    package let commitment: Secret

    package init(oprfOutput: Secret) throws {
        let digest = Secret(try oprfOutput.withBytes { (output) throws(SodiumError) in try SHA512.hash(output) })
        commitment = try digest.part(0..<32)
        key = try digest.part(32..<64)
    }
}

/// The proof of Chaum and Pedersen that a result was computed with the private half of a public key.
package struct OPRFProof: Sendable {
    package var c: [UInt8]
    package var betaZ: [UInt8]

    package init(c: [UInt8], betaZ: [UInt8]) {
        self.c = c
        self.betaZ = betaZ
    }

    /// Creates the proof for a result, as a realm does.
    package init(input: [UInt8], publicKey: [UInt8], result: [UInt8], privateKey: Secret, nonce: Secret) throws {
        let c = try Self.challenge(
            input: input,
            publicKey: publicKey,
            result: result,
            commitments: (Point.multiplyBase(by: nonce), Point.multiply(Secret(copying: input), by: nonce))
        )
        self.c = c.published
        betaZ = try Scalar.add(nonce, Scalar.multiply(privateKey, c)).published
    }

    /// Whether the proof is valid; `false` also if an input is not a point or a scalar.
    package func isValid(input: [UInt8], publicKey: [UInt8], result: [UInt8]) -> Bool {
        do {
            let (c, betaZ, input, publicKey, result) = (
                try Secret(copying: c), try Secret(copying: betaZ), try Secret(copying: input),
                try Secret(copying: publicKey), try Secret(copying: result)
            )
            let expected = try Self.challenge(
                input: input.published,
                publicKey: publicKey.published,
                result: result.published,
                commitments: (
                    Point.subtract(Point.multiplyBase(by: betaZ), Point.multiply(publicKey, by: c)),
                    Point.subtract(Point.multiply(input, by: betaZ), Point.multiply(result, by: c))
                )
            )
            return expected.isEqual(to: c)
        } catch {
            return false
        }
    }

    private static func challenge(
        input: [UInt8],
        publicKey: [UInt8],
        result: [UInt8],
        commitments: (Secret, Secret)
    ) throws -> Secret {
        let buffer = SecretBuffer()
        buffer.append("Juicebox_DLEQ_2023_1;")
        buffer.append(input)
        buffer.append(publicKey)
        buffer.append(result)
        buffer.append(commitments.0)
        buffer.append(commitments.1)
        let digest = try buffer.withBytes { (message) throws(SodiumError) in try SHA512.hash(message) }
        return Secret(try digest.withBytes { (digest) throws(SodiumError) in try Ristretto255.reduce(digest) })
    }
}

/// Operations on points that are kept in ``Secret``.
package enum Point {
    package static func multiply(_ point: Secret, by scalar: Secret) throws -> Secret {
        Secret(
            try Secret.withBytes(point, scalar) { (point, scalar) throws(SodiumError) in
                try Ristretto255.multiply(point, by: scalar)
            }
        )
    }

    package static func multiplyBase(by scalar: Secret) throws -> Secret {
        Secret(try scalar.withBytes { (scalar) throws(SodiumError) in try Ristretto255.multiplyBase(by: scalar) })
    }

    static func add(_ left: Secret, _ right: Secret) throws -> Secret {
        Secret(
            try Secret.withBytes(left, right) { (left, right) throws(SodiumError) in
                try Ristretto255.add(left, right)
            }
        )
    }

    static func subtract(_ left: Secret, _ right: Secret) throws -> Secret {
        Secret(
            try Secret.withBytes(left, right) { (left, right) throws(SodiumError) in
                try Ristretto255.subtract(left, right)
            }
        )
    }
}

/// Operations on scalars that are kept in ``Secret``.
package enum Scalar {
    package static func random() throws -> Secret { Secret(try Ristretto255.randomScalar()) }

    static func number(_ number: Int) throws -> Secret { Secret(try Ristretto255.scalar(UInt32(clamping: number))) }

    static func add(_ left: Secret, _ right: Secret) throws -> Secret {
        Secret(
            try Secret.withBytes(left, right) { (left, right) throws(SodiumError) in
                try Ristretto255.addScalars(left, right)
            }
        )
    }

    static func subtract(_ left: Secret, _ right: Secret) throws -> Secret {
        Secret(
            try Secret.withBytes(left, right) { (left, right) throws(SodiumError) in
                try Ristretto255.subtractScalars(left, right)
            }
        )
    }

    static func multiply(_ left: Secret, _ right: Secret) throws -> Secret {
        Secret(
            try Secret.withBytes(left, right) { (left, right) throws(SodiumError) in
                try Ristretto255.multiplyScalars(left, right)
            }
        )
    }

    static func invert(_ scalar: Secret) throws -> Secret {
        Secret(try scalar.withBytes { (scalar) throws(SodiumError) in try Ristretto255.invertScalar(scalar) })
    }
}
