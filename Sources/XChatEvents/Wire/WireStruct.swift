package import ThriftBinary

/// A struct or union of the schema.
package protocol WireStruct: WireCoding, Hashable, Sendable where Value == Self {
    static var schema: StructSchema { get }

    init(from reader: inout ThriftReader) throws(ThriftError)
    func write(to writer: inout ThriftWriter)
}

extension WireStruct {
    package static var wireType: ThriftType { .structure }

    package static func read(from reader: inout ThriftReader) throws(ThriftError) -> Self {
        try Self(from: &reader)
    }

    package static func write(_ value: Self, to writer: inout ThriftWriter) {
        value.write(to: &writer)
    }

    /// Decodes a struct; `bytes` must contain nothing else.
    package static func decoded(from bytes: [UInt8]) throws(EventError) -> Self {
        do throws(ThriftError) {
            var reader = ThriftReader(bytes)
            let value = try Self(from: &reader)
            try reader.finish()
            return value
        } catch {
            throw EventError(error)
        }
    }

    /// The encoding of this struct.
    package func wireBytes() -> [UInt8] {
        var writer = ThriftWriter()
        write(to: &writer)
        return writer.bytes
    }
}

/// An enum of the schema: an i32 that keeps unknown numbers.
package protocol WireEnum: WireCoding, RawRepresentable<Int32>, Sendable where Value == Self {
    /// X's name of the value; nil if the number is unknown.
    var name: String? { get }

    init(rawValue: Int32)
}

extension WireEnum {
    package static var wireType: ThriftType { .i32 }

    package static func read(from reader: inout ThriftReader) throws(ThriftError) -> Self {
        Self(rawValue: try reader.i32())
    }

    package static func write(_ value: Self, to writer: inout ThriftWriter) {
        writer.i32(value.rawValue)
    }
}

extension ThriftReader {
    /// Reads the variant of a union.
    mutating func read<Variant: WireStruct>(_ field: ThriftField) throws(ThriftError) -> Variant {
        try read(Variant.self, field)
    }
}

extension ThriftWriter {
    /// Writes the variant of a union.
    mutating func write<Variant: WireStruct>(_ variant: Variant, id: Int16) {
        write(variant, as: Variant.self, id: id)
    }
}
