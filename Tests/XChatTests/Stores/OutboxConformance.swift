import Foundation
import Testing
import XChatEngine
import XChatEvents

@testable import XChat

/// The rules that every store must keep for messages to send.
///
/// A new store adds a case to ``StoreKind``.
@Suite("outbox conformance")
struct OutboxConformance {
    private let now = Date(timeIntervalSince1970: 1_800_000_000)
    private let sealer: Sealer

    init() throws { sealer = try Sealer() }

    /// Two stores on the same files, like those of two processes.
    ///
    /// The files are deleted with the last reference to them.
    private func stores(
        _ kind: StoreKind
    ) async throws -> (place: any StorePlace, one: any AccountStore, other: any AccountStore) {
        let place = try await kind.make()
        let stores = (place, try await place.open(), try await place.open())
        try await stores.1.openOutbox(of: "1111", api: "https://api.x.com")
        try await stores.2.openOutbox(of: "1111", api: "https://api.x.com")
        return stores
    }

    @Test("a message and its record are committed together or not at all", arguments: StoreKind.allCases)
    func together(_ kind: StoreKind) async throws {
        let (place, one, other) = try await stores(kind)
        defer { withExtendedLifetime(place) {} }
        let message = try sealer.seal("x")
        let key = RecordKey.consumer("reply")
        var batch = RecordBatch()
        (batch.messages, batch.time) = ([message], now)
        batch.expected[key] = 0
        batch.writes[key] = [1]
        try await one.commit(batch)
        #expect(try await other.entry(message.messageID)?.state == .queued)
        #expect(try await other.records([key])[key]?.bytes == [1])
        // The record exists already: neither the record nor the message is written.
        let second = try sealer.seal("y")
        batch.messages = [second]
        batch.writes[key] = [2]
        #expect(await code { try await other.commit(batch) } == .conflict)
        #expect(try await one.entry(second.messageID) == nil)
        // Another message under a known id: the record is not written either.
        var duplicate = RecordBatch()
        duplicate.messages = [try twin(of: message)]
        duplicate.writes[.consumer("other")] = [3]
        #expect(await code { try await other.commit(duplicate) } == .duplicate)
        #expect(try await one.records([.consumer("other")]).isEmpty)
        // The same message again changes nothing.
        try await other.add([message], now: now)
        #expect(try await one.entries(in: [.queued]).map(\.messageID) == [message.messageID])
    }

    private func twin(of message: SealedMessage) throws -> SealedMessage {
        let other = try sealer.seal("another text")
        return try SealedMessage(
            messageID: message.messageID,
            senderID: "1111",
            conversationID: message.conversationID,
            encodedMessageCreateEvent: other.encodedMessageCreateEvent,
            encodedMessageEventSignature: other.encodedMessageEventSignature,
            readers: nil
        )
    }

    @Test("messages are returned in order, byte for byte, and not before their time", arguments: StoreKind.allCases)
    func order(_ kind: StoreKind) async throws {
        let (place, one, other) = try await stores(kind)
        defer { withExtendedLifetime(place) {} }
        let messages = try [Sealer.b, Sealer.a, Sealer.a, Sealer.b].map { try sealer.seal("x", in: $0) }
        try await one.add(messages, now: now)
        let ids = messages.map(\.messageID)
        let due = try await other.dueMessages(at: now, limit: 9, total: 9, excluding: [])
        #expect(due.conversations.map { $0.map(\.messageID) } == [[ids[0], ids[3]], [ids[1], ids[2]]])
        let first = try #require(due.conversations.first?.first)
        #expect(first.encodedMessageCreateEvent == messages[0].encodedMessageCreateEvent)
        #expect(first.encodedMessageEventSignature == messages[0].encodedMessageEventSignature)
        let rest = try await other.dueMessages(at: now, limit: 9, total: 9, excluding: [first.position.queue])
        #expect(rest.conversations.map { $0.map(\.messageID) } == [[ids[1], ids[2]]])
        #expect(try await other.queuedMessages(after: first.position, limit: 9).map(\.messageID) == [ids[3]])
        try await other.postpone(ids[0], until: now.addingTimeInterval(10), reason: "r")
        #expect(try await one.due(at: now, limit: 9).map(\.messageID) == [ids[1]])
        #expect(try await one.due(at: now.addingTimeInterval(10), limit: 9).map(\.messageID) == [ids[0], ids[1]])
        try await one.pause(until: now.addingTimeInterval(20), now: now)
        #expect(try await other.due(at: now.addingTimeInterval(19), limit: 9).isEmpty)
        #expect(try await other.due(at: now.addingTimeInterval(20), limit: 9).count == 2)
    }

