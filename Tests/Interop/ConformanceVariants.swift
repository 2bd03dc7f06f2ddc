import XChatEvents

/// Encodings of the values that a schema allows, written by hand from the schema, so that reading is put to the test
/// too.
struct Variants {
    /// One encoding, and what is special about it.
    struct Variant {
        let name: String
        let bytes: [UInt8]
    }

    /// What makes sense in a field, encoded, by `Struct.field` or by `field`; others get a value of their type.
    var sensible: [String: [UInt8]] = [:]
    /// The fields that always have their sensible value.
    var fixed: Set<String> = []

    // MARK: Every field there, each of them missing, each of them alone, each of its values

    /// The encodings of a struct or union that cover it: a sum over its fields, not a product.
    func variants(of schema: StructSchema) -> [Variant] {
        if schema.isUnion { return unionVariants(of: schema) }
        let none = schema.fields.contains(where: \.isRequired) ? "without what is required" : "none"
        var variants = [Variant(name: "all", bytes: full(schema)), Variant(name: none, bytes: [0])]
        for field in schema.fields {
            let others = schema.fields.filter { $0.id != field.id }
            let rest = others.flatMap { encoded($0, of: schema) }
            if !field.isRequired {
                variants.append(Variant(name: "without \(field.name)", bytes: rest + [0]))
                variants.append(Variant(name: "only \(field.name)", bytes: encoded(field, of: schema) + [0]))
            }
            for value in values(of: field, in: schema) {
                let bytes = Self.head(field) + value.bytes + rest + [0]
                variants.append(Variant(name: "\(field.name) \(value.name)", bytes: bytes))
            }
        }
        // One the schema does not know, of each type.
        for (type, value) in Self.unknownValues {
            let unknown = [type, 0x03, 0xE7] + value
            variants.append(Variant(name: "unknown field of type \(type)", bytes: unknown + full(schema)))
        }
        return variants
    }

    private func unionVariants(of schema: StructSchema) -> [Variant] {
        var variants: [Variant] = []
        for field in schema.fields {
            for value in values(of: field, in: schema) {
                variants.append(
                    Variant(name: "\(field.name) \(value.name)", bytes: Self.head(field) + value.bytes + [0])
                )
            }
        }
        let unknown: [UInt8] = [12, 0x03, 0xE7, 0]
        variants.append(Variant(name: "unknown variant", bytes: unknown + [0]))
        variants.append(Variant(name: "unknown next to known", bytes: unknown + full(schema)))
        variants.append(Variant(name: "no variant", bytes: [0]))
        if let first = schema.fields.first, let last = schema.fields.last, first.id != last.id {
            let both = encoded(first, of: schema) + encoded(last, of: schema) + [0]
            variants.append(Variant(name: "two variants", bytes: both))
        }
        return variants
    }

    /// The struct with every field in it; the first variant of a union.
    func full(_ schema: StructSchema) -> [UInt8] {
        (schema.isUnion ? Array(schema.fields.prefix(1)) : schema.fields).flatMap { encoded($0, of: schema) } + [0]
    }

    private func encoded(_ field: FieldSchema, of schema: StructSchema) -> [UInt8] {
        Self.head(field) + typical(field, in: schema)
    }

    private func typical(_ field: FieldSchema, in schema: StructSchema) -> [UInt8] {
        sensible["\(schema.name).\(field.name)"] ?? sensible[field.name] ?? typical(field.type)
    }

    private func typical(_ type: SchemaType) -> [UInt8] {
        switch type {
        case .bool: [1]
        case .i32, .enumeration: Self.i32(1)
        case .i64: Self.i64(12345)
        case .string, .binary: Self.string("x")
        case .structure(let type): full(type.schema)
        case .list(let element): Self.list(of: element, [typical(element)])
        case .map(let key, let value): [key.code, value.code] + Self.i32(1) + typical(key) + typical(value)
        }
    }

    private func values(of field: FieldSchema, in schema: StructSchema) -> [Variant] {
        let name = "\(schema.name).\(field.name)"
        if fixed.contains(name) { return [Variant(name: "as it is", bytes: typical(field, in: schema))] }
        return values(of: field.type)
    }

    private func values(of type: SchemaType) -> [Variant] {
        switch type {
        case .bool: return [Variant(name: "false", bytes: [0]), Variant(name: "as 7", bytes: [7])]
        case .enumeration:
            return (-1...20).map { Variant(name: "\($0)", bytes: Self.i32($0)) }
        case .i32: return [Int32.min, -1, 0, .max].map { Variant(name: "\($0)", bytes: Self.i32($0)) }
        case .i64: return [Int64.min, -1, 0, .max].map { Variant(name: "\($0)", bytes: Self.i64($0)) }
        case .string:
            let texts = ["", "null", "a,b", ",\u{301}", "\u{e9}\u{1f600}\0\u{202e}"]
            return texts.enumerated().map { Variant(name: "text \($0)", bytes: Self.string($1)) }
                + [Variant(name: "not UTF-8", bytes: Self.binary([0xFF]))]
        case .binary: return [Variant(name: "empty", bytes: Self.binary([]))]
        case .structure(let type): return variants(of: type.schema)
        case .list(let element):
            return [Variant(name: "empty", bytes: Self.list(of: element, []))]
                + values(of: element).map {
                    Variant(name: "of \($0.name)", bytes: Self.list(of: element, [$0.bytes]))
                }
                + [
                    Variant(
                        name: "of the same twice",
                        bytes: Self.list(of: element, [typical(element), typical(element)])
                    )
                ]
        case .map(let key, let value):
            return [Variant(name: "empty", bytes: [key.code, value.code] + Self.i32(0))]
        }
    }

