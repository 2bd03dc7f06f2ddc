import Testing
import ThriftBinary

@Suite("The reader takes what the protocol says")
struct ThriftReaderTests {
    @Test func `numbers are big-endian and signed`() throws {
        var reader = ThriftReader([0xfe, 0xff, 0xfe, 0x80, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
        #expect(try reader.i8() == -2)
        #expect(try reader.i16() == -2)
        #expect(try reader.i32() == -2_147_483_647)
        #expect(try reader.i64() == .max)
        try reader.finish()
    }

    @Test func `any byte but zero is true`() throws {
        for byte in UInt8.min...UInt8.max {
            var reader = ThriftReader([byte])
            #expect(try reader.bool() == (byte != 0))
        }
    }

    @Test func `text is taken byte for byte`() throws {
        let text = "e\u{301},\0\u{1f600}"
        var reader = ThriftReader([0, 0, 0, 9] + Array(text.utf8))
        #expect(Array(try reader.string().utf8) == Array(text.utf8))
    }

    @Test(
        "text that is not UTF-8 is refused",
        arguments: [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0xf4, 0x90, 0x80, 0x80]] as [[UInt8]]
    )
    func invalidText(_ bytes: [UInt8]) {
        var reader = ThriftReader([0, 0, 0, UInt8(bytes.count)] + bytes)
        #expect(throws: ThriftError(.invalidUTF8, offset: 0)) { try reader.string() }
        var binary = ThriftReader([0, 0, 0, UInt8(bytes.count)] + bytes)
        #expect(throws: Never.self) { try binary.binary() }
    }

    @Test func `a double is its bits`() throws {
        var reader = ThriftReader([0x40, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18])
        #expect(try reader.double() == .pi)
    }

    @Test func `bytes after the end are refused`() throws {
        var reader = ThriftReader([0, 0])
        _ = try reader.beginStruct()
        #expect(try reader.nextField() == nil)
        reader.endStruct()
        #expect(throws: ThriftError(.trailingBytes, offset: 1)) { try reader.finish() }
    }

    @Test func `type codes that do not exist are refused as fields and as elements`() {
        let known: Set<UInt8> = [0, 2, 3, 4, 6, 8, 10, 11, 12, 13, 14, 15, 16]
        for code in UInt8.min...UInt8.max where !known.contains(code) {
            var field = ThriftReader([code, 0, 1])
            #expect(throws: ThriftError(.unknownType, offset: 0)) { try field.nextField() }
            var element = ThriftReader([code, 0, 0, 0, 0])
            #expect(throws: ThriftError(.unknownType, offset: 0)) { try element.listHead() }
            var value = ThriftReader([11, code, 0, 0, 0, 0])
            #expect(throws: ThriftError(.unknownType, offset: 1)) { try value.mapHead() }
        }
    }

    @Test func `a field is of the type that is expected, and of no other`() {
        let reader = ThriftReader([])
        let types = SkippingTests.values.map(\.0)
        for type in types {
            let field = ThriftField(id: 1, type: type, offset: 7)
            #expect(throws: Never.self) { try reader.expect(type, field) }
            for other in types where other != type {
                #expect(throws: ThriftError(.wrongType, offset: 7)) { try reader.expect(other, field) }
            }
        }
    }

    @Test func `a field number comes once, whatever its range`() throws {
        for id: Int16 in [.min, -1, 0, 1, 63, 64, 100, 127, 128, .max] {
            var fields = FieldSet()
            try fields.claim(ThriftField(id: id, type: .bool, offset: 7))
            #expect(throws: ThriftError(.duplicateField, offset: 9)) {
                try fields.claim(ThriftField(id: id, type: .i32, offset: 9))
            }
        }
    }

    @Test func `field numbers do not get in each other's way`() throws {
        var fields = FieldSet()
        for id in -300...300 {
            try fields.claim(ThriftField(id: Int16(id), type: .bool, offset: 0))
        }
    }
}

@Suite("The reader passes over every kind of value, and only over whole ones")
struct SkippingTests {
    /// One value of each type, encoded.
    static let values: [(ThriftType, [UInt8])] = [
        (.bool, [1]),
        (.i8, [0xff]),
        (.double, [0, 0, 0, 0, 0, 0, 0, 0]),
        (.i16, [1, 2]),
        (.i32, [1, 2, 3, 4]),
        (.i64, [1, 2, 3, 4, 5, 6, 7, 8]),
        (.string, [0, 0, 0, 2, 0xff, 0xfe]),
        (.structure, [2, 0, 1, 1, 11, 0xff, 0xfe, 0, 0, 0, 1, 9, 0]),
        (.map, [11, 8, 0, 0, 0, 1, 0, 0, 0, 1, 65, 1, 2, 3, 4]),
        (.set, [10, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8]),
        (.list, [15, 0, 0, 0, 1, 2, 0, 0, 0, 2, 1, 0]),
        (.uuid, Array(0..<16)),
    ]

    @Test("a value is passed over whole", arguments: values)
    func skips(_ type: ThriftType, _ bytes: [UInt8]) throws {
        var reader = ThriftReader(bytes + [0x55])
        try reader.skip(ThriftField(id: 1, type: type, offset: 0))
        #expect(reader.offset == bytes.count)
        var opaque = ThriftReader(bytes + [0x55])
        #expect(try opaque.opaque(type) == bytes)
    }

    @Test("truncation is refused at every length", arguments: values)
    func truncated(_ type: ThriftType, _ bytes: [UInt8]) {
        for length in 0..<bytes.count {
            var reader = ThriftReader(Array(bytes[..<length]))
            let error = #expect(throws: ThriftError.self) {
                try reader.skip(ThriftField(id: 1, type: type, offset: 0))
            }
            #expect(error?.code == .truncated)
            #expect((error?.offset ?? .max) <= length)
        }
    }

    @Test func `errors inside an unknown value name the path by numbers`() {
        // A struct with field 5, a list of maps; the value of the last entry of the last is cut off.
        let map: [UInt8] = [3, 11, 0, 0, 0, 2, 1, 0, 0, 0, 0, 2, 0, 0, 0, 2, 65, 66]
        let bytes: [UInt8] = [15, 0, 5, 13, 0, 0, 0, 3] + map + map + map.dropLast()
        var reader = ThriftReader(bytes)
        #expect(throws: ThriftError(.truncated, path: "#5[2][1]", offset: 56)) {
            try reader.skip(ThriftField(id: 1, type: .structure, offset: 0))
        }
        var list = ThriftReader([12, 0, 0, 0, 1, 14, 0xff, 0xf9, 2, 0xff, 0xff, 0xff, 0xff])
        #expect(throws: ThriftError(.negativeSize, path: "[0].#-7", offset: 9)) {
            try list.skip(ThriftField(id: 1, type: .list, offset: 0))
        }
    }

    @Test func `a field that comes twice is refused inside skipped structs too`() {
        var reader = ThriftReader([2, 0, 1, 1, 2, 0, 1, 1, 0])
        #expect(throws: ThriftError(.duplicateField, path: "#1", offset: 4)) {
            try reader.skip(ThriftField(id: 1, type: .structure, offset: 0))
        }
    }
}
