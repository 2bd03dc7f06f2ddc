import ThriftBinary

/// A value of an encoded struct together with its description in the schema, for display.
///
/// The nodes include fields that the schema does not know and fields of the wrong type.
package struct StructureNode: Hashable, Sendable {
    package enum Content: Hashable, Sendable {
        case bool(Bool)
        case integer(Int64)
        case double(Double)
        /// A number with X's name for it, if there is one.
        case enumeration(Int32, name: String?)
        /// A value that the schema declares as a string and that is valid UTF-8.
        case text(String)
        /// Raw bytes, and every other string value.
        case bytes([UInt8])
        /// The fields of a struct, the elements of a list, the key and value of a map's entry.
        case children([StructureNode])
    }

    /// The field's number in its struct; nil for the root and for elements.
    package let fieldID: Int16?
    /// X's name of the field, `key` and `value` in an entry of a map; nil for elements and for unknown fields.
    package let name: String?
    /// X's name of a struct or enum, or the type as the IDL writes it.
    ///
    /// For an unknown field or one of the wrong type: the type on the wire.
    package let typeName: String
    /// Whether the schema declares another type for the field; decoding such an event fails.
    package let isOfWrongType: Bool
    package let content: Content

    /// Describes one encoded struct.
    ///
    /// - Parameters:
    ///   - bytes: the struct in Thrift's binary encoding.
    ///   - root: the type of the encoded struct, such as `MessageEvent.self`.
    /// - Throws: `malformed`, or `tooLarge`, which includes more than 100,000 fields in total. Paths in these errors
    ///   consist of field numbers, such as `#7.#1`.
    package init(describing bytes: [UInt8], as root: any WireStruct.Type) throws(EventError) {
        do throws(ThriftError) {
            self.init(try ThriftValue(decodingStruct: bytes), .structure(root))
        } catch {
            throw EventError(error)
        }
    }

    private init(_ value: ThriftValue, _ schema: SchemaType?, fieldID: Int16? = nil, name: String? = nil) {
        let fits = schema.map { $0.wireType == value.type } ?? false
        self.fieldID = fieldID
        self.name = name
        self.isOfWrongType = schema != nil && !fits
        let known = fits ? schema : nil
        self.typeName = known?.name ?? value.type.name
        self.content = Self.content(of: value, known)
    }

    private static func content(of value: ThriftValue, _ schema: SchemaType?) -> Content {
        switch value {
        case .bool(let value): .bool(value)
        case .i8(let value): .integer(Int64(value))
        case .i16(let value): .integer(Int64(value))
        case .i32(let value):
            if case .enumeration(let type) = schema {
                .enumeration(value, name: type.init(rawValue: value).name)
            } else {
                .integer(Int64(value))
            }
        case .i64(let value): .integer(value)
        case .double(let value): .double(value)
        case .string(let bytes): content(of: bytes, schema)
        case .uuid(let bytes): .bytes(bytes)
        case .structure(let fields): .children(children(of: fields, schema))
        case .list(_, let elements), .set(_, let elements): .children(children(of: elements, schema))
        case .map(_, _, let entries): .children(children(of: entries, schema))
        }
    }

    private static func content(of bytes: [UInt8], _ schema: SchemaType?) -> Content {
        guard case .string = schema, let text = String(validating: bytes, as: UTF8.self) else { return .bytes(bytes) }
        return .text(text)
    }

    private static func children(of fields: [ThriftValue.Field], _ schema: SchemaType?) -> [StructureNode] {
        var known: StructSchema?
        if case .structure(let type) = schema { known = type.schema }
        return fields.map { field in
            let fieldSchema = known?.field(field.id)
            return StructureNode(field.value, fieldSchema?.type, fieldID: field.id, name: fieldSchema?.name)
        }
    }

    private static func children(of elements: [ThriftValue], _ schema: SchemaType?) -> [StructureNode] {
        var known: SchemaType?
        if case .list(let element) = schema { known = element }
        return elements.map { StructureNode($0, known) }
    }

    private static func children(of entries: [ThriftValue.Entry], _ schema: SchemaType?) -> [StructureNode] {
        var known: (key: SchemaType, value: SchemaType)?
        if case .map(let key, let value) = schema { known = (key, value) }
        return entries.map { entry in
            let key = StructureNode(entry.key, known?.key, name: "key")
            let value = StructureNode(entry.value, known?.value, name: "value")
            return StructureNode(entry: key, value)
        }
    }

    private init(entry key: StructureNode, _ value: StructureNode) {
        self.fieldID = nil
        self.name = nil
        self.typeName = "entry"
        self.isOfWrongType = false
        self.content = .children([key, value])
    }
}

extension SchemaType {
    /// The type as the IDL writes it.
    package var name: String {
        switch self {
        case .bool: "bool"
        case .i32: "i32"
        case .i64: "i64"
        case .string: "string"
        case .binary: "binary"
        case .enumeration(let type): "\(type)"
        case .structure(let type): type.schema.name
        case .list(let element): "list<\(element.name)>"
        case .map(let key, let value): "map<\(key.name), \(value.name)>"
        }
    }
}

extension ThriftType {
    /// The type as an IDL writes it; the wire does not name structs and elements.
    fileprivate var name: String {
        switch self {
        case .bool: "bool"
        case .i8: "i8"
        case .double: "double"
        case .i16: "i16"
        case .i32: "i32"
        case .i64: "i64"
        case .string: "string"
        case .structure: "struct"
        case .map: "map"
        case .set: "set"
        case .list: "list"
        case .uuid: "uuid"
        }
    }
}
