import XChatEngine
import XChatEvents

/// The newest events that a consumer has handled in one conversation, so that no event is handled twice.
///
/// There are two lists of bounded length. ``texts`` has the digest of every event as the server delivered it, with its
/// sequence id. When an event is dropped from ``texts``, all events up to that sequence id count as handled: see
/// ``Cursor/floor``. ``signed`` has the digests of signed events, because a server can deliver a signed event again
/// with another text and a higher sequence id. Only verified events are in ``signed``, so a server cannot displace them
/// with events that it makes up.
struct SeenLog: Sendable {
    /// The digests of 1,024 events as they were delivered.
    private(set) var texts: Part
    /// Two digests for each of 4,096 signed events: of the signed text, and of the message id with its author.
    private(set) var signed: Part

    /// One of the lists, kept in records of ``Part/recordEntries`` entries, so that a commit writes little.
    struct Part: Sendable {
        static let recordEntries: UInt64 = 256
        private static let digestBytes = 32
        private static let entryBytes = 8 + digestBytes

        private struct Entry {
            let number: UInt64
            let digest: EventDigest
        }

        let name: RecordKey.SeenList
        private let maximumRecords: UInt64
        /// How many entries were ever added.
        private(set) var count: UInt64
        private var records: [UInt64: [Entry]] = [:]
        private var digests: Set<EventDigest> = []
        private var changed: Set<UInt64> = []
        private var dropped: Set<UInt64> = []

        init(_ name: RecordKey.SeenList, maximumRecords: UInt64, count: UInt64) {
            (self.name, self.maximumRecords, self.count) = (name, maximumRecords, count)
        }

        /// The numbers of the records that exist.
        var recordNumbers: Range<UInt64> {
            let end = (count + Self.recordEntries - 1) / Self.recordEntries
            return end - min(end, maximumRecords)..<end
        }

        func contains(_ digest: EventDigest) -> Bool { digests.contains(digest) }

        /// Appends a digest, unless it is in the list.
        ///
        /// - Returns: The highest sequence id of the entries that were dropped for it; nil if no entry was dropped.
        @discardableResult
        mutating func insert(_ digest: EventDigest, number: UInt64? = nil) -> UInt64? {
            guard digests.insert(digest).inserted else { return nil }
            let first = recordNumbers.lowerBound
            let record = count / Self.recordEntries
            count += 1
            records[record, default: []].append(Entry(number: number ?? 0, digest: digest))
            changed.insert(record)
            guard recordNumbers.lowerBound > first, let entries = records.removeValue(forKey: first) else { return nil }
            for entry in entries { digests.remove(entry.digest) }
            changed.remove(first)
            dropped.insert(first)
            return entries.map(\.number).max()
        }

        mutating func restore(_ bytes: [UInt8], record: UInt64) throws(AccountError) {
            guard bytes.count.isMultiple(of: Self.entryBytes), bytes.count / Self.entryBytes <= Self.recordEntries
            else {
                throw AccountError(
                    .malformed,
                    "the stored list of handled events of a conversation is damaged or malformed; restore the account from a backup"
                )
            }
            var reader = ByteReader(bytes[...])
            var entries: [Entry] = []
            while let number = reader.number(UInt64.self), let part = reader.bytes(Self.digestBytes),
                let digest = EventDigest(stored: Array(part))
            {
                entries.append(Entry(number: number, digest: digest))
                digests.insert(digest)
            }
            records[record] = entries
        }

        /// Adds the changes since the last call to a batch.
        mutating func save(to batch: inout RecordBatch, _ key: (RecordKey.SeenList, UInt64) -> RecordKey) {
            for record in changed {
                var bytes: [UInt8] = []
                for entry in records[record] ?? [] {
                    bytes.append(bigEndian: entry.number)
                    bytes += entry.digest.bytes
                }
                batch.writes[key(name, record)] = bytes
            }
            for record in dropped { batch.deletions.insert(key(name, record)) }
            (changed, dropped) = ([], [])
        }
    }

    /// Loads the log of a conversation that belongs to a cursor.
    static func load(
        _ conversation: ConversationID,
        consumer: String,
        _ cursor: Cursor,
        from store: any RecordStore
    ) async throws -> SeenLog {
        var log = SeenLog(cursor)
        for list in RecordKey.SeenList.allCases {
            let keys = log[list].recordNumbers.map { number in
                (number, RecordKey.seen(consumer: consumer, conversation, list, record: number))
            }
            let records = try await store.records(keys.map(\.1))
            for (number, key) in keys {
                if let record = records[key] { try log[list].restore(record.bytes, record: number) }
            }
        }
        return log
    }

    init(_ cursor: Cursor) {
        texts = Part(.texts, maximumRecords: 4, count: cursor.textCount)
        signed = Part(.signed, maximumRecords: 32, count: cursor.signedCount)
    }

    private subscript(list: RecordKey.SeenList) -> Part {
        get { list == .texts ? texts : signed }
        set { if list == .texts { texts = newValue } else { signed = newValue } }
    }

    /// Whether the log belongs to a cursor: both count the same number of entries.
    func fits(_ cursor: Cursor) -> Bool {
        (texts.count, signed.count) == (cursor.textCount, cursor.signedCount)
    }

    /// Adds the digest of an event as it was delivered.
    mutating func insert(text: EventDigest, number: UInt64?, _ cursor: inout Cursor) {
        if let floor = texts.insert(text, number: number) { cursor.floor = max(cursor.floor ?? 0, floor) }
        cursor.textCount = texts.count
    }

    /// Adds the digest of a signed event, or of a message id with its author.
    mutating func insert(signed digest: EventDigest, _ cursor: inout Cursor) {
        signed.insert(digest)
        cursor.signedCount = signed.count
    }

    /// Adds the changes since the last call to a batch.
    mutating func save(to batch: inout RecordBatch, _ conversation: ConversationID, consumer: String) {
        func key(_ list: RecordKey.SeenList, _ record: UInt64) -> RecordKey {
            .seen(consumer: consumer, conversation, list, record: record)
        }
        texts.save(to: &batch, key)
        signed.save(to: &batch, key)
    }
}