    // MARK: Anything at all

    /// A random encoding: most fields there, most values sensible.
    func random(_ schema: StructSchema, using numbers: inout SplitMix64) -> [UInt8] {
        let chosen = schema.isUnion ? schema.fields.randomElement(using: &numbers)?.id : nil
        var bytes: [UInt8] = []
        for field in schema.fields {
            let isDrawn = Int.random(in: 0..<4, using: &numbers) > 0
            guard schema.isUnion ? field.id == chosen : field.isRequired || isDrawn else { continue }
            bytes += Self.head(field) + randomValue(field, in: schema, using: &numbers)
        }
        return bytes + [0]
    }

    private func randomValue(
        _ field: FieldSchema,
        in schema: StructSchema,
        using numbers: inout SplitMix64
    ) -> [UInt8] {
        let isSensible = Int.random(in: 0..<10, using: &numbers) < 8
        switch field.type {
        // These hold values of their own that vary.
        case .structure, .list(.structure):
            if fixed.contains("\(schema.name).\(field.name)") { return typical(field, in: schema) }
        default:
            if isSensible || fixed.contains("\(schema.name).\(field.name)") { return typical(field, in: schema) }
        }
        return random(field.type, using: &numbers)
    }

    private static let hostileTexts = [
        "", ",", "null", "\u{e9}", "e\u{301}", "1111", "2222", "3333", "01", "x", "1111:2222", "2222-1111", "g9", "-1",
        "+7",
        "9223372036854775808", "\0", "\u{202e}", "a,b", "1001", "1002", "false", "\u{1f600}",
    ]

    private func random(_ type: SchemaType, using numbers: inout SplitMix64) -> [UInt8] {
        switch type {
        case .bool: return [UInt8.random(in: 0...1, using: &numbers)]
        case .i32: return Self.i32(Int32.random(in: -3...300, using: &numbers))
        case .i64: return Self.i64([0, -1, .min, .max, 1, 77].randomElement(using: &numbers) ?? 0)
        case .enumeration: return Self.i32(Int32.random(in: -1...20, using: &numbers))
        case .string: return Self.string(Self.hostileTexts.randomElement(using: &numbers) ?? "")
        case .binary:
            let count = Int.random(in: 0...4, using: &numbers)
            return Self.binary((0..<count).map { _ in UInt8.random(in: 0...255, using: &numbers) })
        case .structure(let type): return random(type.schema, using: &numbers)
        case .list(let element):
            let count = Int.random(in: 0...3, using: &numbers)
            return Self.list(of: element, (0..<count).map { _ in random(element, using: &numbers) })
        case .map(let key, let value):
            let entry = random(key, using: &numbers) + random(value, using: &numbers)
            return [key.code, value.code] + Self.i32(1) + entry
        }
    }

    // MARK: Bytes

    private static let unknownValues: [(UInt8, [UInt8])] = [
        (2, [1]), (3, [1]), (4, [0, 0, 0, 0, 0, 0, 0, 0]), (6, [0, 1]), (8, [0, 0, 0, 1]), (10, i64(1)),
        (11, string("x")), (12, [11, 0, 1] + string("x") + [0]), (13, [11, 8] + i32(1) + string("k") + i32(1)),
        (14, [8] + i32(1) + i32(1)), (15, [8] + i32(1) + i32(1)), (16, Array(repeating: 7, count: 16)),
    ]

    static func i32(_ value: Int32) -> [UInt8] { bigEndian(UInt64(UInt32(bitPattern: value)), 4) }
    static func i64(_ value: Int64) -> [UInt8] { bigEndian(UInt64(bitPattern: value), 8) }
    static func string(_ text: String) -> [UInt8] { binary(Array(text.utf8)) }
    static func binary(_ bytes: [UInt8]) -> [UInt8] { i32(Int32(bytes.count)) + bytes }
    static func strings(_ texts: [String]) -> [UInt8] { list(of: .string, texts.map(string)) }

    static func list(of element: SchemaType, _ elements: [[UInt8]]) -> [UInt8] {
        [element.code] + i32(Int32(elements.count)) + elements.flatMap { $0 }
    }

    static func head(_ field: FieldSchema) -> [UInt8] {
        [field.type.code] + bigEndian(UInt64(UInt16(bitPattern: field.id)), 2)
    }

    private static func bigEndian(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64(count - 1 - $0))) }
    }
}

extension SchemaType {
    /// The type code on the wire.
    fileprivate var code: UInt8 {
        switch self {
        case .bool: 2
        case .i32, .enumeration: 8
        case .i64: 10
        case .string, .binary: 11
        case .structure: 12
        case .map: 13
        case .list: 15
        }
    }
}
