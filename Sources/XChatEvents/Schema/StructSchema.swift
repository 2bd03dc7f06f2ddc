package import ThriftBinary

/// The IDL's description of a struct or union, for error paths and for displaying events.
package struct StructSchema: Sendable {
    /// X's name.
    package let name: String
    /// Whether it is a union: a value has exactly one of the fields.
    package let isUnion: Bool
    /// The fields, in ascending order.
    package let fields: [FieldSchema]

    package init(struct name: String, _ fields: [FieldSchema]) {
        self.name = name
        self.isUnion = false
        self.fields = fields
    }

    package init(union name: String, _ fields: [FieldSchema]) {
        self.name = name
        self.isUnion = true
        self.fields = fields
    }

    /// The field with a number; nil if the schema does not have it.
    package func field(_ id: Int16) -> FieldSchema? {
        fields.first { $0.id == id }
    }
}

/// The IDL's description of a field.
package struct FieldSchema: Sendable {
    package let id: Int16
    /// X's name.
    package let name: String
    package let type: SchemaType
    /// Whether decoding the struct fails without it.
    package let isRequired: Bool

    package init(_ id: Int16, _ name: String, _ type: SchemaType, isRequired: Bool = false) {
        self.id = id
        self.name = name
        self.type = type
        self.isRequired = isRequired
    }
}

/// A type of the IDL.
package indirect enum SchemaType: Sendable {
    case bool
    case i32
    case i64
    case string
    case binary
    case enumeration(any WireEnum.Type)
    case structure(any WireStruct.Type)
    case list(SchemaType)
    case map(SchemaType, SchemaType)

    /// The type code on the wire.
    package var wireType: ThriftType {
        switch self {
        case .bool: .bool
        case .i32, .enumeration: .i32
        case .i64: .i64
        case .string, .binary: .string
        case .structure: .structure
        case .list: .list
        case .map: .map
        }
    }
}

extension ThriftError {
    /// The same error with a field of a struct added to its path: by X's name, or by number if the schema has no name.
    func inside(_ schema: StructSchema, _ field: ThriftField) -> Self {
        guard let known = schema.field(field.id) else { return inside(unknown: field) }
        return inside(known.name)
    }
}
