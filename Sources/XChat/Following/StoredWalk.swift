import Foundation
import XChatEngine
import XChatEvents
import XChatHTTP

/// A walk over more than one page of a history, from the newest event of a conversation back to a consumer's cursor.
///
/// Servers list the newest events first, but events are delivered oldest first. So the events are kept in the store,
/// encrypted, until the walk has reached the cursor. Then they are delivered record by record, oldest first, and
/// deleted. Memory use does not grow with the length of the history, and after a restart the walk continues where it
/// stopped.
struct StoredWalk: Sendable {
    /// The most bytes of events and key change events that one walk keeps in the store: 4 GiB.
    static let maximumBytes = 4 << 30
    /// The most bytes of text in one record.
    private static let recordBytes = 4 << 20
    /// The largest event that is kept, in bytes of base64.
    ///
    /// A larger text cannot be a valid event; an empty text is kept in its place, and is refused on delivery.
    private static let eventBytes = 12 << 20

    /// The progress of the walk: the record ``RecordKey/walk(consumer:_:)``.
    struct Head: Codable, Hashable, Sendable {
        /// The lowest and the highest sequence id in a record of key change events; 0 for events without a sequence id.
        struct Keys: Codable, Hashable, Sendable {
            var lowest: UInt64
            var highest: UInt64
        }

        /// The page to fetch next; nil once the walk has reached its end.
        var token: String?
        /// Whether the walk reached the beginning of the conversation.
        var isWhole = false
        /// How many records of events are not delivered yet; the last record has the oldest events.
        var records: UInt64 = 0
        /// The records of key change events.
        var keys: [Keys] = []
        /// How many bytes the walk has stored in all, including deleted records.
        var bytes = 0
        /// The highest sequence id that was delivered; key change events up to it were delivered too.
        var delivered: UInt64?
        /// The time of the last event when the server last listed the conversation, in milliseconds since 1970.
        var updatedAt: Int64?

        enum CodingKeys: String, CodingKey {
            case token, records, keys, bytes, delivered
            case isWhole = "whole"
            case updatedAt = "updated_at"
        }
    }

    /// An element of a record of events, which lists them newest first.
    private struct Event: Codable {
        var event: String
        var id: String?
        var token: String?

        init(_ served: ServedEvent) {
            event = served.encodedEvent.utf8.count <= StoredWalk.eventBytes ? served.encodedEvent : ""
            (id, token) = (served.id, served.conversationToken)
        }

        var served: ServedEvent { ServedEvent(encodedEvent: event, id: id, conversationToken: token) }
        var byteCount: Int { event.utf8.count + (id?.utf8.count ?? 0) + (token?.utf8.count ?? 0) + 64 }
    }

    /// A key change event and its place in the history.
    private struct KeyChange: Sendable {
        let text: String
        /// The sequence id that the event names.
        ///
        /// Without one it is 0: the event is delivered first, because no other position gives it less effect.
        let place: UInt64

        init(_ text: String) {
            self.text = text
            let id = (try? MessageEvent(base64: text))?.sequenceID
            place = id.flatMap { $0.isValid ? $0.number : nil } ?? 0
        }

        var byteCount: Int { text.utf8.count + 64 }
    }

    let conversation: ConversationID
    let consumer: String
    let store: any RecordStore
    private(set) var head: Head
    /// The digests of key change events that this value has seen; pages repeat such events.
    private var known: Set<EventDigest> = []
    /// The key change events of the last record, if this value wrote it.
    private var last: [KeyChange] = []

    /// A new walk; nothing is stored yet.
    init(_ conversation: ConversationID, consumer: String, updatedAt: Int64?, _ store: any RecordStore) {
        self.init(conversation, consumer: consumer, Head(updatedAt: updatedAt), store)
    }

    private init(_ conversation: ConversationID, consumer: String, _ head: Head, _ store: any RecordStore) {
        (self.conversation, self.consumer, self.head, self.store) = (conversation, consumer, head, store)
    }

    /// The walk that was begun before; nil if no walk is in progress.
    static func load(
        _ conversation: ConversationID,
        consumer: String,
        from store: any RecordStore
    ) async throws -> StoredWalk? {
        let key = RecordKey.walk(consumer: consumer, conversation)
        guard let record = try await store.records([key])[key] else { return nil }
        return StoredWalk(conversation, consumer: consumer, try decoded(Head.self, record.bytes), store)
    }

    private var headKey: RecordKey { .walk(consumer: consumer, conversation) }

    private func eventsKey(_ number: UInt64) -> RecordKey {
        .walkEvents(consumer: consumer, conversation, record: number)
    }

    private func keysKey(_ number: Int) -> RecordKey {
        .walkKeys(consumer: consumer, conversation, record: UInt64(clamping: number))
    }

    // MARK: Fetching

