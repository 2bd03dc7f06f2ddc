import LibSodium

/// Writes the subset of CBOR (RFC 8949) that realms use: definite lengths, shortest heads, text keys.
package struct CBORWriter {
    package let buffer: SecretBuffer

    package init(capacity: Int = 1024) {
        buffer = SecretBuffer(capacity: capacity)
    }

    private func head(_ major: UInt8, _ value: UInt64) {
        switch value {
        case 0..<24: buffer.append([major << 5 | UInt8(value)])
        case 24...0xFF: buffer.append([major << 5 | 24, UInt8(value)])
        case 0x100...0xFFFF:
            buffer.append([major << 5 | 25])
            buffer.append(bigEndian: UInt16(value))
        case 0x1_0000...0xFFFF_FFFF:
            buffer.append([major << 5 | 26])
            buffer.append(bigEndian: UInt32(value))
        default:
            buffer.append([major << 5 | 27])
            buffer.append(bigEndian: value)
        }
    }

    package func number(_ value: some FixedWidthInteger & UnsignedInteger) { head(0, UInt64(value)) }
    package func map(_ count: Int) { head(5, UInt64(count)) }

    package func text(_ text: String) {
        head(3, UInt64(text.utf8.count))
        buffer.append(text)
    }

    package func text(utf8 text: Secret) {
        head(3, UInt64(text.count))
        buffer.append(text)
    }

    package func bytes(_ bytes: [UInt8]) {
        head(2, UInt64(bytes.count))
        buffer.append(bytes)
    }

    package func bytes(_ bytes: Secret) {
        head(2, UInt64(bytes.count))
        buffer.append(bytes)
    }
}

/// A value of a decoded document; byte strings and texts stay in the document's memory, which is wiped.
package struct CBORNode: Sendable {
    fileprivate indirect enum Value: Sendable {
        case number(UInt64)
        case bytes(Range<Int>)
        case text(Range<Int>)
        case map([(key: Range<Int>, value: Value)])
        /// Arrays, negative numbers and simple values: no known member has one, but a future member may.
        case other
    }

    private let source: Secret
    private let value: Value

    private init(_ source: Secret, _ value: Value) {
        self.source = source
        self.value = value
    }

    /// Decodes a document.
    ///
    /// - Parameter source: At most 65,536 bytes.
    /// - Throws: ``CBORError`` for bytes outside the subset, duplicate members, trailing bytes, or a nesting depth over
    ///   8.
    package init(decoding source: Secret) throws {
        guard source.count <= 1 << 16 else { throw CBORError() }
        value = try source.withBytes { bytes in
            var reader = Reader()
            let value = try reader.value(in: bytes, depth: 0)
            guard reader.offset == bytes.count else { throw CBORError() }
            return value
        }
        self.source = source
    }

    private func string(_ range: Range<Int>) throws -> String {
        let bytes = source.withBytes { [UInt8](copying: $0.extracting(range)) }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw CBORError() }
        return text
    }

    /// A text; nil for other values.
    package var text: String? {
        guard case .text(let range) = value else { return nil }
        return try? string(range)
    }

    /// A byte string of an exact length.
    package func bytes(_ count: Int) throws -> [UInt8] { try secret(count).published }

    /// A byte string of an exact length, in memory that is wiped.
    package func secret(_ count: Int) throws -> Secret {
        guard case .bytes(let range) = value, range.count == count else { throw CBORError() }
        return try source.part(range)
    }

    /// A byte string of any length.
    package func bytes() throws -> [UInt8] {
        guard case .bytes(let range) = value else { throw CBORError() }
        return try source.part(range).published
    }

    /// A number in the range of its type.
    package func number<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) throws -> Number {
        guard case .number(let number) = value, let number = Number(exactly: number) else { throw CBORError() }
        return number
    }

    /// A member of a map.
    package func member(_ name: String) throws -> CBORNode {
        guard case .map(let members) = value else { throw CBORError() }
        let name = Array(name.utf8)
        for (key, value) in members {
            let isMatch = source.withBytes { Sodium.isEqual($0.extracting(key), name.span) }
            if isMatch { return CBORNode(source, value) }
        }
        throw CBORError()
    }

    /// An enum value: a text, or a map of one entry whose key is the name.
    package func variant() throws -> (name: String, payload: CBORNode?) {
        switch value {
        case .text(let range): return (try string(range), nil)
        case .map(let members):
            guard members.count == 1 else { throw CBORError() }
            return (try string(members[0].key), CBORNode(source, members[0].value))
        default: throw CBORError()
        }
    }

    private struct Reader {
        private(set) var offset = 0

        mutating func value(in bytes: Span<UInt8>, depth: Int) throws -> Value {
            guard depth <= 8, offset < bytes.count else { throw CBORError() }
            let first = bytes[offset]
            offset += 1
            let argument = try argument(first & 31, in: bytes)
            switch first >> 5 {
            case 0: return .number(argument)
            case 1: return .other
            case 2: return .bytes(try take(argument, of: bytes))
            case 3: return .text(try take(argument, of: bytes))
            case 4:
                guard argument <= UInt64(bytes.count - offset) else { throw CBORError() }
                for _ in 0..<argument { _ = try value(in: bytes, depth: depth + 1) }
                return .other
            case 5:
                // Each entry takes two bytes at least.
                guard argument <= UInt64(bytes.count - offset) / 2 else { throw CBORError() }
                var members: [(key: Range<Int>, value: Value)] = []
                for _ in 0..<argument {
                    guard case .text(let key) = try value(in: bytes, depth: depth + 1) else { throw CBORError() }
                    for (other, _) in members
                    where Sodium.isEqual(bytes.extracting(other), bytes.extracting(key)) {
                        throw CBORError()
                    }
                    guard members.count < 64 else { throw CBORError() }
                    members.append((key, try value(in: bytes, depth: depth + 1)))
                }
                return .map(members)
            case 7 where (20...22).contains(first & 31): return .other
            default: throw CBORError()
            }
        }

        private mutating func argument(_ short: UInt8, in bytes: Span<UInt8>) throws -> UInt64 {
            guard short >= 24 else { return UInt64(short) }
            guard short <= 27 else { throw CBORError() }
            let count = 1 << Int(short - 24)
            var argument: UInt64 = 0
            for index in try take(UInt64(count), of: bytes) { argument = argument << 8 | UInt64(bytes[index]) }
            let least: UInt64 = count == 1 ? 24 : 1 << (UInt64(count) * 4)
            guard argument >= least else { throw CBORError() }
            return argument
        }

        private mutating func take(_ count: UInt64, of bytes: Span<UInt8>) throws -> Range<Int> {
            guard count <= UInt64(bytes.count - offset) else { throw CBORError() }
            let range = offset..<offset + Int(count)
            offset = range.upperBound
            return range
        }
    }
}

/// The bytes are not in the subset, or the document does not have the expected structure.
package struct CBORError: Error {
    package init() {}
}
