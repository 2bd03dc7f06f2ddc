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
        var bytes = [UInt8](repeating: 0, count: groups * 3 + (rest == 0 ? 0 : rest - 1))
        var output = bytes.mutableSpan
        let sextets = sextets
        for group in 0..<groups {
            let (first, second) = (sextets[Int(text[group * 4])], sextets[Int(text[group * 4 + 1])])
            let (third, fourth) = (sextets[Int(text[group * 4 + 2])], sextets[Int(text[group * 4 + 3])])
            guard first | second | third | fourth < 64 else { throw noSymbol(in: text, from: group * 4) }
            output[group * 3] = first << 2 | second >> 4
            output[group * 3 + 1] = second << 4 | third >> 2
            output[group * 3 + 2] = third << 6 | fourth
        }
        guard rest > 0 else { return bytes }
        let (first, second) = (sextets[Int(text[groups * 4])], sextets[Int(text[groups * 4 + 1])])
        let third = rest == 3 ? sextets[Int(text[groups * 4 + 2])] : 0
        guard first | second | third < 64 else { throw noSymbol(in: text, from: groups * 4) }
        output[groups * 3] = first << 2 | second >> 4
        if rest == 3 { output[groups * 3 + 1] = second << 4 | third >> 2 }
        let stray = rest == 3 ? third << 6 : second << 4
        guard stray == 0 else { throw error(at: symbols - 1, "base64 with stray bits at the end") }
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

    /// The error for the first byte at or after `start` that is no symbol.
    private static func noSymbol(in text: Span<UInt8>, from start: Int) -> EventError {
        let offset = (start..<text.count).first { sextets[Int(text[$0])] >= 64 }
        return error(at: offset ?? start, "not a base64 symbol")
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
        let (groups, rest) = bytes.count.quotientAndRemainder(dividingBy: 3)
        let start = text.count
        text.append(contentsOf: repeatElement(0, count: groups * 4 + (rest == 0 ? 0 : rest + 1)))
        var output = text.mutableSpan
        for group in 0..<groups {
            let (first, second, third) = (bytes[group * 3], bytes[group * 3 + 1], bytes[group * 3 + 2])
            let position = start + group * 4
            output[position] = alphabet[Int(first >> 2)]
            output[position + 1] = alphabet[Int((first << 4 | second >> 4) & 63)]
            output[position + 2] = alphabet[Int((second << 2 | third >> 6) & 63)]
            output[position + 3] = alphabet[Int(third & 63)]
        }
        guard rest > 0 else { return }
        let (first, second) = (bytes[groups * 3], rest == 2 ? bytes[groups * 3 + 1] : 0)
        let position = start + groups * 4
        output[position] = alphabet[Int(first >> 2)]
        output[position + 1] = alphabet[Int((first << 4 | second >> 4) & 63)]
        if rest == 2 { output[position + 2] = alphabet[Int(second << 2 & 63)] }
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
