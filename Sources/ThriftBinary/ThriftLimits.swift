/// The limits of one parse; ``depth``, ``stringBytes``, ``elements`` and ``totalElements`` are those of X's own reader.
package enum ThriftLimits {
    /// The maximum nesting depth.
    ///
    /// At most this many structs may be open at the same time, known and skipped ones together. Separately, a skipped
    /// value may have at most this many levels.
    package static let depth = 64
    /// The maximum length of one string in bytes.
    package static let stringBytes = 104_857_600
    /// The maximum number of elements of one list, set or map; a map of n entries counts n.
    package static let elements = 10_000
    /// The maximum number of elements that all lists, sets and maps of one parse declare together.
    package static let totalElements = 100_000
    /// The maximum number of fields of all structs in one parse without a schema.
    ///
    /// Such a parse keeps every field, and a field of 4 bytes of input takes about 100 bytes of memory.
    package static let shownFields = 100_000

    /// The maximum memory of the values of one parse in bytes: 8 times the length of the input in bytes plus 1 MiB.
    package static func memoryBytes(input count: Int) -> Int {
        // The input is already in memory, so this cannot overflow.
        8 * count + (1 << 20)
    }
}
