import Testing
import ThriftBinary
import XChatEvents

@Suite("Every struct and union of the schema")
struct WireStructTests {
    private func decoded<Value: WireStruct>(_ type: Value.Type, _ bytes: [UInt8]) throws(EventError) -> Value {
        try Value.decoded(from: bytes)
    }

    @Test("what is written as the schema says is read and written back unchanged", arguments: WireTypes.structs)
    func roundTrip(_ type: any WireStruct.Type) throws {
        func check<Value: WireStruct>(_ type: Value.Type, _ bytes: [UInt8]) throws {
            let value = try decoded(type, bytes)
            #expect(value.wireBytes() == bytes)
            let again = try decoded(type, value.wireBytes())
            #expect(again == value)
            #expect(again.hashValue == value.hashValue)
        }
        for seed in 0..<60 {
            var encoding = RandomEncoding(seed: UInt64(seed))
            try check(type, encoding.bytes(of: type))
        }
    }

    @Test("truncation is refused at every length", arguments: WireTypes.structs)
    func truncated(_ type: any WireStruct.Type) {
        for seed in 0..<3 {
            var encoding = RandomEncoding(seed: UInt64(seed))
            let bytes = encoding.bytes(of: type)
            for length in 0..<bytes.count {
                let error = #expect(throws: EventError.self) { try decoded(type, Array(bytes[..<length])) }
                #expect(error?.code == .malformed)
                #expect((error?.offset ?? .max) <= length)
            }
        }
    }

    @Test("a flipped bit is refused, or makes a value that can be written and read", arguments: WireTypes.structs)
    func flippedBits(_ type: any WireStruct.Type) {
        func check<Value: WireStruct>(_ type: Value.Type, _ bytes: [UInt8]) {
            guard let value = try? decoded(type, bytes) else { return }
            #expect((try? decoded(type, value.wireBytes())) == value)
        }
        var encoding = RandomEncoding(seed: 1)
        let bytes = encoding.bytes(of: type)
        for position in bytes.indices {
            for bit in 0..<8 {
                var flipped = bytes
                flipped[position] ^= 1 << UInt8(bit)
                check(type, flipped)
            }
        }
    }

    @Test("bytes after the end are refused", arguments: WireTypes.structs)
    func trailing(_ type: any WireStruct.Type) {
        var encoding = RandomEncoding(seed: 2)
        let bytes = encoding.bytes(of: type)
        let error = #expect(throws: EventError.self) { try decoded(type, bytes + [0]) }
        #expect(error?.reason == "bytes after the end")
        #expect(error?.path == "")
        #expect(error?.offset == bytes.count)
    }

    @Test("a field of another wire type is refused by its name", arguments: WireTypes.structs)
    func wrongType(_ type: any WireStruct.Type) {
        // No field of the schema has one of these types.
        let values: [(ThriftType, [UInt8])] = [(.i16, [0, 1]), (.i8, [1]), (.set, [2, 0, 0, 0, 0])]
        for field in type.schema.fields {
            for (other, value) in values {
                let bytes = [2, 0x7f, 0xff, 1, other.rawValue, 0, UInt8(field.id)] + value + [0]
                let error = #expect(throws: EventError.self) { try decoded(type, bytes) }
                #expect(error?.path == field.name)
                #expect(error?.offset == 4)
                #expect(error?.reason == "the type differs from the schema")
            }
        }
    }

    @Test("a field that comes twice is refused by its name", arguments: WireTypes.structs)
    func duplicates(_ type: any WireStruct.Type) {
        for field in type.schema.fields {
            var encoding = RandomEncoding(seed: 3)
            let once = [field.type.wireType.rawValue, 0, UInt8(field.id)] + encoding.bytes(of: field.type)
            let error = #expect(throws: EventError.self) { try decoded(type, once + once + [0]) }
            #expect(error?.path == field.name)
            #expect(error?.offset == once.count)
            #expect(error?.reason == "the field occurs twice")
        }
        let unknown = [2, 0x80, 0, 1] as [UInt8]
        let error = #expect(throws: EventError.self) { try decoded(type, unknown + unknown + [0]) }
        #expect(error?.path == "#-32768")
        #expect(error?.reason == "the field occurs twice")
    }

    @Test("elements of another type are refused by the field's name", arguments: WireTypes.structs)
    func wrongElements(_ type: any WireStruct.Type) {
        for field in type.schema.fields {
            let heads: [[UInt8]]
            switch field.type {
            case .list(let element):
                heads = [[ThriftType.double.rawValue], [element.wireType == .i32 ? 11 : 8]]
            case .map(let key, let value):
                heads = [[key.wireType.rawValue, 4], [4, value.wireType.rawValue]]
            default: continue
            }
            for head in heads {
                let bytes = [field.type.wireType.rawValue, 0, UInt8(field.id)] + head + [0, 0, 0, 0, 0]
                let error = #expect(throws: EventError.self) { try decoded(type, bytes) }
                #expect(error?.path == field.name)
                #expect(error?.offset == 3)
                #expect(error?.reason == "the type differs from the schema")
            }
        }
    }

