/// The failure of a call to libsodium; it contains no byte of the inputs.
///
/// Match on ``code``. The other properties are for messages to people.
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

        /// The length of a parameter is not the required one or is out of the allowed range.
        public static let wrongLength = Self("wrongLength")
        /// A box, a sealed box or a frame did not authenticate, and no plaintext is returned.
        ///
        /// The ciphertext was changed, or the key, the nonce or the associated data is wrong.
        public static let authenticationFailed = Self("authenticationFailed")
        /// The result would be all zero or the identity, because of a public key of low order or a scalar of 0.
        public static let weakPoint = Self("weakPoint")
        /// The system did not provide the requested memory.
        public static let outOfMemory = Self("outOfMemory")
        /// libsodium could not be initialized; calling it would be unsafe.
        public static let initializationFailed = Self("initializationFailed")
        /// A parameter is invalid, for example a number outside the bounds of the algorithm or of the caller.
        public static let invalidParameters = Self("invalidParameters")
        /// The stream already had its final frame; no frame may follow.
        public static let streamEnded = Self("streamEnded")
        /// The input is longer than the algorithm can process under one key and nonce.
        public static let tooLong = Self("tooLong")
    }

    /// The kind of failure, to match on.
    public let code: Code
    /// The name of the parameter, the object or the libsodium function that failed.
    public let what: String
    /// The required length in bytes if a length was wrong, otherwise nil.
    ///
    /// For boxes and frames it is the minimum, for a digest or key of ``GenericHash`` the maximum.
    public let expected: Int?
    /// The actual length in bytes if a length was wrong, otherwise nil.
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
