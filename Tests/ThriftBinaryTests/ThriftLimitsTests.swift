import Testing
import ThriftBinary

@Suite("Every size, count and nesting has a limit")
struct ThriftLimitsTests {
    private static func size(_ value: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }

    @Test("a length beyond what is there is refused at once", arguments: [5, 1_000_000, ThriftLimits.stringBytes])
    func hugeString(_ length: Int) {
        var string = ThriftReader(Self.size(length) + [1, 2, 3, 4])
        #expect(throws: ThriftError(.truncated, offset: 0)) { try string.string() }
        var binary = ThriftReader(Self.size(length) + [1, 2, 3, 4])
        #expect(throws: ThriftError(.truncated, offset: 0)) { try binary.binary() }
    }

    @Test func `a string over the limit is refused for that`() {
        #expect(ThriftLimits.stringBytes == 100 << 20)
        for length in [ThriftLimits.stringBytes + 1, Int(Int32.max)] {
            var reader = ThriftReader(Self.size(length))
            #expect(throws: ThriftError(.stringTooLong, offset: 0)) { try reader.binary() }
        }
    }

    @Test func `a negative length or count is refused`() {
        for bytes: [UInt8] in [[0xff, 0xff, 0xff, 0xff], [0x80, 0, 0, 0]] {
            var string = ThriftReader(bytes)
            #expect(throws: ThriftError(.negativeSize, offset: 0)) { try string.string() }
            var list = ThriftReader([2] + bytes)
            #expect(throws: ThriftError(.negativeSize, offset: 1)) { try list.listHead() }
            var map = ThriftReader([2, 2] + bytes)
            #expect(throws: ThriftError(.negativeSize, offset: 2)) { try map.mapHead() }
        }
    }

    @Test func `a list holds ten thousand elements and no more`() throws {
        var fits = ThriftReader([2] + Self.size(10_000) + [UInt8](repeating: 0, count: 10_000))
        #expect(try fits.listHead().count == 10_000)
        var over = ThriftReader([2] + Self.size(10_001) + [UInt8](repeating: 0, count: 10_001))
        #expect(throws: ThriftError(.tooManyElements, offset: 1)) { try over.listHead() }
        var map = ThriftReader([2, 2] + Self.size(10_001) + [UInt8](repeating: 0, count: 20_002))
        #expect(throws: ThriftError(.tooManyElements, offset: 2)) { try map.mapHead() }
    }

    /// The bytes that the smallest value of a type takes.
    private let smallest: [ThriftType: Int] = [
        .bool: 1, .i8: 1, .i16: 2, .i32: 4, .i64: 8, .double: 8, .uuid: 16, .string: 4, .structure: 1, .list: 5,
        .set: 5, .map: 6,
    ]

    @Test("a count is held against the bytes that are left", arguments: SkippingTests.values)
    func countBeyondInput(_ type: ThriftType, _ bytes: [UInt8]) throws {
        let minimum = try #require(smallest[type])
        var short = ThriftReader([type.rawValue] + Self.size(3) + [UInt8](repeating: 0, count: 3 * minimum - 1))
        #expect(throws: ThriftError(.truncated, offset: 1)) { try short.listHead() }
        var enough = ThriftReader([type.rawValue] + Self.size(3) + [UInt8](repeating: 0, count: 3 * minimum))
        #expect(try enough.listHead().count == 3)
        // An entry of a map takes a key of one byte and the value, or the other way round.
        for types in [[ThriftType.bool, type], [type, .bool]].map({ $0.map(\.rawValue) }) {
            var short = ThriftReader(types + Self.size(3) + [UInt8](repeating: 0, count: 3 * minimum + 2))
            #expect(throws: ThriftError(.truncated, offset: 2)) { try short.mapHead() }
            var enough = ThriftReader(types + Self.size(3) + [UInt8](repeating: 0, count: 3 * minimum + 3))
            #expect(try enough.mapHead().count == 3)
        }
    }