    @Test("sizes beyond the input are refused by the field's name", arguments: WireTypes.structs)
    func sizes(_ type: any WireStruct.Type) {
        let declared: [([UInt8], EventError.Code)] = [
            ([0xff, 0xff, 0xff, 0xff], .malformed), ([0, 0, 0, 9], .malformed), ([0x7f, 0xff, 0xff, 0xff], .tooLarge),
        ]
        for field in type.schema.fields {
            let head: [UInt8]
            switch field.type {
            case .string, .binary: head = []
            case .list(let element): head = [element.wireType.rawValue]
            case .map(let key, let value): head = [key.wireType.rawValue, value.wireType.rawValue]
            default: continue
            }
            for (size, code) in declared {
                let bytes = [field.type.wireType.rawValue, 0, UInt8(field.id)] + head + size + [0, 0, 0]
                let error = #expect(throws: EventError.self) { try decoded(type, bytes) }
                #expect(error?.path == field.name)
                #expect(error?.code == code)
                #expect(error?.offset == 3 + head.count)
            }
        }
    }

    @Test("fields may come in any order", arguments: WireTypes.plainStructs)
    func order(_ type: any WireStruct.Type) throws {
        func check<Value: WireStruct>(_ type: Value.Type) throws {
            var encoding = RandomEncoding(seed: 4)
            let fields = type.schema.fields.map { field in
                [field.type.wireType.rawValue, 0, UInt8(field.id)] + encoding.bytes(of: field.type)
            }
            let value = try decoded(type, Array(fields.joined()) + [0])
            #expect(try decoded(type, Array(fields.reversed().joined()) + [0]) == value)
        }
        try check(type)
    }

    @Test("unknown fields are passed over", arguments: WireTypes.structs)
    func unknownFields(_ type: any WireStruct.Type) throws {
        func check<Value: WireStruct>(_ type: Value.Type) throws {
            var encoding = RandomEncoding(seed: 5)
            let bytes = encoding.bytes(of: type)
            let unknown: [UInt8] = [12, 0xff, 0xfe, 16, 0, 1] + Array(0..<16) + [0]
            let value = try decoded(type, unknown + bytes)
            #expect(value.wireBytes() == bytes)
        }
        try check(type)
    }

    @Test("a required field that is absent is refused by its name")
    func required() throws {
        var count = 0
        for type in WireTypes.structs {
            for absent in type.schema.fields where absent.isRequired {
                var encoding = RandomEncoding(seed: 6)
                var bytes: [UInt8] = []
                for field in type.schema.fields where field.id != absent.id {
                    bytes += [field.type.wireType.rawValue, 0, UInt8(field.id)] + encoding.bytes(of: field.type)
                }
                let error = #expect(throws: EventError.self) { try decoded(type, bytes + [0]) }
                #expect(error?.path == absent.name)
                #expect(error?.reason == "a required field is absent")
                count += 1
            }
        }
        #expect(count == 5)
    }

    @Test("a union has exactly one known field", arguments: WireTypes.unions)
    func unions(_ type: any WireStruct.Type) throws {
        let empty = #expect(throws: EventError.self) { try decoded(type, [0]) }
        #expect(empty?.reason == "a union without a field")
        var encoding = RandomEncoding(seed: 7)
        let fields = type.schema.fields.map { field in
            [field.type.wireType.rawValue, 0, UInt8(field.id)] + encoding.bytes(of: field.type)
        }
        for first in fields.indices {
            for second in fields.indices where second != first {
                let error = #expect(throws: EventError.self) { try decoded(type, fields[first] + fields[second] + [0]) }
                #expect(error?.path == type.schema.fields[second].name)
                #expect(error?.offset == fields[first].count)
                #expect(error?.reason == "a union with two fields")
            }
        }
    }

    @Test("an unknown variant is kept as it came", arguments: WireTypes.unions)
    func unknownVariants(_ type: any WireStruct.Type) throws {
        func check<Value: WireStruct>(_ type: Value.Type) throws {
            for unknown: [UInt8] in [[2, 0x12, 0x34, 7], [12, 0xff, 0xff, 11, 0, 1, 0, 0, 0, 1, 0xff, 0]] {
                let value = try decoded(type, unknown + [0])
                #expect(value.wireBytes() == unknown + [0])
                #expect("\(value)".hasPrefix("unknown("))
                let both = try decoded(type, unknown + [3, 0x70, 0, 1, 0])
                #expect(both == value)
            }
        }
        try check(type)
    }

    @Test func `the walk finds every type of the IDL`() throws {
        let idl = try Project.text("Sources/XChatEvents/xchat.thrift")
        let declared = idl.split(separator: "\n").filter { $0.hasPrefix("struct ") || $0.hasPrefix("union ") }
        #expect(WireTypes.structs.count == declared.count)
        #expect(declared.count == 110)
    }
}
