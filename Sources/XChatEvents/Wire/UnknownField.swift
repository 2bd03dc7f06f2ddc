import ThriftBinary

/// A variant of a union that the schema does not know, kept unchanged.
public struct UnknownField: Hashable, Sendable {
    /// The field's number.
    public let id: Int16
    /// The type code on the wire.
    public let wireType: UInt8
    /// The encoded value, without the field's header.
    public let bytes: [UInt8]

    /// Makes an unknown field.
    ///
    /// - Parameters:
    ///   - id: the field's number.
    ///   - wireType: the type code on the wire.
    ///   - bytes: the encoded value of that type; it is written unchanged.
    public init(id: Int16, wireType: UInt8, bytes: [UInt8]) {
        self.id = id
        self.wireType = wireType
        self.bytes = bytes
    }
}

/// Collects the one variant of a union while its fields are read.
struct UnionChoice<Union> {
    private let start: Int
    private var known: Union?
    private var unknown: UnknownField?

    init(at start: Int) {
        self.start = start
    }

    /// Takes a known variant; throws if there was one before.
    mutating func take(_ variant: Union, _ field: ThriftField) throws(ThriftError) {
        guard known == nil else { throw ThriftError(.unionConflict, offset: field.offset) }
        known = variant
    }

    /// Keeps the first unknown variant, for a union that has no known one.
    mutating func keep(_ field: ThriftField, from reader: inout ThriftReader) throws(ThriftError) {
        let bytes = try reader.opaque(field.type)
        guard unknown == nil else { return }
        unknown = UnknownField(id: field.id, wireType: field.type.rawValue, bytes: bytes)
    }

    /// The known variant, or the unknown field as a variant; throws if there is neither.
    func resolved(orUnknown make: (UnknownField) -> Union) throws(ThriftError) -> Union {
        if let known { return known }
        guard let unknown else { throw ThriftError(.emptyUnion, offset: start) }
        return make(unknown)
    }
}

extension ThriftWriter {
    /// Writes an unknown field unchanged.
    mutating func write(_ unknown: UnknownField) {
        encoded([unknown.wireType])
        encoded([UInt8(truncatingIfNeeded: unknown.id >> 8), UInt8(truncatingIfNeeded: unknown.id)])
        encoded(unknown.bytes)
    }
}
