/// The base64 of X Chat: standard alphabet, padding optional on reading, nothing else forgiven.
///
/// Foundation's decoder is not it: it insists on padding and lets stray bits pass.
public enum Base64 {
    /// Decodes text.
    ///
    /// - Throws: `malformed`, with the offset of the byte that does not belong.
    public static func decode(_ text: String) throws(EventError) -> [UInt8] {
        try decode(Array(text.utf8))
    }

    /// Decodes a string of the wire.
    ///
    /// - Throws: `malformed`, with the offset of the byte that does not belong.
    public static func decode(_ text: WireString) throws(EventError) -> [UInt8] {
        try decode(Array(text.utf8))
    }

    /// Decodes ASCII bytes.
    ///
    /// - Throws: `malformed`, with the offset of the byte that does not belong.
    public static func decode(_ text: [UInt8]) throws(EventError) -> [UInt8] {
        try decode(text.span)
    }

    /// Decodes ASCII bytes.
    ///
    /// Padding may be complete, partial or absent, but not more than the length calls for. Refused are whitespace, the
    /// URL-safe alphabet, `=` elsewhere than at the end, a length of one symbol beyond a multiple of four, and bits that
    /// are set behind the last byte.
    ///
    /// - Throws: `malformed`, with the offset of the byte that does not belong.
    public static func decode(_ text: Span<UInt8>) throws(EventError) -> [UInt8] {
        let symbols = try symbolCount(of: text)
        let (groups, rest) = symbols.quotientAndRemainder(dividingBy: 4)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(groups * 3 + 2)
        var position = 0
        while position < groups * 4 {
            let value = try group(of: text, at: position, count: 4)
            bytes.append(UInt8(truncatingIfNeeded: value >> 16))
            bytes.append(UInt8(truncatingIfNeeded: value >> 8))
            bytes.append(UInt8(truncatingIfNeeded: value))
            position += 4
        }
        guard rest > 0 else { return bytes }
        let value = try group(of: text, at: position, count: rest)
        bytes.append(UInt8(truncatingIfNeeded: value >> 16))
        if rest == 3 { bytes.append(UInt8(truncatingIfNeeded: value >> 8)) }
        let stray: UInt32 = rest == 3 ? 0xff : 0xffff
        guard value & stray == 0 else { throw error(at: symbols - 1, "base64 with stray bits at the end") }
        return bytes
    }

    /// The number of symbols before the padding.
    private static func symbolCount(of text: Span<UInt8>) throws(EventError) -> Int {
        var symbols = text.count
        while symbols > 0, text.count - symbols < 2, text[symbols - 1] == UInt8(ascii: "=") { symbols -= 1 }
        let rest = symbols % 4
        guard rest != 1 else { throw error(at: symbols - 1, "base64 of an impossible length") }
        guard text.count - symbols <= (4 - rest) % 4 else { throw error(at: symbols, "base64 with too much padding") }
        return symbols
    }

    /// Up to four symbols as the upper bits of 24.
    private static func group(of text: Span<UInt8>, at position: Int, count: Int) throws(EventError) -> UInt32 {
        var value: UInt32 = 0
        for offset in position..<(position + count) {
            let sextet = sextets[Int(text[offset])]
            guard sextet < 64 else { throw error(at: offset, "not a base64 symbol") }
            value = value << 6 | UInt32(sextet)
        }
        return value << UInt32(6 * (4 - count))
    }

    private static func error(at offset: Int, _ reason: String) -> EventError {
        EventError(.malformed, offset: offset, reason: reason)
    }

    // MARK: Encoding

    /// Encodes bytes.
    ///
    /// - Parameters:
    ///   - bytes: what to encode.
    ///   - padding: whether to fill up to a multiple of four with `=`.
    /// - Returns: the text, in the standard alphabet.
    public static func encode(_ bytes: [UInt8], padding: Bool = true) -> String {
        encode(bytes.span, padding: padding)
    }

    /// Encodes bytes.
    ///
    /// - Parameters:
    ///   - bytes: what to encode.
    ///   - padding: whether to fill up to a multiple of four with `=`.
    /// - Returns: the text, in the standard alphabet.
    public static func encode(_ bytes: Span<UInt8>, padding: Bool = true) -> String {
        String(decoding: encodeBytes(bytes, padding: padding), as: UTF8.self)
    }

    /// Encodes bytes as ASCII.
    ///
    /// - Parameters:
    ///   - bytes: what to encode.
    ///   - padding: whether to fill up to a multiple of four with `=`.
    /// - Returns: the text, in the standard alphabet.
    public static func encodeBytes(_ bytes: Span<UInt8>, padding: Bool = true) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        append(bytes, to: &text, alphabet: standard)
        if padding {
            while text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
        }
        return text
    }

    /// The text of `bytes` in the URL-safe alphabet, without padding, as fingerprints are shown.
    public static func encodeURLSafe(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        append(bytes.span, to: &text, alphabet: urlSafe)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends the text of `bytes`, without padding.
    package static func append(_ bytes: Span<UInt8>, to text: inout [UInt8]) {
        append(bytes, to: &text, alphabet: standard)
    }

    private static func append(_ bytes: Span<UInt8>, to text: inout [UInt8], alphabet: [UInt8]) {
        var position = 0
        while bytes.count - position >= 3 {
            let value = UInt32(bytes[position]) << 16 | UInt32(bytes[position + 1]) << 8 | UInt32(bytes[position + 2])
            text.append(alphabet[Int(value >> 18)])
            text.append(alphabet[Int(value >> 12 & 63)])
            text.append(alphabet[Int(value >> 6 & 63)])
            text.append(alphabet[Int(value & 63)])
            position += 3
        }
        let rest = bytes.count - position
        guard rest > 0 else { return }
        var value = UInt32(bytes[position]) << 16
        if rest == 2 { value |= UInt32(bytes[position + 1]) << 8 }
        text.append(alphabet[Int(value >> 18)])
        text.append(alphabet[Int(value >> 12 & 63)])
        if rest == 2 { text.append(alphabet[Int(value >> 6 & 63)]) }
    }

    private static let standard = alphabet(ending: "+/")
    private static let urlSafe = alphabet(ending: "-_")

    private static func alphabet(ending: String) -> [UInt8] {
        Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789\(ending)".utf8)
    }

    /// The value of each byte as a symbol; 255 for those that are none.
    private static let sextets: [UInt8] = {
        var sextets = [UInt8](repeating: 255, count: 256)
        for (value, symbol) in standard.enumerated() { sextets[Int(symbol)] = UInt8(value) }
        return sextets
    }()
}
