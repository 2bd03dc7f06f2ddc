package import ThriftBinary

/// Why bytes or text are not what they should be, and where.
///
/// It never holds input: the path is made of X's field names, field numbers and indexes.
public struct EventError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of error it is; match on this.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code as a word.
        public let description: String

        /// The bytes are not the Thrift, or the text not the base64, that was asked for.
        public static let malformed = Self(description: "malformed")
        /// A limit of size, count or nesting is exceeded.
        public static let tooLarge = Self(description: "too_large")
    }

    /// What kind of error it is.
    public let code: Code
    /// Where in the structure, by X's names, such as `detail.messageCreateEvent.contents`; unknown fields as `#14`,
    /// elements as `[3]`; empty for the whole.
    public let path: String
    /// The byte of the input at which the refused item starts: of the Thrift encoding or of the base64 text.
    public let offset: Int
    /// What is wrong, in words, without the place.
    public let reason: String

    init(_ code: Code, path: String = "", offset: Int, reason: String) {
        self.code = code
        self.path = path
        self.offset = offset
        self.reason = reason
    }

    /// The same error in the terms of this module.
    package init(_ error: ThriftError) {
        self.init(Code(error.code), path: error.path, offset: error.offset, reason: error.reason)
    }

    /// The reason and the place.
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
