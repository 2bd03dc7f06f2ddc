/// The base64 of X Chat: the standard alphabet, decoded strictly except that padding is optional.
///
/// See `docs/protocol.md`, "Base64".
///
/// Foundation's decoder has other rules: it requires padding and accepts stray bits. Encoding and decoding use no
/// lookup tables, so that cache timing reveals no bytes of a key.
public enum Base64 {
    /// Decodes text.
    ///
    /// - Throws: `malformed`, with the offset of the first invalid byte.
    public static func decode(_ text: String) throws(EventError) -> [UInt8] {
        try decode(Array(text.utf8))
    }

    /// Decodes a string of the wire.
    ///
    /// - Throws: `malformed`, with the offset of the first invalid byte.
    public static func decode(_ text: WireString) throws(EventError) -> [UInt8] {
        try decode(Array(text.utf8))
    }

    /// Decodes ASCII bytes.
    ///
    /// - Throws: `malformed`, with the offset of the first invalid byte.
    public static func decode(_ text: [UInt8]) throws(EventError) -> [UInt8] {
        try decode(text.span)
    }

    /// Decodes ASCII bytes.
    ///
    /// Padding may be complete, partial or absent, but not longer than the length requires. Whitespace, the URL-safe
    /// alphabet, `=` before the end, a length of one symbol more than a multiple of four, and bits set after the last
    /// byte are errors.
    ///
    /// - Throws: `malformed`, with the offset of the first invalid byte.
    public static func decode(_ text: Span<UInt8>) throws(EventError) -> [UInt8] {
        let symbols = try symbolCount(of: text)
        var bytes = [UInt8](repeating: 0, count: symbols / 4 * 3 + symbols % 4 * 3 / 4)
        var output = bytes.mutableSpan
        let check = Base64Block.decode(text.extracting(first: symbols), into: &output)
        guard check.isValid else { throw noSymbol(in: text) }
        guard check.strayBits == 0 else { throw error(at: symbols - 1, "base64 with stray bits at the end") }
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

    /// The error for the first byte that is not a symbol.
    private static func noSymbol(in text: Span<UInt8>) -> EventError {
        let offset = text.indices.first { index in
            switch text[index] {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): false
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"): false
            default: true
            }
        }
        return error(at: offset ?? text.count, "not a base64 symbol")
    }

    private static func error(at offset: Int, _ reason: String) -> EventError {
        EventError(.malformed, offset: offset, reason: reason)
    }

    // MARK: Encoding

    /// Encodes bytes.
    ///
    /// - Parameters:
    ///   - bytes: the bytes to encode.
    ///   - padding: whether to pad the text with `=` to a multiple of four symbols.
    /// - Returns: the text, in the standard alphabet.
    public static func encode(_ bytes: [UInt8], padding: Bool = true) -> String {
        encode(bytes.span, padding: padding)
    }

    /// Encodes bytes.
    ///
    /// - Parameters:
    ///   - bytes: the bytes to encode.
    ///   - padding: whether to pad the text with `=` to a multiple of four symbols.
    /// - Returns: the text, in the standard alphabet.
    public static func encode(_ bytes: Span<UInt8>, padding: Bool = true) -> String {
        let count = padding ? (bytes.count + 2) / 3 * 4 : Base64Block.symbolCount(for: bytes.count)
        return unsafe String(unsafeUninitializedCapacity: count) { buffer in
            unsafe buffer.initialize(repeating: UInt8(ascii: "="))
            var text = unsafe buffer.mutableSpan
            Base64Block.encode(bytes, into: &text, from: 0)
            return count
        }
    }

    /// Encodes bytes as ASCII.
    ///
    /// - Parameters:
    ///   - bytes: the bytes to encode.
    ///   - padding: whether to pad the text with `=` to a multiple of four symbols.
    /// - Returns: the text, in the standard alphabet.
    public static func encodeBytes(_ bytes: Span<UInt8>, padding: Bool = true) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        append(bytes, to: &text)
        while padding, text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
        return text
    }

    /// The text of `bytes` in the URL-safe alphabet, without padding, as fingerprints are shown.
    public static func encodeURLSafe(_ bytes: [UInt8]) -> String {
        let text = encodeBytes(bytes.span, padding: false).map { symbol in
            switch symbol {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            default: symbol
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends the text of `bytes`, without padding.
    package static func append(_ bytes: Span<UInt8>, to text: inout [UInt8]) {
        let start = text.count
        text.append(contentsOf: repeatElement(0, count: Base64Block.symbolCount(for: bytes.count)))
        var output = text.mutableSpan
        Base64Block.encode(bytes, into: &output, from: start)
    }
}
