/// The limits of one parse; ``depth``, ``stringBytes``, ``elements`` and ``totalElements`` are those of X's own reader.
package enum ThriftLimits {
    /// The number of structs open at the same time, known and skipped together, and also the levels of nesting inside a
    /// skipped value.
    package static let depth = 64
    /// The length of one string in bytes.
    package static let stringBytes = 104_857_600
    /// The number of elements of one list, set or map; a map of n entries counts n.
    package static let elements = 10_000
    /// The declared number of elements of all lists, sets and maps of one parse.
    package static let totalElements = 100_000
    /// The number of fields of all structs in one parse without a schema.
    ///
    /// Such a parse keeps every field, and 4 bytes of input become about 100 bytes of memory.
    package static let shownFields = 100_000

    /// The memory that the values of one parse may take, in bytes: 8 times the input plus 1 MiB.
    package static func memoryBytes(input count: Int) -> Int {
        // The input is already in memory, so this cannot overflow.
        8 * count + (1 << 20)
    }
}
