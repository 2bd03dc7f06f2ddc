/// Any Thrift value as it is on the wire, decoded without a schema.
///
/// This type serves to inspect events with their unknown fields; the typed readers do not use it.
package enum ThriftValue: Hashable, Sendable {
    case bool(Bool)
    case i8(Int8)
    case i16(Int16)
    case i32(Int32)
    case i64(Int64)
    case double(Double)
    /// Text or raw bytes: the encoding does not distinguish them.
    case string([UInt8])
    case structure([Field])
    case list(ThriftType, [ThriftValue])
    case set(ThriftType, [ThriftValue])
    case map(key: ThriftType, value: ThriftType, [Entry])
    case uuid([UInt8])

    /// A field of a struct, in wire order.
    package struct Field: Hashable, Sendable {
        package let id: Int16
        package let value: ThriftValue

        package init(id: Int16, value: ThriftValue) {
            self.id = id
            self.value = value
        }
    }

    /// An entry of a map, in wire order.
    package struct Entry: Hashable, Sendable {
        package let key: ThriftValue
        package let value: ThriftValue

        package init(key: ThriftValue, value: ThriftValue) {
            self.key = key
            self.value = value
        }
    }

    /// Parses one struct, under the rules and limits of ``ThriftReader``, with at most ``ThriftLimits/shownFields``
    /// fields.
    package init(decodingStruct bytes: [UInt8]) throws(ThriftError) {
        var reader = ThriftReader(bytes)
        self = try reader.value(.structure, level: 0)
        try reader.finish()
    }

    /// The type code of this value.
    package var type: ThriftType {
        switch self {
        case .bool: .bool
        case .i8: .i8
        case .i16: .i16
        case .i32: .i32
        case .i64: .i64
        case .double: .double
        case .string: .string
        case .structure: .structure
        case .list: .list
        case .set: .set
        case .map: .map
        case .uuid: .uuid
        }
    }
}

extension ThriftReader {
    /// Reads a value of any type.
    ///
    /// A typed reader allows ``ThriftLimits/depth`` levels in a skipped value, in addition to the levels of the structs
    /// around it. Without a schema the limit is twice the depth, so that any nesting that a typed reader accepts is
    /// accepted here too.
    fileprivate mutating func value(_ type: ThriftType, level: Int) throws(ThriftError) -> ThriftValue {
        guard level <= 2 * ThriftLimits.depth else { throw ThriftError(.tooDeep, offset: offset) }
        switch type {
        case .bool: return .bool(try bool())
        case .i8: return .i8(try i8())
        case .i16: return .i16(try i16())
        case .i32: return .i32(try i32())
        case .i64: return .i64(try i64())
        case .double: return .double(try double())
        case .string: return .string(try binary())
        case .uuid: return .uuid(try rawBytes(16))
        case .structure: return .structure(try structFields(level: level))
        case .list: return try elements(level: level) { .list($0, $1) }
        case .set: return try elements(level: level) { .set($0, $1) }
        case .map: return try map(level: level)
        }
    }

    private mutating func structFields(level: Int) throws(ThriftError) -> [ThriftValue.Field] {
        var fields: [ThriftValue.Field] = []
        var seen = try beginStruct()
        while let field = try nextField() {
            do throws(ThriftError) {
                try seen.claim(field)
                try show(field)
                if fields.count == fields.capacity {
                    // Arrays grow by doubling, so the new part is counted before the array grows.
                    let added = max(2, fields.count)
                    try allocate(added, of: MemoryLayout<ThriftValue.Field>.stride, at: field.offset)
                    fields.reserveCapacity(fields.count + added)
                }
                fields.append(ThriftValue.Field(id: field.id, value: try value(field.type, level: level + 1)))
            } catch {
                throw error.inside(unknown: field)
            }
        }
        endStruct()
        return fields
    }

    private mutating func elements(
        level: Int,
        _ make: (ThriftType, [ThriftValue]) -> ThriftValue
    ) throws(ThriftError) -> ThriftValue {
        let start = offset
        let head = try listHead()
        try allocate(head.count, of: MemoryLayout<ThriftValue>.stride, at: start)
        var elements: [ThriftValue] = []
        elements.reserveCapacity(head.count)
        for index in 0..<head.count {
            do throws(ThriftError) {
                elements.append(try value(head.element, level: level + 1))
            } catch {
                throw error.inside(index: index)
            }
        }
        return make(head.element, elements)
    }

    private mutating func map(level: Int) throws(ThriftError) -> ThriftValue {
        let start = offset
        let head = try mapHead()
        try allocate(head.count, of: MemoryLayout<ThriftValue.Entry>.stride, at: start)
        var entries: [ThriftValue.Entry] = []
        entries.reserveCapacity(head.count)
        for index in 0..<head.count {
            do throws(ThriftError) {
                let key = try value(head.key, level: level + 1)
                let value = try value(head.value, level: level + 1)
                entries.append(ThriftValue.Entry(key: key, value: value))
            } catch {
                throw error.inside(index: index)
            }
        }
        return .map(key: head.key, value: head.value, entries)
    }
}
