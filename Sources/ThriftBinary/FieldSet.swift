/// The field numbers that were read in one struct so far, to detect duplicates.
package struct FieldSet: Sendable {
    // Every field number of the schema is below 128, so these need no allocation.
    private var low: UInt64 = 0
    private var high: UInt64 = 0
    private var others: Set<Int16> = []

    package init() {}

    /// Records `field`.
    ///
    /// - Throws: `duplicateField` if it was recorded before.
    package mutating func claim(_ field: ThriftField) throws(ThriftError) {
        let isNew: Bool
        switch field.id {
        case 0..<64:
            let bit: UInt64 = 1 << UInt64(field.id)
            isNew = low & bit == 0
            low |= bit
        case 64..<128:
            let bit: UInt64 = 1 << UInt64(field.id - 64)
            isNew = high & bit == 0
            high |= bit
        default:
            isNew = others.insert(field.id).inserted
        }
        guard isNew else { throw ThriftError(.duplicateField, offset: field.offset) }
    }
}
