/// The version of the signed text.
///
/// The version determines which components the signed texts of key change events, group creations and member additions
/// have.
public struct SignatureVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number, 2 to 7.
    public let number: Int32

    /// The version that this library signs with: 7.
    public static let current = Self(number: 7)

    private init(number: Int32) {
        self.number = number
    }

    /// Reads the version that a signature names.
    ///
    /// An absent text, a text that is not a 32-bit number, and a number above the current version all mean the current
    /// version.
    ///
    /// - Parameter text: the `signature_version` of a signature.
    /// - Throws: ``Refused`` for a number below 2: signed texts of these versions are no longer accepted.
    public init(_ text: WireString?) throws(Refused) {
        guard let number = text?.i32 else {
            self = .current
            return
        }
        guard number >= 2 else { throw Refused(number: number) }
        self.init(number: min(number, Self.current.number))
    }

    /// Whether the left version is older than the right one.
    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }

    /// The number as text.
    public var description: String { String(number) }

    /// A version that is too old to be accepted.
    public struct Refused: Error, Hashable, Sendable, CustomStringConvertible {
        /// The number that the signature names.
        public let number: Int32

        /// The number and the oldest accepted version.
        public var description: String { "signature version \(number) is below 2, the oldest accepted" }
    }
}
