/// An authenticated count and sum of all records of each kind, which reveals missing and replaced rows.
///
/// Each row adds the keyed hash of its kind, key hash and revision; the sums are taken modulo 2⁶⁴ in four lanes.
/// Changing a row changes the summary in constant time, in the same transaction. Without the key the hashes are
/// unknown, so no set of rows other than the stored one can be found that has the same sum.
struct RecordSummary: Hashable, Sendable {
    private struct Sum: Hashable, Sendable {
        var count: UInt64 = 0
        var lanes: [UInt64] = [0, 0, 0, 0]
    }

    /// The number of the last change; revisions are numbers of changes, so that no number comes twice.
    private(set) var revision: UInt64 = 0
    private var sums: [RecordKey.Kind: Sum] = [:]

    init() {}

    /// The number of the next change.
    mutating func nextRevision() throws(AccountError) -> UInt64 {
        let (next, overflow) = revision.addingReportingOverflow(1)
        guard !overflow, next <= UInt64(Int64.max) else { throw AccountError(.full, "no revision is left") }
        revision = next
        return next
    }

    /// Counts a row.
    mutating func add(_ kind: RecordKey.Kind, _ summand: [UInt8]) { change(kind, summand, isAdded: true) }

    /// Takes a row out of the count.
    mutating func remove(_ kind: RecordKey.Kind, _ summand: [UInt8]) { change(kind, summand, isAdded: false) }

    private mutating func change(_ kind: RecordKey.Kind, _ summand: [UInt8], isAdded: Bool) {
        var reader = ByteReader(summand[...])
        var sum = sums[kind] ?? Sum()
        sum.count = isAdded ? sum.count &+ 1 : sum.count &- 1
        for index in sum.lanes.indices {
            let lane = reader.number(UInt64.self) ?? 0
            sum.lanes[index] = isAdded ? sum.lanes[index] &+ lane : sum.lanes[index] &- lane
        }
        sums[kind] = sum == Sum() ? nil : sum
    }

    /// The kinds whose rows differ between two summaries.
    func differences(from other: RecordSummary) -> [RecordKey.Kind] {
        RecordKey.Kind.allCases.filter { sums[$0] != other.sums[$0] }
    }

    /// The revision (8 bytes, big-endian), then for each kind: kind (1), count (8), lanes (8 each).
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: revision)
        for (kind, sum) in sums.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            bytes.append(kind.rawValue)
            bytes.append(bigEndian: sum.count)
            for lane in sum.lanes { bytes.append(bigEndian: lane) }
        }
        return bytes
    }

    init?(encoded bytes: [UInt8]) {
        var reader = ByteReader(bytes[...])
        guard let revision = reader.number(UInt64.self) else { return nil }
        self.revision = revision
        while !reader.isAtEnd {
            var sum = Sum()
            guard let raw = reader.number(UInt8.self), let kind = RecordKey.Kind(rawValue: raw), sums[kind] == nil,
                let count = reader.number(UInt64.self)
            else { return nil }
            sum.count = count
            for index in sum.lanes.indices {
                guard let lane = reader.number(UInt64.self) else { return nil }
                sum.lanes[index] = lane
            }
            sums[kind] = sum
        }
    }
}
