/// The reason why bytes could not be decoded, and the place in the input.
///
/// The error never contains a byte of the input: the path consists of names from the schema, field numbers and indexes.
package struct ThriftError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        /// The input ends inside a value.
        case truncated
        /// A type code that TBinaryProtocol does not have.
        case unknownType
        /// A known field, or an element of a known list or map, whose type differs from the schema.
        case wrongType
        /// The same field twice in one struct.
        case duplicateField
        /// The same key twice in one map.
        case duplicateKey
        /// Text that is not UTF-8.
        case invalidUTF8
        /// A negative length or count.
        case negativeSize
        /// A string over ``ThriftLimits/stringBytes``.
        case stringTooLong
        /// A list, set or map over ``ThriftLimits/elements``.
        case tooManyElements
        /// Lists, sets and maps that together declare more than ``ThriftLimits/totalElements``.
        case tooManyElementsInAll
        /// Structs decoded without a schema that together have more fields than ``ThriftLimits/shownFields``.
        case tooManyFields
        /// Values that together need more memory than ``ThriftLimits/memoryBytes(input:)``.
        case tooMuchMemory
        /// Nesting beyond ``ThriftLimits/depth``.
        case tooDeep
        /// A union without a field.
        case emptyUnion
        /// A union with two known fields.
        case unionConflict
        /// A required field that is absent.
        case missingField
        /// Bytes after the end of the outermost struct.
        case trailingBytes
    }

    package let code: Code
    /// The path of the refused item, such as `detail.messageCreateEvent.contents`; empty for the outermost struct
    /// itself.
    ///
    /// Unknown fields are written as `#14`, elements as `[3]`.
    package private(set) var path: String
    /// The offset of the refused item in the input, in bytes.
    package let offset: Int

    package init(_ code: Code, path: String = "", offset: Int) {
        self.code = code
        self.path = path
        self.offset = offset
    }

    /// The same error with `component` put before its path.
    package func inside(_ component: String) -> Self {
        var error = self
        if path.isEmpty {
            error.path = component
        } else if path.utf8.first == UInt8(ascii: "[") {
            error.path = component + path
        } else {
            error.path = component + "." + path
        }
        return error
    }

    /// The same error with the index of a list element or map entry put before its path.
    package func inside(index: Int) -> Self {
        inside("[\(index)]")
    }

    /// The same error with the number of a field that is not in the schema put before its path.
    package func inside(unknown field: ThriftField) -> Self {
        inside("#\(field.id)")
    }

    /// The rule that is broken, without path and offset.
    package var reason: String {
        switch code {
        case .truncated: "the input ends inside a value"
        case .unknownType: "unknown type code"
        case .wrongType: "the type differs from the schema"
        case .duplicateField: "the field occurs twice"
        case .duplicateKey: "the map key occurs twice"
        case .invalidUTF8: "text that is not UTF-8"
        case .negativeSize: "negative size"
        case .stringTooLong: "string over \(ThriftLimits.stringBytes) bytes"
        case .tooManyElements: "more than \(ThriftLimits.elements) elements"
        case .tooManyElementsInAll: "more than \(ThriftLimits.totalElements) elements in all"
        case .tooManyFields: "more than \(ThriftLimits.shownFields) fields in all"
        case .tooMuchMemory: "needs more memory than 8 times the input plus 1 MiB"
        case .tooDeep: "nested deeper than \(ThriftLimits.depth) levels"
        case .emptyUnion: "a union without a field"
        case .unionConflict: "a union with two fields"
        case .missingField: "a required field is absent"
        case .trailingBytes: "bytes after the end"
        }
    }

    package var description: String {
        path.isEmpty ? "\(reason) at byte \(offset)" : "\(path): \(reason) at byte \(offset)"
    }
}
