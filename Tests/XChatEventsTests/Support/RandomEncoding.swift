import ThriftBinary
import XChatEvents

/// A generator whose numbers a seed decides.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}

/// Encodings of random values of any struct, made from the schema alone.
struct RandomEncoding {
    private var generator: SeededGenerator
    private let texts = ["", "a", ",", "null", "1111", "e\u{301}", "\u{e9}", "\0", "\u{1f600}\u{200d}", "1111:2222"]

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    /// The encoding of one struct or union.
    mutating func bytes(of type: any WireStruct.Type) -> [UInt8] {
        var writer = ThriftWriter()
        write(type.schema, to: &writer)
        return writer.bytes
    }

    /// The encoding of one value.
    mutating func bytes(of type: SchemaType) -> [UInt8] {
        var writer = ThriftWriter()
        write(type, to: &writer)
        return writer.bytes
    }

    private mutating func write(_ schema: StructSchema, to writer: inout ThriftWriter) {
        let chosen = schema.isUnion ? schema.fields.randomElement(using: &generator)?.id : nil
        for field in schema.fields {
            let isDrawn = Int.random(in: 0..<3, using: &generator) > 0
            guard schema.isUnion ? field.id == chosen : field.isRequired || isDrawn else { continue }
            writer.field(field.type.wireType, id: field.id)
            write(field.type, to: &writer)
        }
        writer.stop()
    }

    private mutating func write(_ type: SchemaType, to writer: inout ThriftWriter) {
        switch type {
        case .bool: writer.bool(Bool.random(using: &generator))
        case .i32: writer.i32(Int32.random(in: .min ... .max, using: &generator))
        case .i64: writer.i64(Int64.random(in: .min ... .max, using: &generator))
        case .enumeration: writer.i32(Int32.random(in: -1...20, using: &generator))
        case .string: writer.string(texts.randomElement(using: &generator) ?? "")
        case .binary: writer.binary(binary())
        case .structure(let type): write(type.schema, to: &writer)
        case .list(let element):
            let count = Int.random(in: 0...2, using: &generator)
            writer.listHead(of: element.wireType, count: count)
            for _ in 0..<count { write(element, to: &writer) }
        case .map(let key, let value): write(mapOf: key, value, to: &writer)
        }
    }

    private mutating func write(mapOf key: SchemaType, _ value: SchemaType, to writer: inout ThriftWriter) {
        let keys = Set((0..<Int.random(in: 0...2, using: &generator)).map { _ in bytes(of: key) })
            .sorted { Self.precedes($0, $1, as: key) }
        writer.mapHead(key: key.wireType, value: value.wireType, count: keys.count)
        for key in keys {
            writer.encoded(key)
            write(value, to: &writer)
        }
    }

    private mutating func binary() -> [UInt8] {
        (0..<Int.random(in: 0...4, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    /// The order in which entries are written, read from the encoded keys.
    private static func precedes(_ left: [UInt8], _ right: [UInt8], as type: SchemaType) -> Bool {
        switch type {
        case .string, .binary: left.dropFirst(4).lexicographicallyPrecedes(right.dropFirst(4))
        default:
            // Big-endian numbers sort as bytes once the sign is turned over.
            ([left[0] ^ 0x80] + left.dropFirst()).lexicographicallyPrecedes([right[0] ^ 0x80] + right.dropFirst())
        }
    }
}
