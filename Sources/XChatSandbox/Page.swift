import Foundation
import XChatEvents

/// `max_results` and `pagination_token` of a request.
struct PageQuery {
    var maxResults = 10
    /// Only events before this sequence id; nil for the newest page.
    var before: UInt64?

    init() {}

    init(maxResults: String?, paginationToken: String?) throws(Problem) {
        if let maxResults {
            guard let number = WireString(maxResults).number, (1...100).contains(number) else {
                throw .invalidRequest("A page has 1 to 100 results.", parameter: "max_results")
            }
            self.maxResults = Int(number)
        }
        if let paginationToken {
            guard let before = PageToken.sequenceID(of: paginationToken) else {
                throw .invalidRequest("This is no page token of this server.", parameter: "pagination_token")
            }
            self.before = before
        }
    }
}

/// A page token names the last event of the page before.
///
/// Clients take it as it is.
private enum PageToken {
    static func text(before sequenceID: UInt64) -> String {
        "p" + String(sequenceID, radix: 32)
    }

    static func sequenceID(of text: String) -> UInt64? {
        text.utf8.first == UInt8(ascii: "p") && text.utf8.count <= 14 ? UInt64(text.dropFirst(), radix: 32) : nil
    }
}

/// The answer of `GET /2/chat/conversations/{id}/events`.
struct Page: Encodable {
    struct Item: Encodable {
        struct Signature: Encodable {
            let signature: String?
            let publicKeyVersion: String?
            let signatureVersion: String?

            enum CodingKeys: String, CodingKey {
                case signature
                case publicKeyVersion = "public_key_version"
                case signatureVersion = "signature_version"
            }
        }

        let id: String?
        let senderID: String?
        let conversationID: String?
        let conversationToken: String?
        let createdAt: String?
        let previousID: String?
        let encodedEvent: String
        let isTrusted: Bool
        let signature: Signature?

        enum CodingKeys: String, CodingKey {
            case id
            case senderID = "sender_id"
            case conversationID = "conversation_id"
            case conversationToken = "conversation_token"
            case createdAt = "created_at"
            case previousID = "previous_id"
            case encodedEvent = "encoded_event"
            case isTrusted = "is_trusted"
            case signature = "message_event_signature"
        }
    }

    struct Meta: Encodable {
        let resultCount: Int
        let nextToken: String?
        let hasMore: Bool
        /// All of them on every page; absent when there are none.
        let conversationKeyEvents: [String]?

        enum CodingKeys: String, CodingKey {
            case resultCount = "result_count"
            case nextToken = "next_token"
            case hasMore = "has_more"
            case conversationKeyEvents = "conversation_key_events"
        }
    }

    let data: [Item]
    let meta: Meta

    /// Roughly what one page may weigh: pages may be shorter than asked for.
    private static let maximumBytes = 8 << 20

    /// Takes a page out of a conversation's events, which are in the order of their sequence ids.
    init(_ events: [MessageEvent], query: PageQuery) {
        var items: [Item] = []
        var bytes = 0
        var last: UInt64?
        var hasMore = false
        for event in events.reversed() where !event.isKeyChange {
            guard let id = event.sequenceID?.number, query.before.map({ id < $0 }) ?? true else { continue }
            let item = Item(event)
            bytes += item.encodedEvent.utf8.count
            if items.count == query.maxResults || (!items.isEmpty && bytes > Self.maximumBytes) {
                hasMore = true
                break
            }
            items.append(item)
            last = id
        }
        let keyEvents = events.filter(\.isKeyChange).map { Base64.encode($0.encoded()) }
        data = items
        meta = Meta(
            resultCount: items.count,
            nextToken: hasMore ? last.map(PageToken.text(before:)) : nil,
            hasMore: hasMore,
            conversationKeyEvents: keyEvents.isEmpty ? nil : keyEvents
        )
    }
}

extension Page.Item {
    init(_ event: MessageEvent) {
        let createdAt = event.createdAtMsec?.i64.map { Date(timeIntervalSince1970: Double($0) / 1000) }
        self.init(
            id: event.sequenceID?.string,
            senderID: event.senderID?.string,
            conversationID: event.conversationID?.string,
            conversationToken: event.conversationToken?.string,
            createdAt: createdAt?.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)),
            previousID: event.previousSequenceID?.string,
            encodedEvent: Base64.encode(event.encoded()),
            isTrusted: true,
            signature: event.messageEventSignature.map { signature in
                Signature(
                    signature: signature.signature?.string,
                    publicKeyVersion: signature.publicKeyVersion?.string,
                    signatureVersion: signature.signatureVersion?.string
                )
            }
        )
    }
}

extension MessageEvent {
    var isKeyChange: Bool {
        if case .conversationKeyChangeEvent = detail { true } else { false }
    }
}
