import Foundation
import XChatEvents

/// `max_results` and `pagination_token` of a request.
struct PageQuery: Sendable {
    var maxResults = 10
    /// The page contains only elements before this number; nil for the newest page.
    var before: Int64?

    init() {}

    init(maxResults: String?, paginationToken: String?, limit: Int = 100) throws(Problem) {
        if let maxResults {
            guard let number = WireString(maxResults).number, (1...UInt64(limit)).contains(number) else {
                throw .invalidRequest("A page has 1 to \(limit) results.", parameter: "max_results")
            }
            self.maxResults = Int(number)
        }
        if let paginationToken {
            guard let before = PageToken.number(of: paginationToken) else {
                throw .invalidRequest(
                    "This is not a page token of this server: request the first page without one.",
                    parameter: "pagination_token"
                )
            }
            self.before = before
        }
    }
}

/// A page token names the last element of the previous page: 16 characters of base32hex.
///
/// Clients treat it as opaque.
enum PageToken {
    static func text(before number: Int64) -> String {
        let digits = String(number, radix: 32)
        return String(repeating: "0", count: max(0, 16 - digits.utf8.count)) + digits
    }

    static func number(of text: String) -> Int64? {
        guard text.utf8.count == 16, let number = Int64(text, radix: 32), number >= 0 else { return nil }
        return number
    }
}

/// The answer of `GET /2/chat/conversations/{id}/events`, while it is being built.
struct EventPage: Sendable {
    private let query: PageQuery
    private(set) var events: [StoredEvent] = []
    private(set) var hasMore = false
    /// All key change events of the conversation, as base64.
    var keyEvents: [String] = []
    private var bytes = 0

    /// The approximate limit on the size of a page in bytes: a page may have fewer events than requested.
    private static let maximumBytes = 8 << 20

    init(query: PageQuery) {
        self.query = query
    }

    /// Adds the next older event.
    ///
    /// Returns false if the page is full and the event belongs to the next page.
    mutating func add(_ event: StoredEvent) -> Bool {
        bytes += event.encoded.count / 3 * 4
        guard events.count < query.maxResults, events.isEmpty || bytes <= Self.maximumBytes else {
            hasMore = true
            return false
        }
        events.append(event)
        return true
    }

    func json(fields: Set<String>?, faults: SandboxFaults) throws -> JSON {
        let hasKeyEvents = !keyEvents.isEmpty && (faults.keyEvents == .every || query.before == nil)
        return .members([
            "data": faults.data(try events.map { try $0.item(faults.history).only(fields) }),
            "meta": .members([
                "result_count": .integer(Int64(events.count)),
                "next_token": hasMore ? events.last.map { .string(PageToken.text(before: $0.sequence)) } : nil,
                "has_more": .bool(hasMore),
                "conversation_key_events": hasKeyEvents ? .strings(keyEvents) : nil,
            ]),
        ])
    }
}

extension StoredEvent {
    /// The event as an element of a history.
    fileprivate func item(_ shape: SandboxFaults.HistoryShape) throws -> JSON {
        if shape == .bare { return .object(["encoded_event": .string(base64)]) }
        let event = try decoded()
        let previous = event.previousSequenceID.map { JSON.string($0.string) }
        let signature = event.messageEventSignature.map { signature in
            JSON.members([
                "signature": signature.signature.map { .string($0.string) },
                "public_key_version": signature.publicKeyVersion.map { .string($0.string) },
                "signature_version": signature.signatureVersion.map { .string($0.string) },
            ])
        }
        let isOld = shape == .old
        return .members([
            "id": .string(String(sequence)),
            "sender_id": event.senderID.map { .string($0.string) },
            "conversation_id": event.conversationID.map { .string($0.string) },
            "conversation_token": event.conversationToken.map { .string($0.string) },
            "encoded_event": .string(base64),
            "is_trusted": .bool(true),
            "message_event_signature": signature,
            "created_at": isOld ? nil : dateText(milliseconds: createdAt),
            "previous_id": isOld ? nil : previous,
            "created_at_msec": isOld ? .string(String(createdAt)) : nil,
            "previous_sequence_id": isOld ? previous : nil,
            "sequence_id": isOld ? .string(String(sequence)) : nil,
        ])
    }
}
