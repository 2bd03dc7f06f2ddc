/// The version of the signed text: which components it has, for three kinds of event.
public struct SignatureVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number, 2 to 7.
    public let number: Int32

    /// The version that is written, 7.
    public static let current = Self(number: 7)

    private init(number: Int32) {
        self.number = number
    }

    /// The version that a signature names.
    ///
    /// Absent, or not a number of 32 bits, means the current version, and so does every number above it.
    ///
    /// - Parameter text: the `signature_version` of a signature.
    /// - Throws: ``Refused`` for numbers below 2, whose signed texts are not accepted any more.
    public init(_ text: WireString?) throws(Refused) {
        guard let number = text?.i32 else {
            self = .current
            return
        }
        guard number >= 2 else { throw Refused(number: number) }
        self.init(number: min(number, Self.current.number))
    }

    /// Whether one is older than the other.
    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }

    /// The number as text.
    public var description: String { String(number) }

    /// A version that is too old to be accepted.
    public struct Refused: Error, Hashable, Sendable, CustomStringConvertible {
        /// The number that the signature names.
        public let number: Int32

        /// What is wrong.
        public var description: String { "signature version \(number) is below 2, the oldest accepted" }
    }
}