    /// Stores the next page.
    ///
    /// - Parameters:
    ///   - page: The page that follows the last stored one; its events are older.
    ///   - next: The token of the page after it; nil if the walk ends here.
    ///   - isWhole: Whether the page has the first event of the conversation.
    /// - Throws: ``APIError`` with `too_large` beyond ``maximumBytes``, ``AccountError`` of the store.
    mutating func add(_ page: EventPage, next: String?, isWhole: Bool) async throws {
        head.bytes += page.byteCount + 1024
        guard head.bytes <= Self.maximumBytes else {
            try await remove()
            throw APIError(
                .tooLarge,
                "the new events of the conversation exceed the limit of \(Self.maximumBytes) bytes and were not read"
            )
        }
        var batch = RecordBatch()
        for events in Self.groups(page.events.map(Event.init), \.byteCount) {
            batch.writes[eventsKey(head.records)] = Self.encoded(Array(events))
            head.records += 1
        }
        for keys in Self.groups(try newKeys(page.keyEvents), \.byteCount) { add(keys, to: &batch) }
        (head.token, head.isWhole) = (next, isWhole)
        batch.writes[headKey] = Self.encoded(head)
        try await store.commit(batch)
    }

    /// The key change events of a page that this value has not seen yet.
    private mutating func newKeys(_ texts: [String]) throws -> [KeyChange] {
        var keys: [KeyChange] = []
        for text in texts where text.utf8.count <= Self.eventBytes {
            if try known.insert(EventDigest(ofBytes: Array(text.utf8))).inserted { keys.append(KeyChange(text)) }
        }
        return keys
    }

    /// Appends key change events to the last record of them, or starts a new record if the last one would become too
    /// large.
    private mutating func add(_ keys: ArraySlice<KeyChange>, to batch: inout RecordBatch) {
        let isNew = last.isEmpty || (last + keys).reduce(0) { $0 + $1.byteCount } > Self.recordBytes / 16
        last = isNew ? Array(keys) : last + keys
        let places = last.map(\.place)
        let range = Head.Keys(lowest: places.min() ?? 0, highest: places.max() ?? 0)
        if isNew { head.keys.append(range) } else { head.keys[head.keys.count - 1] = range }
        batch.writes[keysKey(head.keys.count - 1)] = Self.encoded(last.map(\.text))
    }

    /// Parts of a list that fit in one record each.
    private static func groups<Element>(_ elements: [Element], _ size: (Element) -> Int) -> [ArraySlice<Element>] {
        var groups: [ArraySlice<Element>] = []
        var (start, bytes) = (0, 0)
        for (index, element) in elements.enumerated() {
            if index > start, bytes + size(element) > recordBytes {
                groups.append(elements[start..<index])
                (start, bytes) = (index, 0)
            }
            bytes += size(element)
        }
        if start < elements.count { groups.append(elements[start...]) }
        return groups
    }

    // MARK: Delivering

    /// The oldest events that were not delivered yet.
    ///
    /// - Parameter all: Whether to take the events of all records, not only of one.
    /// - Returns: The events with their key change events. ``Portion/isLast`` is true if the walk ends with them.
    /// - Throws: ``AccountError`` of the store.
    func oldest(all: Bool) async throws -> Portion {
        var new = NewEvents()
        let first = all ? 0 : max(head.records, 1) - 1
        for number in (first..<head.records).reversed() {
            let key = eventsKey(number)
            guard let record = try await store.records([key])[key] else { continue }
            new.events += try Self.decoded([Event].self, record.bytes).reversed().map(\.served)
        }
        var rest = head
        rest.records = first
        let highest = first == 0 ? UInt64.max : new.events.compactMap(\.number).max() ?? head.delivered ?? 0
        for (number, keys) in head.keys.enumerated()
        where keys.lowest <= highest && head.delivered.map({ keys.highest > $0 }) ?? true {
            let key = keysKey(number)
            guard let record = try await store.records([key])[key] else { continue }
            new.keyEvents += try Self.decoded([String].self, record.bytes).map(KeyChange.init).filter { key in
                key.place <= highest && head.delivered.map { key.place > $0 } ?? true
            }.map(\.text)
        }
        rest.delivered = highest
        new.pages = Int(clamping: head.records - first)
        new.isWhole = head.isWhole && first == 0
        return Portion(new: new, rest: rest, changes: changes(to: rest))
    }

    /// A part of a walk.
    struct Portion: Sendable {
        let new: NewEvents
        /// The progress of the walk after this part.
        fileprivate let rest: Head
        /// The changes to commit after all of its events were handled.
        let changes: RecordBatch

        /// Whether it is the last part.
        var isLast: Bool { rest.records == 0 }
    }

    private func changes(to rest: Head) -> RecordBatch {
        var batch = RecordBatch()
        for number in rest.records..<head.records { batch.deletions.insert(eventsKey(number)) }
        if rest.records == 0 {
            for number in head.keys.indices { batch.deletions.insert(keysKey(number)) }
            batch.deletions.insert(headKey)
        } else {
            batch.writes[headKey] = Self.encoded(rest)
        }
        return batch
    }

    /// Deletes the walk.
    func remove() async throws {
        var end = head
        end.records = 0
        try await store.commit(changes(to: end))
    }

    private static func encoded(_ value: some Encodable) -> [UInt8] {
        (try? JSONEncoder().encode(value)).map { Array($0) } ?? []
    }

    private static func decoded<Value: Decodable>(_: Value.Type, _ bytes: [UInt8]) throws(AccountError) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(bytes))
        } catch {
            throw AccountError(
                .malformed,
                "a stored part of a history is damaged or malformed; restore the account from a backup"
            )
        }
    }
}