    @Test("a message that one store settled is not posted or settled by another", arguments: StoreKind.allCases)
    func settled(_ kind: StoreKind) async throws {
        let (place, one, other) = try await stores(kind)
        defer { withExtendedLifetime(place) {} }
        let messages = try (0..<4).map { try sealer.seal("\($0)") }
        try await one.add(messages, now: now)
        let ids = messages.map(\.messageID)
        try await one.markSent(ids[0], sequenceID: "7", now: now)
        #expect(try await other.due(at: now, limit: 9).map(\.messageID) == [ids[1]])
        try await other.drop(ids[1], at: now)
        #expect(try await one.due(at: now, limit: 9).map(\.messageID) == [ids[2]])
        // An outcome for a settled message changes nothing, unless it says that the server has the message.
        try await one.postpone(ids[1], until: now.addingTimeInterval(10), reason: "r")
        try await one.deadLetter(ids[0], reason: "r", isStale: false, now: now)
        #expect(try await other.entry(ids[0])?.state == .sent)
        #expect(try await other.entry(ids[1])?.state == .dropped)
        try await one.markSent(ids[1], sequenceID: "8", now: now)
        #expect(try await other.entry(ids[1])?.state == .sent)
        // A replacement takes the place, in order.
        let replacement = try sealer.seal("2 again")
        try await one.replace(ids[2], with: replacement, now: now)
        #expect(try await other.entry(ids[2])?.replacedBy == replacement.messageID)
        #expect(try await other.due(at: now, limit: 9).map(\.messageID) == [replacement.messageID])
        try await one.deadLetter(replacement.messageID, reason: "r", isStale: false, now: now)
        #expect(try await other.due(at: now, limit: 9).map(\.messageID) == [ids[3]])
        try await other.retry(replacement.messageID, allowing: [], at: now)
        #expect(try await one.due(at: now, limit: 9).map(\.messageID) == [replacement.messageID])
        #expect(await code { try await one.retry(ids[0], allowing: [], at: now) } == .finished)
        #expect(await code { try await one.drop("unknown", at: now) } == .unknownMessage)
        #expect(try await one.queuedCount() == 2)
        try await one.forgetMessages(finishedBefore: now.addingTimeInterval(1))
        #expect(try await other.entry(ids[0]) == nil)
        #expect(try await other.entry(ids[3])?.state == .queued)
    }

    @Test("of several workers one posts, and the next one when its lease ends", arguments: StoreKind.allCases)
    func claim(_ kind: StoreKind) async throws {
        let (place, one, other) = try await stores(kind)
        defer { withExtendedLifetime(place) {} }
        let leases = await withTaskGroup(of: (any StoreLease)?.self) { group in
            for number in 0..<20 {
                group.addTask { try? await (number.isMultiple(of: 2) ? one : other).lease(Outbox.lease) }
            }
            return await group.reduce(into: [any StoreLease]()) { if let lease = $1 { $0.append(lease) } }
        }
        #expect(leases.count == 1)
        #expect(try await other.lease(Outbox.lease) == nil)
        for lease in leases { await lease.end() }
        let next = try #require(try await other.lease(Outbox.lease))
        await next.end()
    }

    @Test("an outbox is for one user of one API", arguments: StoreKind.allCases)
    func owner(_ kind: StoreKind) async throws {
        let (place, one, other) = try await stores(kind)
        defer { withExtendedLifetime(place) {} }
        #expect(await code { try await one.openOutbox(of: "2222", api: "https://api.x.com") } == .otherAccount)
        #expect(await code { try await other.openOutbox(of: "1111", api: "https://other.example") } == .otherAccount)
        let foreign = try Sealer("2222").seal("x")
        #expect(await code { try await one.add([foreign], now: now) } == .otherAccount)
        #expect(try await other.queuedCount() == 0)
    }

    @Test("a message that another store enqueued is noticed without a query", arguments: StoreKind.allCases)
    func noticed(_ kind: StoreKind) async throws {
        let (place, one, other) = try await stores(kind)
        defer { withExtendedLifetime(place) {} }
        let version = one.queueChanges.version
        let waiting = Task { await one.queueChanges.wait(after: version, upTo: .seconds(20)) }
        let start = ContinuousClock.now
        try await other.add([sealer.seal("x")], now: now)
        await waiting.value
        #expect(one.queueChanges.version != version)
        #expect(ContinuousClock.now - start < .seconds(10))
    }
}
