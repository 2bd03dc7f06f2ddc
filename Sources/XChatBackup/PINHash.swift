import CArgon2
import LibSodium

/// The method of hashing a PIN: its name in a configuration, and the cost of one guess.
package enum PINHashing: String, Sendable {
    /// 32 passes over 16 MiB.
    case standard2019 = "Standard2019"
    /// 1 pass over 8 KiB, which protects nothing: for tests.
    case fastInsecure = "FastInsecure"

    var passes: UInt32 { self == .standard2019 ? 32 : 1 }
    var kibibytes: UInt32 { self == .standard2019 ? 16_384 : 8 }
}

/// The Argon2id hash of a PIN, in its two halves.
package struct PINHash: Sendable {
    /// The input of the oblivious pseudorandom function.
    package let accessKey: Secret
    /// The seed of the key that encrypts the secret; the key also depends on the scalar that the realms share.
    package let encryptionKeySeed: Secret

    /// Hashes a PIN.
    ///
    /// libargon2 computes the hash, because libsodium's Argon2id accepts only salts of 16 bytes, and this salt is
    /// longer.
    ///
    /// - Parameters:
    ///   - pin: The PIN's bytes, as they were typed.
    ///   - version: The version of the registration, 16 bytes.
    ///   - userInfo: More bytes of the salt; empty for X.
    ///   - hashing: The cost.
    /// - Throws: ``BackupError`` with `out_of_memory`.
    package init(pin: Secret, version: [UInt8], userInfo: [UInt8] = [], hashing: PINHashing) throws {
        let buffer = SecretBuffer(capacity: 8 + version.count + userInfo.count)
        buffer.append(bigEndian: UInt32(version.count))
        buffer.append(version)
        buffer.append(bigEndian: UInt32(userInfo.count))
        buffer.append(userInfo)
        var status = ARGON2_OK.rawValue
        let hash = Secret(
            try SecretBytes(count: 64) { (output) throws(SodiumError) in
                status = buffer.withBytes { salt in
                    pin.withBytes { pin in
                        unsafe salt.withUnsafeBytes { salt in
                            unsafe pin.withUnsafeBytes { pin in
                                unsafe output.withUnsafeMutableBytes { output in
                                    unsafe argon2id_hash_raw(
                                        hashing.passes,
                                        hashing.kibibytes,
                                        1,
                                        pin.baseAddress,
                                        pin.count,
                                        salt.baseAddress,
                                        salt.count,
                                        output.baseAddress,
                                        output.count
                                    )
                                }
                            }
                        }
                    }
                }
            }
        )
        // All lengths are in range, so the only remaining cause of failure is lack of memory.
        guard status == ARGON2_OK.rawValue else {
            throw BackupError(.outOfMemory, "not enough memory to hash the PIN, which needs 16 MiB")
        }
        accessKey = try hash.part(0..<32)
        encryptionKeySeed = try hash.part(32..<64)
    }
}
