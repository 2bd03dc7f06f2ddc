import Foundation
import XChatEngine
import XChatEvents

/// How far a consumer has come in a conversation: the record ``RecordKey/cursor(consumer:_:)``.
struct Cursor: Codable, Hashable, Sendable {
    /// The most events of a conversation that wait for a key: 1,000.
    static let maximumWaiting = 1000
    /// The most bytes of base64 of waiting events of a conversation: 4 MiB.
    static let maximumWaitingBytes = 4 << 20

    /// The highest sequence id up to which everything was handled; nil before the first event.
    var sequence: UInt64?
    /// The time of the last event when the server last listed the conversation, in milliseconds since 1970.
    var updatedAt: Int64?
    /// Whether the history was read once more after the time of the last event stopped changing.
    ///
    /// Servers give that time in whole seconds: a second event in the same second does not change it, and would be
    /// missed without another reading.
    var isSettled = false
    /// The base64 of events that were refused and may be accepted later, oldest first.
    var waiting: [String] = []
    /// Events with this sequence id or a lower one count as handled, because their digests may have been dropped.
    ///
    /// An event with a higher sequence id counts as handled only if ``SeenLog`` has its digest: servers list events of
    /// the same moment in changing order, and no signature covers a sequence id.
    var floor: UInt64?
    /// How many events were ever added to ``SeenLog/texts``.
    var textCount: UInt64 = 0
    /// How many digests were ever added to ``SeenLog/signed``.
    var signedCount: UInt64 = 0

    enum CodingKeys: String, CodingKey {
        case sequence
        case updatedAt = "updated_at"
        case isSettled = "settled"
        case waiting
        case floor
        case textCount = "texts"
        case signedCount = "signed"
    }

    init() {}

    init(decoding bytes: [UInt8]) throws(AccountError) {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(bytes))
        } catch {
            throw AccountError(
                .malformed,
                "the stored cursor of a consumer is damaged or malformed; restore the account from a backup"
            )
        }
    }

    func encoded() -> [UInt8] { (try? JSONEncoder().encode(self)).map { Array($0) } ?? [] }

    /// Removes a waiting event.
    mutating func stopWaiting(for event: String) {
        let event = WireString(event)
        waiting.removeAll { WireString($0) == event }
    }

    /// Adds an event that may be accepted later; returns the oldest events, which were removed because of the limits.
    mutating func wait(for event: String) -> [String] {
        waiting.append(event)
        var dropped: [String] = []
        var bytes = waiting.reduce(0) { $0 + $1.utf8.count }
        while waiting.count > Self.maximumWaiting || bytes > Self.maximumWaitingBytes, !waiting.isEmpty {
            let oldest = waiting.removeFirst()
            bytes -= oldest.utf8.count
            dropped.append(oldest)
        }
        return dropped
    }
}

/// The settings of a consumer: the record ``RecordKey/consumer(_:)``.
struct ConsumerSettings: Codable, Hashable, Sendable {
    /// Whether conversations may exist that were listed as changed but not read.
    ///
    /// Then the next start reads the whole list.
    var isBehind = true

    enum CodingKeys: String, CodingKey {
        case isBehind = "behind"
    }

    init() {}

    init(decoding bytes: [UInt8]) throws(AccountError) {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(bytes))
        } catch {
            throw AccountError(
                .malformed,
                "the stored settings of a consumer are damaged or malformed; restore the account from a backup"
            )
        }
    }

    func encoded() -> [UInt8] { (try? JSONEncoder().encode(self)).map { Array($0) } ?? [] }
}
