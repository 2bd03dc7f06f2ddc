/// The type codes of TBinaryProtocol.
package enum ThriftType: UInt8, Hashable, Sendable {
    case bool = 2
    case i8 = 3
    case double = 4
    case i16 = 6
    case i32 = 8
    case i64 = 10
    /// Text or raw bytes; only the schema distinguishes them.
    case string = 11
    case structure = 12
    case map = 13
    case set = 14
    case list = 15
    case uuid = 16

    /// The size in bytes of every value of this type; nil if the size varies.
    package var fixedSize: Int? {
        switch self {
        case .bool, .i8: 1
        case .i16: 2
        case .i32: 4
        case .i64, .double: 8
        case .uuid: 16
        case .string, .structure, .map, .set, .list: nil
        }
    }

    /// The minimum size of a value of this type in bytes; a declared count is checked with it against the remaining
    /// input.
    package var minimumSize: Int {
        switch self {
        case .string: 4
        case .structure: 1
        case .list, .set: 5
        case .map: 6
        default: fixedSize ?? 1
        }
    }
}

/// The header of a field, which comes before its value.
package struct ThriftField: Hashable, Sendable {
    /// The field's number.
    package let id: Int16
    /// The type of the value that follows.
    package let type: ThriftType
    /// The offset of the header in the input.
    package let offset: Int

    package init(id: Int16, type: ThriftType, offset: Int) {
        self.id = id
        self.type = type
        self.offset = offset
    }
}
