import LibSodium

/// The error with which a call refuses, or nil when it does not.
func refusal(_ body: () throws(SodiumError) -> Void) -> SodiumError? {
    do throws(SodiumError) {
        try body()
        return nil
    } catch {
        return error
    }
}

/// The error with which a call refuses bytes by their length alone: it is given the length `count` and one byte.
func refusal(ofLength count: Int, _ body: (Span<UInt8>) throws(SodiumError) -> Void) -> SodiumError? {
    unsafe withUnsafePointer(to: 0 as UInt8) { byte in
        let claim = unsafe UnsafeBufferPointer(start: byte, count: count).span
        return refusal { () throws(SodiumError) in try body(claim) }
    }
}

extension [UInt8] {
    /// Bytes written as hexadecimal digits; an invalid value comes out short and fails its test.
    init(hex: String) {
        let digits = hex.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        self = stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// Every array that differs from this one in exactly one bit.
    var withEachBitFlipped: [[UInt8]] {
        (0..<count * 8).map { bit in
            var copy = self
            copy[bit / 8] ^= 1 << UInt8(bit % 8)
            return copy
        }
    }

    init(_ secret: borrowing SecretBytes) {
        self = secret.withBytes { bytes in
            var copy: [UInt8] = []
            for index in bytes.indices { copy.append(bytes[index]) }
            return copy
        }
    }
}

/// Points of low order, each in every spelling that a reader of 32 bytes may take for it.
enum LowOrder {
    /// Of Curve25519: whatever the scalar, the shared point is zero.
    static let x25519 = spellings(
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
    )
    /// Of Ed25519, the neutral element first.
    static let ed25519 = spellings(
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
    )

    /// Each with its top bit, which X25519 ignores and Ed25519 takes for a sign, off and on.
    private static func spellings(_ points: String...) -> [[UInt8]] {
        points.map { [UInt8](hex: $0) }.flatMap { [$0, $0.dropLast() + [$0[31] | 0x80]] }
    }
}

/// Lengths that are not `count`.
func lengths(otherThan count: Int) -> [Int] {
    [0, 1, count - 1, count + 1, 2 * count]
}

func zeros(_ count: Int) -> [UInt8] {
    [UInt8](repeating: 0, count: count)
}
