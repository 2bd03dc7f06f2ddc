/// Why the outbox itself failed; what became of a message is told by ``OutboxEntry``.
///
/// Nothing that was acknowledged is lost by any of them: a message that ``Outbox/enqueue(_:)-swift.method`` returned for
/// stays in the file.
public struct OutboxError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What went wrong, as a word that scripts and metrics may rely on.
    public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The word itself, for example `full`.
        public let rawValue: String

        /// Takes any word; the ones this library throws are the static members.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The word itself.
        public var description: String { rawValue }

        /// The disk is full, or a quota reached: nothing was written.
        public static let full = Self(rawValue: "full")
        /// The file is damaged, or is no outbox.
        ///
        /// It is left as it is; nothing is repaired or thrown away unasked.
        public static let corrupt = Self(rawValue: "corrupt")
        /// The file cannot be opened, read or written.
        public static let inaccessible = Self(rawValue: "inaccessible")
        /// Another process kept the file locked for too long.
        public static let busy = Self(rawValue: "busy")
        /// A later version of this library wrote the file.
        public static let newerFormat = Self(rawValue: "newer_format")
        /// The file or the message belongs to another user or API.
        public static let wrongOutbox = Self(rawValue: "wrong_outbox")
        /// Another message has the same id.
        public static let duplicate = Self(rawValue: "duplicate")
        /// The outbox holds no message with this id.
        public static let unknownMessage = Self(rawValue: "unknown_message")
        /// Readers of a message that no group can have: more than 10,000, or an id that is not 1 to 19 digits.
        public static let invalidReaders = Self(rawValue: "invalid_readers")
        /// The message is in a state that does not allow this: it is sent, replaced or dropped.
        public static let finished = Self(rawValue: "finished")
    }

    /// What went wrong.
    public let code: Code
    /// What went wrong here, in words for people.
    public let detail: String

    /// The detail is for people: never contents, never a secret.
    init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// `code: detail`.
    public var description: String { "\(code): \(detail)" }
}
