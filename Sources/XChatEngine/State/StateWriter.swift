import LibSodium
import XChatEvents

/// Writes the fields of a stored state.
///
/// The format is a subset of the Protocol Buffers wire format (protobuf.dev, "Encoding"): a field is a key, which holds
/// its number and wire type, and a value, which is a variable-length integer or bytes after their length. A reader can
/// skip fields that it does not know. Thrift is not used here, because its reader copies secrets, and because it limits
/// lists to the sizes that events need.
///
/// Before the fields are a byte for the format and a byte for the kind of state. After the fields is a zero byte, with
/// which no field begins, so that a truncated state is detected.
struct StateWriter {
    /// The bytes written so far; they may contain secrets.
    private(set) var bytes: [UInt8] = []

    init(_ kind: StateKind) {
        bytes = [StateKind.format, kind.rawValue]
    }

    /// Writes the end of the state.
    mutating func finish() {
        reserve(for: 1)
        bytes.append(0)
    }

    // MARK: Fields

    mutating func number(_ id: Int, _ value: UInt64) {
        key(id, .number)
        varint(value)
    }

    /// Writes a field for a number and nothing for 0.
    mutating func number(_ id: Int, unlessZero value: UInt64) {
        if value != 0 { number(id, value) }
    }

    /// Writes a field for true and nothing for false.
    mutating func flag(_ id: Int, _ value: Bool) {
        if value { number(id, 1) }
    }

    mutating func text(_ id: Int, _ value: some WireText) {
        key(id, .bytes)
        varint(UInt64(value.utf8.count))
        reserve(for: value.utf8.count)
        bytes.append(contentsOf: value.utf8)
    }

    mutating func text(_ id: Int, ifPresent value: (some WireText)?) {
        if let value { text(id, value) }
    }

    mutating func bytes(_ id: Int, _ value: [UInt8]) {
        key(id, .bytes)
        varint(UInt64(value.count))
        reserve(for: value.count)
        bytes.append(contentsOf: value)
    }

    mutating func bytes(_ id: Int, ifPresent value: [UInt8]?) {
        if let value { bytes(id, value) }
    }

    mutating func secret(_ id: Int, _ value: Span<UInt8>) {
        key(id, .bytes)
        varint(UInt64(value.count))
        reserve(for: value.count)
        for index in value.indices { bytes.append(value[index]) }
    }

    /// Writes digests one after the other in one field, and nothing for an empty list.
    mutating func digests(_ id: Int, _ digests: some Collection<EventDigest>) {
        guard !digests.isEmpty else { return }
        nested(id) { writer in
            writer.reserve(for: digests.count * EventDigest.byteCount)
            for digest in digests { writer.bytes.append(contentsOf: digest.bytes) }
        }
    }

    /// Writes a field whose value consists of fields.
    mutating func nested<Failure: Error>(_ id: Int, _ body: (inout StateWriter) throws(Failure) -> Void) throws(Failure)
    {
        key(id, .bytes)
        // Most lengths take one byte; the further bytes of a longer one are inserted.
        reserve(for: 1)
        bytes.append(0)
        let start = bytes.count
        try body(&self)
        var length = UInt64(bytes.count - start)
        guard length >= 0x80 else {
            bytes[start - 1] = UInt8(length)
            return
        }
        bytes[start - 1] = UInt8(truncatingIfNeeded: length) | 0x80
        length >>= 7
        var rest: [UInt8] = []
        while length >= 0x80 {
            rest.append(UInt8(truncatingIfNeeded: length) | 0x80)
            length >>= 7
        }
        rest.append(UInt8(length))
        reserve(for: rest.count)
        bytes.insert(contentsOf: rest, at: start)
    }

    /// Writes fields that a reader kept because it does not know them.
    mutating func unknown(_ fields: [UInt8]) {
        reserve(for: fields.count)
        bytes.append(contentsOf: fields)
    }

    /// Writes a number of 8 bytes and a text as the value of one field.
    mutating func pair(_ id: Int, _ number: UInt64, _ text: some WireText) {
        key(id, .bytes)
        varint(UInt64(8 + text.utf8.count))
        reserve(for: 8 + text.utf8.count)
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
        }
        bytes.append(contentsOf: text.utf8)
    }

    // MARK: Bytes

    private mutating func key(_ id: Int, _ type: StateWireType) {
        varint(UInt64(id) << 3 | UInt64(type.rawValue))
    }

    private mutating func varint(_ value: UInt64) {
        reserve(for: 10)
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Grows the buffer if necessary, and wipes the old one: an array that grows by itself leaves secrets in freed
    /// memory.
    private mutating func reserve(for count: Int) {
        guard bytes.capacity - bytes.count < count else { return }
        var larger: [UInt8] = []
        larger.reserveCapacity(max(2 * bytes.capacity, bytes.count + count, 256))
        larger.append(contentsOf: bytes)
        Sodium.wipe(&bytes)
        bytes = larger
    }
}

/// How the value of a field is written, with the numbers of Protocol Buffers.
enum StateWireType: UInt8 {
    case number = 0
    case bytes = 2
}

/// The subject of an encoded state.
enum StateKind: UInt8 {
    case user = 1
    case conversation = 2
    case session = 3

    /// The number of the format; a state that older versions of the library must not read gets a higher one.
    static let format: UInt8 = 1

    /// The name of the state in error texts.
    var name: String {
        switch self {
        case .user: "the stored state of a user"
        case .conversation: "the stored state of a conversation"
        case .session: "the stored state of a session"
        }
    }
}
