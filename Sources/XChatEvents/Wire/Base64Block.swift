/// Encodes twelve bytes, or decodes their sixteen symbols, at once in a SIMD register of 16 bytes.
///
/// Symbols are classified by comparing all sixteen at once, without a table or a branch, so the time does not depend on
/// the values of the bytes, which may be key material. Branches depend only on lengths and on whether the text is
/// valid.
enum Base64Block {
    private static let byteCount = 12
    private static let symbolCount = 16

    // MARK: Encoding

    /// The number of symbols for `byteCount` bytes.
    static func symbolCount(for byteCount: Int) -> Int { (byteCount * 4 + 2) / 3 }

    /// Writes the symbols of `bytes` into `output` from `start` on; `output` must be long enough.
    static func encode(_ bytes: Span<UInt8>, into output: inout MutableSpan<UInt8>, from start: Int) {
        var (read, written) = (0, start)
        let end = start + symbolCount(for: bytes.count)
        // A block is loaded as two words of 8 bytes, of which 6 each are used.
        while bytes.count - read >= 14 {
            let block = symbols(of: load(bytes, at: read), load(bytes, at: read + 6))
            store(block, in: &output, at: written)
            read += byteCount
            written += symbolCount
        }
        while read < bytes.count {
            let (first, second) = (loadRest(of: bytes, from: read), loadRest(of: bytes, from: read + 6))
            let block = symbols(of: first, second)
            for index in 0..<min(symbolCount, end - written) { output[written + index] = block[index] }
            read += byteCount
            written += symbolCount
        }
    }

    /// The symbols of twelve bytes: the 6 most significant bytes of each number.
    @inline(__always)
    private static func symbols(of first: UInt64, _ second: UInt64) -> SIMD16<UInt8> {
        // Halve the groups of bits three times: 48 to 24 to 12 to 6 bits, each group at the low end of its lane.
        var bits = SIMD2(first &>> 16, second &>> 16)
        bits = spread(bits, upper: 0x0000_ffff_ff00_0000, by: 8, lower: 0x0000_0000_00ff_ffff)
        bits = spread(bits, upper: 0x00ff_f000_00ff_f000, by: 4, lower: 0x0000_0fff_0000_0fff)
        bits = spread(bits, upper: 0x0fc0_0fc0_0fc0_0fc0, by: 2, lower: 0x003f_003f_003f_003f)
        let sextets = inOrder(bits)
        var symbols = sextets &+ SIMD16(repeating: UInt8(ascii: "A"))
        symbols = symbols &+ (above(25, sextets) & SIMD16(repeating: 6))  // a to z
        symbols = symbols &- (above(51, sextets) & SIMD16(repeating: 75))  // 0 to 9
        symbols = symbols &- (above(61, sextets) & SIMD16(repeating: 15))  // +
        symbols = symbols &+ (above(62, sextets) & SIMD16(repeating: 3))  // /
        return symbols
    }

    @inline(__always)
    private static func spread(
        _ bits: SIMD2<UInt64>,
        upper: UInt64,
        by distance: UInt64,
        lower: UInt64
    ) -> SIMD2<UInt64> {
        let moved = (bits & SIMD2(repeating: upper)) &<< SIMD2(repeating: distance)
        return moved | bits & SIMD2(repeating: lower)
    }

    // MARK: Decoding

    /// Writes the bytes of a text without padding into `output`, which must have exactly their length.
    ///
    /// - Returns: Whether every byte of the text is a symbol, and the bits after the last byte.
    static func decode(
        _ text: Span<UInt8>,
        into output: inout MutableSpan<UInt8>
    ) -> (isValid: Bool, strayBits: UInt8) {
        var (read, written) = (0, 0)
        var valid = SIMD16<UInt8>(repeating: .max)
        var strayBits: UInt8 = 0
        // A block is stored as two words of 8 bytes; the next store overwrites the last two bytes of each.
        while text.count - read >= symbolCount, output.count - written >= 14 {
            let (first, second) = bytes(of: load(text, at: read), &valid)
            store(first, in: &output, at: written)
            store(second, in: &output, at: written + 6)
            read += symbolCount
            written += byteCount
        }
        while read < text.count {
            var block = SIMD16(repeating: UInt8(ascii: "A"))  // six bits of zero
            for index in 0..<min(symbolCount, text.count - read) { block[index] = text[read + index] }
            let (first, second) = bytes(of: block, &valid)
            for index in 0..<byteCount {
                let byte = UInt8(truncatingIfNeeded: (index < 6 ? first : second) &>> UInt64(56 - index % 6 * 8))
                if written + index < output.count { output[written + index] = byte } else { strayBits |= byte }
            }
            read += symbolCount
            written += byteCount
        }
        return (valid == SIMD16(repeating: .max), strayBits)
    }

