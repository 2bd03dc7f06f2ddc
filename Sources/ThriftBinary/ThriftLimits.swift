/// The limits of one parse: those of X's own reader, and one of ours.
package enum ThriftLimits {
    /// Structs open at once, known and skipped together; and the levels of nesting inside a skipped value.
    package static let depth = 64
    /// Bytes of one string.
    package static let stringBytes = 104_857_600
    /// Elements of one list, set or map; a map of n entries counts n.
    package static let elements = 10_000
    /// Elements of all lists, sets and maps of one parse, as declared.
    package static let totalElements = 100_000
    /// Fields of all structs of one parse without a schema, which keeps each of them: 4 bytes become a hundred.
    package static let shownFields = 100_000

    /// Bytes of memory that the values of one parse may take: 8 for each byte of the input, and 1 MiB.
    package static func memoryBytes(input count: Int) -> Int {
        // The input is in memory already, so that this does not overflow.
        8 * count + (1 << 20)
    }
}
