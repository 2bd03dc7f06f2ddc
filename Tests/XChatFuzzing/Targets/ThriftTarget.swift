#if TESTABLE
    @testable import ThriftBinary
    import XChatEvents

    enum ThriftTarget: FuzzTargetImplementation {
        static func run(_ input: [UInt8]) throws {
            var skipping = ThriftReader(input)
            let skipped: [UInt8]? = try? {
                let bytes = try skipping.opaque(.structure)
                try skipping.finish()
                return bytes
            }()
            if let skipped { try require(skipped == input, "an opaque value is not the bytes that were read") }

            let value: ThriftValue
            do throws(ThriftError) {
                value = try ThriftValue(decodingStruct: input)
            } catch {
                try require(printable: "\(error)")
                try require((0...input.count).contains(error.offset), "an offset is outside of the input")
                let isLimit = error.code == .tooManyFields || error.code == .tooMuchMemory
                try require(skipped == nil || isLimit, "a value that can be skipped cannot be shown: \(error)")
                return
            }
            let encoded = encoding(of: value)
            try require(encoded.count == input.count, "reading left something out")
            let again = try ThriftValue(decodingStruct: encoded)
            try require(encoding(of: again) == encoded, "a value changes when it is written and read")
        }

        static func encoding(of value: ThriftValue) -> [UInt8] {
            var writer = ThriftWriter()
            write(value, to: &writer)
            return writer.bytes
        }

        private static func write(_ value: ThriftValue, to writer: inout ThriftWriter) {
            switch value {
            case .bool(let value): writer.bool(value)
            case .i8(let value): writer.encoded([UInt8(bitPattern: value)])
            case .i16(let value):
                let bits = UInt16(bitPattern: value)
                writer.encoded([UInt8(bits >> 8), UInt8(bits & 0xff)])
            case .i32(let value): writer.i32(value)
            case .i64(let value): writer.i64(value)
            case .double(let value): writer.i64(Int64(bitPattern: value.bitPattern))
            case .string(let bytes): writer.binary(bytes)
            case .uuid(let bytes): writer.encoded(bytes)
            case .structure(let fields):
                for field in fields {
                    writer.field(field.value.type, id: field.id)
                    write(field.value, to: &writer)
                }
                writer.stop()
            case .list(let type, let elements), .set(let type, let elements):
                writer.listHead(of: type, count: elements.count)
                for element in elements { write(element, to: &writer) }
            case .map(let key, let value, let entries):
                writer.mapHead(key: key, value: value, count: entries.count)
                for entry in entries {
                    write(entry.key, to: &writer)
                    write(entry.value, to: &writer)
                }
            }
        }

        static func seeds() throws -> [String: [UInt8]] {
            let scalars: [ThriftValue] = [
                .bool(true), .i8(-1), .i16(300), .i32(-70_000), .i64(.max), .double(1.5), .string(Array("text".utf8)),
                .uuid(Array(0..<16)),
            ]
            func structure(_ values: [ThriftValue]) -> ThriftValue {
                .structure(
                    values.enumerated().map { ThriftValue.Field(id: Int16(truncatingIfNeeded: $0 + 1), value: $1) }
                )
            }
            var nested = structure([.bool(false)])
            for _ in 0..<30 { nested = structure([.list(.structure, [nested])]) }
            let entry = ThriftValue.Entry(key: .string(Array("key".utf8)), value: structure(scalars))
            return [
                "empty": encoding(of: structure([])),
                "scalars": encoding(of: structure(scalars)),
                "lists": encoding(
                    of: structure([.list(.i32, [.i32(1), .i32(2)]), .set(.string, [.string([1])]), .list(.bool, [])])
                ),
                "map": encoding(of: structure([.map(key: .string, value: .structure, [entry])])),
                "nested": encoding(of: nested),
            ]
        }
    }
#endif
