/// What went wrong in a call to libsodium, without any byte of what was passed to it.
///
/// Match on ``code``; the rest says where, for people.
public struct SodiumError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure.
    ///
    /// New codes may be added; treat an unknown one as a failure.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, for example `wrongLength`.
        public let description: String

        private init(_ name: String) {
            description = name
        }

        /// A parameter does not have the one length, or has less than the least length, that its algorithm knows.
        public static let wrongLength = Self("wrongLength")
        /// A box, a frame or a sealed box is not what the holder of the key made; nothing was released from it.
        public static let authenticationFailed = Self("authenticationFailed")
        /// A public key from which no shared secret can come, because the result would be all zero.
        public static let weakPoint = Self("weakPoint")
        /// The system did not give the memory that was asked for.
        public static let outOfMemory = Self("outOfMemory")
        /// libsodium could not be initialized; no call of it is safe.
        public static let initializationFailed = Self("initializationFailed")
        /// A number lies outside of what the algorithm, or the caller's own bound, allows.
        public static let invalidParameters = Self("invalidParameters")
        /// The stream has seen its final frame; nothing may follow.
        public static let streamEnded = Self("streamEnded")
        /// The input is longer than the algorithm can process under one key and nonce.
        public static let tooLong = Self("tooLong")
    }

    /// What to match on.
    public let code: Code
    /// The parameter or the step that failed, by the name it has in the signature.
    public let what: String
    /// The length in bytes that was needed (for boxes and frames: at least), where a length was wrong.
    public let expected: Int?
    /// The length in bytes that came, where a length was wrong.
    public let actual: Int?

    init(_ code: Code, _ what: String, expected: Int? = nil, actual: Int? = nil) {
        self.code = code
        self.what = what
        self.expected = expected
        self.actual = actual
    }

    /// One line of bounded length, safe to log.
    public var description: String {
        guard let expected, let actual else { return "\(code): \(what)" }
        return "\(code): \(what) has \(actual) bytes, expected \(expected)"
    }
}
