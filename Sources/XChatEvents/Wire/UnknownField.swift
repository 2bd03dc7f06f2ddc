import ThriftBinary

/// The variant of a union that this version does not know, kept as it came.
public struct UnknownField: Hashable, Sendable {
    /// The field's number.
    public let id: Int16
    /// The type code on the wire.
    public let wireType: UInt8
    /// The encoded value, without the field's header.
    public let bytes: [UInt8]

    /// Keeps a field.
    ///
    /// - Parameters:
    ///   - id: the field's number.
    ///   - wireType: the type code on the wire.
    ///   - bytes: the encoded value of that type; written out as it is.
    public init(id: Int16, wireType: UInt8, bytes: [UInt8]) {
        self.id = id
        self.wireType = wireType
        self.bytes = bytes
    }
}

/// The one field that a union may have, found while its fields are read.
struct UnionChoice<Union> {
    private let start: Int
    private var known: Union?
    private var unknown: UnknownField?

    init(at start: Int) {
        self.start = start
    }

    /// Takes a known variant: the first and only one.
    mutating func take(_ variant: Union, _ field: ThriftField) throws(ThriftError) {
        guard known == nil else { throw ThriftError(.unionConflict, offset: field.offset) }
        known = variant
    }

    /// Keeps an unknown variant, in case that no known one comes; the first, where there are several.
    mutating func keep(_ field: ThriftField, from reader: inout ThriftReader) throws(ThriftError) {
        let bytes = try reader.opaque(field.type)
        guard unknown == nil else { return }
        unknown = UnknownField(id: field.id, wireType: field.type.rawValue, bytes: bytes)
    }

    /// The variant, or the unknown field as one.
    func resolved(orUnknown make: (UnknownField) -> Union) throws(ThriftError) -> Union {
        if let known { return known }
        guard let unknown else { throw ThriftError(.emptyUnion, offset: start) }
        return make(unknown)
    }
}

extension ThriftWriter {
    /// A field that was kept as it came.
    mutating func write(_ unknown: UnknownField) {
        encoded([unknown.wireType])
        encoded([UInt8(truncatingIfNeeded: unknown.id >> 8), UInt8(truncatingIfNeeded: unknown.id)])
        encoded(unknown.bytes)
    }
}