    @Test func `all lists together hold a hundred thousand elements`() throws {
        let list = [2] + Self.size(10_000) + [UInt8](repeating: 0, count: 10_000)
        let lists = [UInt8]((0..<10).map { _ in list }.joined())
        let field = ThriftField(id: 1, type: .list, offset: 0)
        var reader = ThriftReader(lists + [2] + Self.size(1) + [0])
        for _ in 0..<10 { try reader.skip(field) }
        #expect(throws: ThriftError(.tooManyElementsInAll, offset: lists.count + 1)) { try reader.skip(field) }
        // A map counts its entries, and lists inside lists count too: ten lists make ten more.
        var nested = ThriftReader([15] + Self.size(10) + lists)
        #expect(throws: ThriftError(.tooManyElementsInAll, path: "[9]", offset: 5 + lists.count - 10_004)) {
            try nested.skip(field)
        }
        var empty = ThriftReader(lists + [13, 2] + Self.size(0))
        for _ in 0..<10 { try empty.skip(field) }
        #expect(throws: Never.self) { try empty.mapHead() }
    }

    @Test func `64 structs may be open at once`() throws {
        var reader = ThriftReader([])
        for _ in 0..<64 { _ = try reader.beginStruct() }
        #expect(throws: ThriftError(.tooDeep, offset: 0)) { try reader.beginStruct() }
        reader.endStruct()
        #expect(throws: Never.self) { try reader.beginStruct() }
        #expect(throws: ThriftError(.tooDeep, offset: 0)) { try reader.beginStruct() }
    }

    @Test func `sibling structs are open one after the other`() throws {
        let bytes = (1...100).flatMap { id -> [UInt8] in [12, 0, id, 0] } + [0]
        var reader = ThriftReader(bytes)
        try reader.skip(ThriftField(id: 1, type: .structure, offset: 0))
        try reader.finish()
        guard case .structure(let fields) = try ThriftValue(decodingStruct: bytes) else {
            Issue.record("not a struct")
            return
        }
        #expect(fields.map(\.value) == [ThriftValue](repeating: .structure([]), count: 100))
    }

    /// `count` structs, one in the other, each as field 1.
    private static func structs(_ count: Int) -> [UInt8] {
        [UInt8]((1..<count).map { _ in [12, 0, 1] as [UInt8] }.joined()) + [UInt8](repeating: 0, count: count)
    }

    @Test func `skipped structs count with those that are open`() throws {
        let field = ThriftField(id: 1, type: .structure, offset: 0)
        for open in [1, 3] {
            var fits = ThriftReader(Self.structs(64 - open))
            for _ in 0..<open { _ = try fits.beginStruct() }
            #expect(throws: Never.self) { try fits.skip(field) }
            var over = ThriftReader(Self.structs(65 - open))
            for _ in 0..<open { _ = try over.beginStruct() }
            let error = #expect(throws: ThriftError.self) { try over.skip(field) }
            #expect(error?.code == .tooDeep)
            #expect(error?.offset == 3 * (64 - open))
        }
    }

    /// `count` lists, one in the other, the innermost empty.
    private static func lists(_ count: Int) -> [UInt8] {
        [UInt8]((1..<count).map { _ in [15, 0, 0, 0, 1] as [UInt8] }.joined()) + [15, 0, 0, 0, 0]
    }

    @Test func `skipped values nest 64 levels`() {
        let field = ThriftField(id: 1, type: .list, offset: 0)
        var fits = ThriftReader(Self.lists(64))
        #expect(throws: Never.self) { try fits.skip(field) }
        var over = ThriftReader(Self.lists(65))
        let error = #expect(throws: ThriftError.self) { try over.skip(field) }
        #expect(error?.code == .tooDeep)
        #expect(error?.offset == 5 * 64)
        var endless = ThriftReader(Self.lists(100_000))
        #expect(throws: ThriftError.self) { try endless.skip(field) }
    }

    /// A value around another one; `mapOfKeys` has it as a key.
    private enum Wrapping: CaseIterable {
        case structure, list, map, mapOfKeys

        func wrap(_ type: ThriftType, _ value: [UInt8]) -> (ThriftType, [UInt8]) {
            let one = ThriftLimitsTests.size(1)
            return switch self {
            case .structure: (.structure, [type.rawValue, 0, 1] + value + [0])
            case .list: (.list, [type.rawValue] + one + value)
            case .map: (.map, [ThriftType.bool.rawValue, type.rawValue] + one + [1] + value)
            case .mapOfKeys: (.map, [type.rawValue, ThriftType.bool.rawValue] + one + value + [1])
            }
        }
    }

    @Test(
        "every kind of value is a level",
        arguments: Wrapping.allCases.flatMap { outer in Wrapping.allCases.map { (outer, $0) } }
    )
    private func levels(_ outer: Wrapping, _ inner: Wrapping) throws {
        for (count, fits) in [(63, true), (64, false)] {
            var (type, bytes): (ThriftType, [UInt8]) = (.bool, [1])
            for level in 0..<count { (type, bytes) = (level.isMultiple(of: 2) ? inner : outer).wrap(type, bytes) }
            var skipped = ThriftReader(bytes)
            var opaque = ThriftReader(bytes)
            if fits {
                try skipped.skip(ThriftField(id: 1, type: type, offset: 0))
                #expect(try opaque.opaque(type) == bytes)
            } else {
                let codes = [
                    #expect(throws: ThriftError.self) { try skipped.skip(ThriftField(id: 1, type: type, offset: 0)) },
                    #expect(throws: ThriftError.self) { try opaque.opaque(type) },
                ].map { $0?.code }
                #expect(codes == [.tooDeep, .tooDeep])
            }
        }
    }

    @Test("every kind of value is a level without a schema", arguments: [Wrapping.list, .map, .mapOfKeys])
    private func levelsWithoutSchema(_ wrapping: Wrapping) {
        for (count, fits) in [(127, true), (128, false)] {
            var (type, bytes): (ThriftType, [UInt8]) = (.bool, [1])
            for _ in 0..<count { (type, bytes) = wrapping.wrap(type, bytes) }
            let document = [type.rawValue, 0, 1] + bytes + [0]
            if fits {
                #expect(throws: Never.self) { try ThriftValue(decodingStruct: document) }
            } else {
                #expect(throws: ThriftError.self) { _ = try ThriftValue(decodingStruct: document) }
            }
        }
    }

    @Test func `a struct without a schema is kept up to a hundred thousand fields in all`() throws {
        // Structs of 20,000 bools each, as fields 1 to 5 of one: 100,005.
        let bools = (0..<20_000).flatMap { id -> [UInt8] in [2, UInt8(id >> 8), UInt8(id & 0xff), 1] } + [0]
        let structs = (1...5).flatMap { id -> [UInt8] in [12, 0, id] + bools }
        let over = #expect(throws: ThriftError.self) { try ThriftValue(decodingStruct: structs + [0]) }
        #expect(over == ThriftError(.tooManyFields, path: "#5.#19995", offset: structs.count - 1 - 5 * 4))
        // Five fewer, and they fit; a reader that knows a schema skips any number.
        let fits = structs.dropLast(1 + 5 * 4) + [0, 0]
        #expect(throws: Never.self) { try ThriftValue(decodingStruct: Array(fits)) }
        var reader = ThriftReader(structs + [0])
        #expect(throws: Never.self) { try reader.skip(ThriftField(id: 1, type: .structure, offset: 0)) }
    }

    @Test func `values without a schema are as bounded`() {
        #expect(throws: Never.self) { try ThriftValue(decodingStruct: Self.structs(64)) }
        let error = #expect(throws: ThriftError.self) { try ThriftValue(decodingStruct: Self.structs(65)) }
        #expect(error?.code == .tooDeep)
        // As deep as the structs that a schema knows and a value that is skipped below them.
        #expect(throws: Never.self) { try ThriftValue(decodingStruct: [15, 0, 1] + Self.lists(128) + [0]) }
        for count in [129, 100_000] {
            let lists = #expect(throws: ThriftError.self) {
                try ThriftValue(decodingStruct: [15, 0, 1] + Self.lists(count) + [0])
            }
            #expect(lists?.code == .tooDeep)
            #expect(lists?.offset == 3 + 5 * 128)
        }
    }

    // MARK: Memory

    @Test func `values take at most 8 times the input and 1 MiB`() throws {
        let limit = ThriftLimits.memoryBytes(input: 1000)
        #expect(limit == 8 * 1000 + 1_048_576)
        var fits = ThriftReader([UInt8](repeating: 0, count: 1000))
        #expect(throws: Never.self) { try fits.allocate(limit - 48 - 1, at: 0) }
        var over = ThriftReader([UInt8](repeating: 0, count: 1000))
        #expect(throws: ThriftError(.tooMuchMemory, offset: 7)) { try over.allocate(limit, at: 7) }
        // What was counted before counts.
        #expect(throws: ThriftError(.tooMuchMemory, offset: 8)) { try fits.allocate(1, at: 8) }
        for count in [10_000, .max] {
            var reader = ThriftReader([])
            #expect(throws: ThriftError(.tooMuchMemory, offset: 0)) { try reader.allocate(count, of: 200, at: 0) }
            #expect(reader.memoryBytes == 0)
        }
    }

    @Test func `all of the memory can be used, and no elements take none`() throws {
        let limit = ThriftLimits.memoryBytes(input: 0)
        var whole = ThriftReader([])
        try whole.allocate(limit - 48, at: 0)
        #expect(whole.memoryBytes == limit)
        var parts = ThriftReader([])
        try parts.allocate(limit - 48 - 49, at: 0)
        try parts.allocate(1, at: 0)
        #expect(parts.memoryBytes == limit)
        try parts.allocate(0, at: 0)
        #expect(parts.memoryBytes == limit)
    }

    @Test func `what is kept counts, and what is skipped does not`() throws {
        let string = Self.size(100) + [UInt8](repeating: 0x61, count: 100)
        var text = ThriftReader(string)
        _ = try text.string()
        #expect(text.memoryBytes == 148)
        var binary = ThriftReader(string)
        _ = try binary.binary()
        #expect(binary.memoryBytes == 148)
        var opaque = ThriftReader(string)
        _ = try opaque.opaque(.string)
        #expect(opaque.memoryBytes == 152)
        var skipped = ThriftReader(string)
        try skipped.skip(ThriftField(id: 1, type: .string, offset: 0))
        #expect(skipped.memoryBytes == 0)
        // Up to 15 bytes are inside of a string.
        var short = ThriftReader(Self.size(15) + [UInt8](repeating: 0x61, count: 15))
        _ = try short.string()
        #expect(short.memoryBytes == 0)
        var longer = ThriftReader(Self.size(16) + [UInt8](repeating: 0x61, count: 16))
        _ = try longer.string()
        #expect(longer.memoryBytes == 64)
        var raw = ThriftReader([UInt8](repeating: 1, count: 18))
        _ = try raw.i16()
        #expect(try raw.rawBytes(16) == [UInt8](repeating: 1, count: 16))
        #expect(raw.memoryBytes == 64)
    }

    @Test func `maps without a schema count`() {
        let map = [2, 2] + Self.size(10_000) + [UInt8](repeating: 1, count: 20_000)
        let fields = (1...10).flatMap { id -> [UInt8] in [13, 0, id] + map }
        let error = #expect(throws: ThriftError.self) { _ = try ThriftValue(decodingStruct: fields + [0]) }
        #expect(error?.code == .tooMuchMemory)
    }

    @Test func `structs without a schema count, and many small ones are too much`() throws {
        // 100,000 structs of one field, 5 bytes each, in ten lists.
        let list = [12] + Self.size(9_999) + [UInt8]((0..<9_999).map { _ in [2, 0, 1, 1, 0] as [UInt8] }.joined())
        let lists = (1...10).flatMap { id -> [UInt8] in [15, 0, id] + list } + [0]
        let error = #expect(throws: ThriftError.self) { try ThriftValue(decodingStruct: lists) }
        #expect(error?.code == .tooMuchMemory)
        var reader = ThriftReader(lists)
        #expect(throws: Never.self) { try reader.skip(ThriftField(id: 1, type: .structure, offset: 0)) }
    }
}
