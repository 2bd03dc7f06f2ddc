import XChatEvents

/// Reads the format that ``StateWriter`` writes, from bytes that may be damaged.
///
/// A field that has one value may occur only once. Memory is bounded by the input: a length is checked before memory is
/// allocated for it.
struct StateReader {
    /// A field: its number, where it starts, and its value.
    struct Field {
        enum Value {
            case number(UInt64)
            case bytes(Range<Int>)
        }

        let id: Int
        let start: Int
        let value: Value
    }

    private let bytes: [UInt8]
    private var offset: Int
    private let end: Int
    private let kind: StateKind
    /// Whether the fields end with a zero byte, as those at the top level do.
    private let hasEnd: Bool
    /// The numbers of the fields read so far as bits, for numbers up to 63.
    private var seen: UInt64 = 0
    /// The fields that this version does not know, as they were read.
    private(set) var unknown: [UInt8] = []

    /// Reads the head of a state.
    ///
    /// - Throws: `unsupported` for a later format, `malformed` for another kind of state.
    init(_ bytes: [UInt8], _ kind: StateKind) throws(XChatError) {
        self.bytes = bytes
        self.kind = kind
        (offset, end, hasEnd) = (2, bytes.count, true)
        guard bytes.count > 2 else { throw error("is cut off", at: bytes.count) }
        guard bytes[0] <= StateKind.format else {
            throw XChatError(
                .unsupported,
                "\(kind.name) has format \(bytes[0]), and this version reads format \(StateKind.format): use the version "
                    + "of the library that wrote it, or a later one"
            )
        }
        guard bytes[0] == StateKind.format, bytes[1] == kind.rawValue else {
            throw error("begins like another kind of data", at: 0)
        }
    }

    private init(_ outer: StateReader, _ range: Range<Int>) {
        (bytes, kind, hasEnd) = (outer.bytes, outer.kind, false)
        (offset, end) = (range.lowerBound, range.upperBound)
    }

    /// Returns the error for a value at an offset.
    func error(_ reason: String, at offset: Int) -> XChatError {
        XChatError(.malformed, "\(kind.name) \(reason) (byte \(offset)): it is damaged; restore it from a copy")
    }

    func error(_ reason: String, _ field: Field) -> XChatError {
        error("\(reason) in field \(field.id)", at: field.start)
    }

    // MARK: Fields

    /// Reads the next field; nil after the last one.
    mutating func next() throws(XChatError) -> Field? {
        let start = offset
        if offset == end {
            guard !hasEnd else { throw error("is cut off", at: offset) }
            return nil
        }
        let key = try varint()
        if hasEnd, key == 0 {
            guard offset == end else { throw error("has bytes after its end", at: offset) }
            return nil
        }
        guard let id = Int(exactly: key >> 3), id > 0, id <= 0xffff else {
            throw error("has an invalid field", at: start)
        }
        switch StateWireType(rawValue: UInt8(key & 7)) {
        case .number:
            return Field(id: id, start: start, value: .number(try varint()))
        case .bytes:
            let count = try varint()
            guard count <= UInt64(end - offset) else { throw error("is cut off", at: start) }
            let range = offset..<offset + Int(count)
            offset = range.upperBound
            return Field(id: id, start: start, value: .bytes(range))
        case nil:
            throw error("has a field of an unknown type", at: start)
        }
    }

    /// Keeps the field that was read last, because this version does not know it.
    mutating func keep(_ field: Field) {
        unknown.append(contentsOf: bytes[field.start..<offset])
    }

    mutating func number(_ field: Field) throws(XChatError) -> UInt64 {
        try claim(field)
        guard case .number(let number) = field.value else { throw error("has a value of the wrong type", field) }
        return number
    }

    mutating func flag(_ field: Field) throws(XChatError) -> Bool {
        guard try number(field) == 1 else { throw error("has a truth value other than 1", field) }
        return true
    }

    mutating func text(_ field: Field) throws(XChatError) -> WireString {
        try claim(field)
        return try text(in: range(field), field)
    }

    mutating func id<ID: Identifier>(_ field: Field) throws(XChatError) -> ID {
        ID(try text(field))
    }

    mutating func bytes(_ field: Field) throws(XChatError) -> [UInt8] {
        try claim(field)
        return Array(bytes[try range(field)])
    }

    mutating func digests(_ field: Field, limit: Int) throws(XChatError) -> [EventDigest] {
        try claim(field)
        let range = try range(field)
        guard range.count % EventDigest.byteCount == 0, range.count / EventDigest.byteCount <= limit else {
            throw error("has too many digests or an incomplete one", field)
        }
        return stride(from: range.lowerBound, to: range.upperBound, by: EventDigest.byteCount).compactMap {
            EventDigest(stored: Array(bytes[$0..<$0 + EventDigest.byteCount]))
        }
    }

    mutating func digest(_ field: Field) throws(XChatError) -> EventDigest {
        guard let digest = EventDigest(stored: try bytes(field)) else {
            throw error("has a digest of the wrong length", field)
        }
        return digest
    }

    mutating func nested(_ field: Field) throws(XChatError) -> StateReader {
        try claim(field)
        return try nestedElement(field)
    }

    /// Passes the bytes of a field to a closure without copying them, because they are secret.
    mutating func withSecret<Result>(
        _ field: Field,
        _ body: (Span<UInt8>) throws(XChatError) -> Result
    ) throws(XChatError) -> Result {
        try claim(field)
        return try body(bytes.span.extracting(try range(field)))
    }

    // MARK: Elements of lists, which may occur more than once

    func idElement<ID: Identifier>(_ field: Field) throws(XChatError) -> ID {
        ID(try text(in: range(field), field))
    }

    func nestedElement(_ field: Field) throws(XChatError) -> StateReader {
        StateReader(self, try range(field))
    }

    func pairElement(_ field: Field) throws(XChatError) -> (UInt64, UserID) {
        let range = try range(field)
        guard range.count >= 8 else { throw error("has a value that is too short", field) }
        let number = bytes[range.prefix(8)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return (number, UserID(try text(in: range.dropFirst(8), field)))
    }

    // MARK: Bytes

    private func text(in range: Range<Int>, _ field: Field) throws(XChatError) -> WireString {
        guard let text = String(validating: bytes[range], as: UTF8.self) else {
            throw error("has a text that is not UTF-8", field)
        }
        return WireString(text)
    }

    private mutating func claim(_ field: Field) throws(XChatError) {
        guard field.id < 64 else { return }
        guard seen & 1 << UInt64(field.id) == 0 else { throw error("has two values", field) }
        seen |= 1 << UInt64(field.id)
    }

    private func range(_ field: Field) throws(XChatError) -> Range<Int> {
        guard case .bytes(let range) = field.value else { throw error("has a value of the wrong type", field) }
        return range
    }

    /// Reads a number that is encoded as 7 bits in each byte, the lowest first; only the shortest form is valid.
    private mutating func varint() throws(XChatError) -> UInt64 {
        let start = offset
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard offset < end else { throw error("is cut off", at: start) }
            let byte = bytes[offset]
            offset += 1
            // The tenth byte holds the one bit that is left.
            guard shift < 63 || byte <= 1 else { break }
            value |= UInt64(byte & 0x7f) << shift
            guard byte & 0x80 != 0 else {
                guard byte != 0 || shift == 0 else { break }
                return value
            }
        }
        throw error("has an invalid number", at: start)
    }
}
