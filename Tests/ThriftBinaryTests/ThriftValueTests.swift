import Testing
import ThriftBinary

@Suite("Values without a schema, and what is written")
struct ThriftValueTests {
    @Test func `a struct is read with every field, in wire order`() throws {
        var bytes: [UInt8] = []
        var id: UInt8 = 20
        for (type, value) in SkippingTests.values {
            bytes += [type.rawValue, 0, id] + value
            id -= 1
        }
        let expected: [ThriftValue] = [
            .bool(true),
            .i8(-1),
            .double(0),
            .i16(0x0102),
            .i32(0x0102_0304),
            .i64(0x0102_0304_0506_0708),
            .string([0xff, 0xfe]),
            .structure([
                ThriftValue.Field(id: 1, value: .bool(true)), ThriftValue.Field(id: -2, value: .string([9])),
            ]),
            .map(
                key: .string,
                value: .i32,
                [ThriftValue.Entry(key: .string([65]), value: .i32(0x0102_0304))]
            ),
            .set(.i64, [.i64(0x0102_0304_0506_0708)]),
            .list(.list, [.list(.bool, [.bool(true), .bool(false)])]),
            .uuid(Array(0..<16)),
        ]
        let value = try ThriftValue(decodingStruct: bytes + [0])
        guard case .structure(let fields) = value else {
            Issue.record("not a struct")
            return
        }
        #expect(fields.map(\.value) == expected)
        #expect(fields.map(\.id) == (9...20).reversed())
        #expect(fields.map(\.value.type) == SkippingTests.values.map(\.0))
    }

    @Test func `truncated, repeated and trailing input is refused`() throws {
        let bytes: [UInt8] = [12, 0, 7, 11, 0, 1, 0, 0, 0, 2, 65, 66, 0, 0]
        #expect(throws: Never.self) { try ThriftValue(decodingStruct: bytes) }
        for length in 0..<bytes.count {
            let error = #expect(throws: ThriftError.self) { try ThriftValue(decodingStruct: Array(bytes[..<length])) }
            #expect(error?.code == .truncated)
        }
        #expect(throws: ThriftError(.trailingBytes, offset: 14)) { try ThriftValue(decodingStruct: bytes + [0]) }
        #expect(throws: ThriftError(.duplicateField, path: "#7", offset: 13)) {
            try ThriftValue(decodingStruct: bytes.dropLast() + bytes)
        }
        #expect(throws: ThriftError(.stringTooLong, path: "#7.#1", offset: 6)) {
            try ThriftValue(decodingStruct: [12, 0, 7, 11, 0, 1, 0x7f, 0, 0, 0])
        }
    }

    @Test func `the writer writes what the protocol says`() {
        var writer = ThriftWriter()
        writer.field(.bool, id: 1)
        writer.bool(true)
        writer.field(.bool, id: 7)
        writer.bool(false)
        writer.field(.i32, id: -2)
        writer.i32(-2)
        writer.field(.i64, id: 0x1234)
        writer.i64(.min)
        writer.field(.string, id: 3)
        writer.string("é")
        writer.field(.string, id: 4)
        writer.binary([0xff])
        writer.field(.list, id: 5)
        writer.listHead(of: .bool, count: 258)
        writer.field(.map, id: 6)
        writer.mapHead(key: .i32, value: .string, count: 0)
        writer.encoded([9, 9])
        writer.stop()
        let expected: [[UInt8]] = [
            [2, 0, 1, 1],
            [2, 0, 7, 0],
            [8, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xfe],
            [10, 0x12, 0x34, 0x80, 0, 0, 0, 0, 0, 0, 0],
            [11, 0, 3, 0, 0, 0, 2, 0xc3, 0xa9],
            [11, 0, 4, 0, 0, 0, 1, 0xff],
            [15, 0, 5, 2, 0, 0, 1, 2],
            [13, 0, 6, 8, 11, 0, 0, 0, 0],
            [9, 9],
            [0],
        ]
        #expect(writer.bytes == Array(expected.joined()))
    }

    @Test func `long values follow each other`() {
        let values = (0..<40).map { [UInt8](repeating: UInt8($0), count: 100 * $0) }
        var writer = ThriftWriter()
        for value in values { writer.binary(value) }
        var reader = ThriftReader(writer.bytes)
        for value in values { #expect((try? reader.binary()) == value) }
        #expect(throws: Never.self) { try reader.finish() }
    }

    @Test func `an error says where, by names and indexes`() {
        let error = ThriftError(.truncated, offset: 12)
        #expect(error.description == "the input ends inside a value at byte 12")
        let inner = error.inside("b").inside(index: 3).inside("a").inside(
            unknown: ThriftField(id: -4, type: .structure, offset: 0)
        )
        #expect(inner.path == "#-4.a[3].b")
        #expect(inner.description == "#-4.a[3].b: the input ends inside a value at byte 12")
    }
}