    /// The bytes of sixteen symbols, as the 6 most significant bytes of each number.
    ///
    /// Clears the lanes of `valid` that have no symbol.
    @inline(__always)
    private static func bytes(
        of text: SIMD16<UInt8>,
        _ valid: inout SIMD16<UInt8>
    ) -> (UInt64, UInt64) {
        // Masks of the bytes at or above the first symbol of each range of the alphabet.
        let (plus, slash, digit) = (
            above(UInt8(ascii: "+") - 1, text), above(UInt8(ascii: "/") - 1, text), above(UInt8(ascii: "0") - 1, text)
        )
        let (upper, lower) = (above(UInt8(ascii: "A") - 1, text), above(UInt8(ascii: "a") - 1, text))
        let inPlus = plus ^ above(UInt8(ascii: "+"), text)
        let inSlashAndDigits = slash ^ above(UInt8(ascii: "9"), text)
        let inUpper = upper ^ above(UInt8(ascii: "Z"), text)
        let inLower = lower ^ above(UInt8(ascii: "z"), text)
        valid &= inPlus | inSlashAndDigits | inUpper | inLower
        var sextets = text &+ (plus & SIMD16(repeating: 19))  // 62
        sextets = sextets &- (slash & SIMD16(repeating: 3))  // 63
        sextets = sextets &- (digit & SIMD16(repeating: 12))  // from 52
        sextets = sextets &- (upper & SIMD16(repeating: 69))  // from 0
        sextets = sextets &- (lower & SIMD16(repeating: 6))  // from 26
        var bits = inNumbers(sextets)
        bits = gather(bits, upper: 0x3f00_3f00_3f00_3f00, by: 2, lower: 0x003f_003f_003f_003f)
        bits = gather(bits, upper: 0x0fff_0000_0fff_0000, by: 4, lower: 0x0000_0fff_0000_0fff)
        bits = gather(bits, upper: 0x00ff_ffff_0000_0000, by: 8, lower: 0x0000_0000_00ff_ffff)
        return (bits[0] &<< 16, bits[1] &<< 16)
    }

    @inline(__always)
    private static func gather(
        _ bits: SIMD2<UInt64>,
        upper: UInt64,
        by distance: UInt64,
        lower: UInt64
    ) -> SIMD2<UInt64> {
        let moved = (bits & SIMD2(repeating: upper)) &>> SIMD2(repeating: distance)
        return moved | bits & SIMD2(repeating: lower)
    }

    // MARK: Bytes and numbers

    /// A mask with all bits set in each byte that is above `limit` as a signed number.
    @inline(__always)
    private static func above(_ limit: UInt8, _ bytes: SIMD16<UInt8>) -> SIMD16<UInt8> {
        let signed = unsafe unsafeBitCast(bytes, to: SIMD16<Int8>.self)
        // The type is spelled out: if it is inferred, the comparison becomes a loop over the lanes that is a hundred
        // times slower.
        let limits = SIMD16<Int8>(repeating: Int8(bitPattern: limit))
        let mask = signed .> limits
        return unsafe unsafeBitCast(mask, to: SIMD16<UInt8>.self)
    }

    /// Two numbers as bytes, each in big-endian order.
    @inline(__always)
    private static func inOrder(_ numbers: SIMD2<UInt64>) -> SIMD16<UInt8> {
        unsafe unsafeBitCast(SIMD2(numbers[0].bigEndian, numbers[1].bigEndian), to: SIMD16<UInt8>.self)
    }

    /// Sixteen bytes as two big-endian numbers.
    @inline(__always)
    private static func inNumbers(_ bytes: SIMD16<UInt8>) -> SIMD2<UInt64> {
        let numbers = unsafe unsafeBitCast(bytes, to: SIMD2<UInt64>.self)
        return SIMD2(UInt64(bigEndian: numbers[0]), UInt64(bigEndian: numbers[1]))
    }

    /// Eight bytes as a big-endian number.
    @inline(__always)
    private static func load(_ bytes: Span<UInt8>, at offset: Int) -> UInt64 {
        unsafe UInt64(bigEndian: bytes.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    @inline(__always)
    private static func load(_ bytes: Span<UInt8>, at offset: Int) -> SIMD16<UInt8> {
        unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: SIMD16<UInt8>.self)
    }

    /// Up to six bytes as a big-endian number of eight bytes, filled up with zeros.
    private static func loadRest(of bytes: Span<UInt8>, from start: Int) -> UInt64 {
        var number: UInt64 = 0
        for offset in start..<start + 6 { number = number &<< 8 | (offset < bytes.count ? UInt64(bytes[offset]) : 0) }
        return number &<< 16
    }

    @inline(__always)
    private static func store(_ number: UInt64, in output: inout MutableSpan<UInt8>, at offset: Int) {
        var bytes = unsafe output.mutableBytes
        bytes.storeBytes(of: number.bigEndian, toByteOffset: offset, as: UInt64.self)
    }

    @inline(__always)
    private static func store(_ block: SIMD16<UInt8>, in output: inout MutableSpan<UInt8>, at offset: Int) {
        var bytes = unsafe output.mutableBytes
        bytes.storeBytes(of: block, toByteOffset: offset, as: SIMD16<UInt8>.self)
    }
}
