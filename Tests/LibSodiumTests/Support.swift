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

extension [UInt8] {
    /// Bytes written as hexadecimal digits; a value that is none comes out short and fails its test.
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

/// Lengths that are not `count`.
func lengths(otherThan count: Int) -> [Int] {
    [0, 1, count - 1, count + 1, 2 * count]
}

func zeros(_ count: Int) -> [UInt8] {
    [UInt8](repeating: 0, count: count)
}
