package import ThriftBinary

/// The reading and writing of one type of the schema.
package protocol WireCoding {
    associatedtype Value

    static var wireType: ThriftType { get }

    static func read(from reader: inout ThriftReader) throws(ThriftError) -> Value
    static func write(_ value: Value, to writer: inout ThriftWriter)
}

/// A type that can be the key of a map.
///
/// Maps are written in the order of their keys, so that equal maps have the same encoding.
package protocol WireKeyCoding: WireCoding where Value: Hashable {
    static func precedes(_ left: Value, _ right: Value) -> Bool
}

extension Bool: WireCoding {
    package static var wireType: ThriftType { .bool }

    package static func read(from reader: inout ThriftReader) throws(ThriftError) -> Bool {
        try reader.bool()
    }

    package static func write(_ value: Bool, to writer: inout ThriftWriter) {
        writer.bool(value)
    }
}

extension Int32: WireKeyCoding {
    package static var wireType: ThriftType { .i32 }

    package static func read(from reader: inout ThriftReader) throws(ThriftError) -> Int32 {
        try reader.i32()
    }

    package static func write(_ value: Int32, to writer: inout ThriftWriter) {
        writer.i32(value)
    }

    package static func precedes(_ left: Int32, _ right: Int32) -> Bool { left < right }
}

extension Int64: WireKeyCoding {
    package static var wireType: ThriftType { .i64 }

    package static func read(from reader: inout ThriftReader) throws(ThriftError) -> Int64 {
        try reader.i64()
    }

    package static func write(_ value: Int64, to writer: inout ThriftWriter) {
        writer.i64(value)
    }

    package static func precedes(_ left: Int64, _ right: Int64) -> Bool { left < right }
}

extension WireString: WireKeyCoding {
    package static var wireType: ThriftType { .string }

    package static func read(from reader: inout ThriftReader) throws(ThriftError) -> WireString {
        WireString(try reader.string())
    }

    package static func write(_ value: WireString, to writer: inout ThriftWriter) {
        writer.string(value.string)
    }

    package static func precedes(_ left: WireString, _ right: WireString) -> Bool { left < right }
}

/// The coding of ids: an id is encoded as its text.
extension WireCoding where Self: Identifier, Value == Self {
    package static var wireType: ThriftType { .string }

    package static func read(from reader: inout ThriftReader) throws(ThriftError) -> Self {
        Self(WireString(try reader.string()))
    }

    package static func write(_ value: Self, to writer: inout ThriftWriter) {
        writer.string(value.text.string)
    }
}

extension UserID: WireCoding { package typealias Value = Self }
extension MessageID: WireCoding { package typealias Value = Self }
extension SequenceID: WireCoding { package typealias Value = Self }
extension KeyVersion: WireCoding { package typealias Value = Self }

/// The coding of raw bytes.
package enum Binary: WireKeyCoding {
    package static var wireType: ThriftType { .string }

    package static func read(from reader: inout ThriftReader) throws(ThriftError) -> [UInt8] {
        try reader.binary()
    }

    package static func write(_ value: [UInt8], to writer: inout ThriftWriter) {
        writer.binary(value)
    }

    package static func precedes(_ left: [UInt8], _ right: [UInt8]) -> Bool { left.lexicographicallyPrecedes(right) }
}

/// The coding of a list.
package enum ListOf<Element: WireCoding>: WireCoding {
    package static var wireType: ThriftType { .list }

    package static func read(from reader: inout ThriftReader) throws(ThriftError) -> [Element.Value] {
        let start = reader.offset
        let head = try reader.listHead()
        guard head.element == Element.wireType else { throw ThriftError(.wrongType, offset: start) }
        try reader.allocate(head.count, of: MemoryLayout<Element.Value>.stride, at: start)
        var elements: [Element.Value] = []
        elements.reserveCapacity(head.count)
        for index in 0..<head.count {
            do throws(ThriftError) {
                elements.append(try Element.read(from: &reader))
            } catch {
                throw error.inside(index: index)
            }
        }
        return elements
    }

    package static func write(_ value: [Element.Value], to writer: inout ThriftWriter) {
        writer.listHead(of: Element.wireType, count: value.count)
        for element in value { Element.write(element, to: &writer) }
    }
}

/// The coding of a map.
package enum MapOf<Key: WireKeyCoding, Element: WireCoding>: WireCoding {
    package static var wireType: ThriftType { .map }

    package static func read(from reader: inout ThriftReader) throws(ThriftError) -> [Key.Value: Element.Value] {
        let start = reader.offset
        let head = try reader.mapHead()
        guard head.key == Key.wireType, head.value == Element.wireType else {
            throw ThriftError(.wrongType, offset: start)
        }
        // Three entries' memory for each entry is an upper bound: the number of buckets of a dictionary is a power of
        // two, at most three quarters of them are filled, and each has one bit in a bitmap.
        let entrySize = MemoryLayout<Key.Value>.stride + MemoryLayout<Element.Value>.stride + 1
        try reader.allocate(head.count, of: 3 * entrySize, at: start)
        var entries: [Key.Value: Element.Value] = [:]
        entries.reserveCapacity(head.count)
        for index in 0..<head.count {
            do throws(ThriftError) {
                let entryStart = reader.offset
                let key = try Key.read(from: &reader)
                guard entries.updateValue(try Element.read(from: &reader), forKey: key) == nil else {
                    throw ThriftError(.duplicateKey, offset: entryStart)
                }
            } catch {
                throw error.inside(index: index)
            }
        }
        return entries
    }

    package static func write(_ value: [Key.Value: Element.Value], to writer: inout ThriftWriter) {
        writer.mapHead(key: Key.wireType, value: Element.wireType, count: value.count)
        for (key, element) in value.sorted(by: { Key.precedes($0.key, $1.key) }) {
            Key.write(key, to: &writer)
            Element.write(element, to: &writer)
        }
    }
}

extension ThriftReader {
    /// Reads the value of a known field; throws if it does not have the type of the schema.
    mutating func read<Coding: WireCoding>(
        _ coding: Coding.Type,
        _ field: ThriftField
    ) throws(ThriftError) -> Coding.Value {
        try expect(Coding.wireType, field)
        return try Coding.read(from: &self)
    }
}

extension ThriftWriter {
    /// Writes a field, unless it is absent.
    mutating func write<Coding: WireCoding>(_ value: Coding.Value?, as coding: Coding.Type, id: Int16) {
        guard let value else { return }
        field(Coding.wireType, id: id)
        Coding.write(value, to: &self)
    }
}
