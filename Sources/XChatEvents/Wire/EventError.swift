package import ThriftBinary

/// The reason why bytes or a text cannot be decoded, and where the error is.
///
/// The error contains no part of the input, so it is safe to log: the path consists of X's field names, field numbers
/// and indexes.
public struct EventError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of an error; match on this.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code as a word.
        public let description: String

        /// The bytes are not the expected Thrift struct, or the text is not base64.
        public static let malformed = Self(description: "malformed")
        /// A limit of size, count or nesting is exceeded.
        public static let tooLarge = Self(description: "too_large")
    }

    /// The kind of error.
    public let code: Code
    /// The location in the structure, by X's names, such as `detail.messageCreateEvent.contents`.
    ///
    /// Unknown fields appear as `#14`, elements as `[3]`. Empty if the error concerns the whole.
    public let path: String
    /// The offset of the refused item in bytes, in the Thrift encoding or in the base64 text.
    public let offset: Int
    /// The reason in words, without the location.
    public let reason: String

    init(_ code: Code, path: String = "", offset: Int, reason: String) {
        self.code = code
        self.path = path
        self.offset = offset
        self.reason = reason
    }

    /// Converts an error of the Thrift reader.
    package init(_ error: ThriftError) {
        self.init(Code(error.code), path: error.path, offset: error.offset, reason: error.reason)
    }

    /// The reason and the location.
    public var description: String {
        path.isEmpty ? "\(reason) at byte \(offset)" : "\(path): \(reason) at byte \(offset)"
    }
}

extension EventError.Code {
    fileprivate init(_ code: ThriftError.Code) {
        self =
            switch code {
            case .stringTooLong, .tooManyElements, .tooManyElementsInAll, .tooManyFields, .tooMuchMemory, .tooDeep:
                .tooLarge
            case .truncated, .unknownType, .wrongType, .duplicateField, .duplicateKey, .invalidUTF8, .negativeSize,
                .emptyUnion, .unionConflict, .missingField, .trailingBytes:
                .malformed
            }
    }
}
