import XChatEvents

/// One event as the server lists it.
///
/// Only the encoded event is signed; the other properties come from the server and cannot be verified.
public struct ServedEvent: Hashable, Sendable {
    /// The base64 of the event; empty if the server left it out, so that decoding fails and the gap is noticed.
    public let encodedEvent: String
    /// The server's id of the event; in practice its sequence id.
    public let id: String?
    /// An opaque token that ``ChatClient/send(_:to:conversationToken:)`` may pass to the server.
    public let conversationToken: String?

    package init(encodedEvent: String, id: String?, conversationToken: String?) {
        self.encodedEvent = encodedEvent
        self.id = id
        self.conversationToken = conversationToken
    }
}

/// One page of a conversation's history, newest first.
public struct EventPage: Hashable, Sendable {
    /// The events of the page without key change events, newest first, at most 1000.
    public let events: [ServedEvent]
    /// The key change events with the conversation keys of the page, as base64.
    ///
    /// These events are not among ``events``.
    public let keyEvents: [String]
    /// The token of the next, older page; nil on the last one.
    public let nextToken: String?
    /// The errors that the server reports for entries that it left out.
    public let problems: [APIError]
}

/// The joined pages of a conversation, oldest first.
package struct History: Hashable, Sendable {
    /// All key change events, each once, as base64.
    package let keyEvents: [String]
    /// All other events, each once.
    package let events: [ServedEvent]
    /// The errors that the server reports for entries that it left out.
    package let problems: [APIError]
    /// The number of pages that were fetched.
    package let pageCount: Int
}

extension Call<EventPage> {
    /// The call `GET /2/chat/conversations/{id}/events`.
    static func events(
        in target: ConversationTarget,
        maxResults: Int,
        paginationToken: String?,
        limit: Int
    ) throws(APIError) -> Self {
        guard (1...100).contains(maxResults) else {
            throw APIError(.invalidArgument, "maxResults must be 1 to 100, not \(maxResults)")
        }
        var query = [(name: "max_results", value: String(maxResults))]
        if let paginationToken { query.append(("pagination_token", paginationToken)) }
        return Call(
            request: APIRequest(
                method: .get,
                route: "/2/chat/conversations/{id}/events",
                path: "/2/chat/conversations/\(target.pathComponent)/events",
                query: query
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            let page = try answer.page(of: EventItem.self, meta: EventsMeta.self)
            return EventPage(
                events: page.elements.map {
                    ServedEvent(
                        encodedEvent: $0.encodedEvent ?? "",
                        id: $0.id,
                        conversationToken: $0.conversationToken
                    )
                },
                keyEvents: page.meta?.conversationKeyEvents ?? [],
                nextToken: page.nextToken,
                problems: page.errors
            )
        }
    }
}

/// Joins the pages of a history; fails if it is too large.
package struct HistoryWalk: Sendable {
    private let maximumBytes: Int
    private var walk: PageWalk
    private var pages: [EventPage] = []
    private var bytes = 0

    /// Starts before the newest page.
    ///
    /// - Parameters:
    ///   - maximumPages: The most pages; by default there is no limit.
    ///   - maximumBytes: The most bytes of all pages together.
    package init(maximumPages: Int = .max, maximumBytes: Int) {
        walk = PageWalk(maximumPages: maximumPages)
        self.maximumBytes = maximumBytes
    }

    /// Adds a page, and returns the token of the next one; nil if this was the last.
    package mutating func add(_ page: EventPage) throws(APIError) -> String? {
        bytes += page.byteCount
        guard bytes <= maximumBytes else {
            throw APIError(.tooLarge, "the history is larger than \(maximumBytes) bytes")
        }
        pages.append(page)
        return try walk.follow(page.nextToken)
    }

    /// All pages, oldest first.
    ///
    /// Duplicates are dropped: pages repeat key change events, and overlap if events arrive between two calls.
    package var history: History {
        var seen: Set<WireString> = []
        let oldestFirst = pages.reversed()
        return History(
            keyEvents: oldestFirst.flatMap(\.keyEvents).filter { seen.insert(WireString($0)).inserted },
            events: oldestFirst.flatMap { $0.events.reversed() }.filter {
                $0.encodedEvent.isEmpty || seen.insert(WireString($0.encodedEvent)).inserted
            },
            problems: oldestFirst.flatMap(\.problems),
            pageCount: pages.count
        )
    }
}

extension EventPage {
    /// The memory that the page uses, in bytes; an empty element counts with the size of its struct.
    package var byteCount: Int {
        func sum<Element>(_ elements: [Element], _ texts: (Element) -> [String?]) -> Int {
            elements.reduce(elements.count * MemoryLayout<Element>.stride) { sum, element in
                texts(element).reduce(sum) { $0 + ($1?.utf8.count ?? 0) }
            }
        }
        return sum(events) { [$0.encodedEvent, $0.id, $0.conversationToken] }
            + sum(keyEvents) { [$0] } + sum(problems) { [$0.detail, $0.problem] }
    }
}

private struct EventItem: Decodable {
    let encodedEvent: String?
    let id: String?
    let conversationToken: String?

    enum CodingKeys: String, CodingKey {
        case id
        case encodedEvent = "encoded_event"
        case conversationToken = "conversation_token"
    }
}

private struct EventsMeta: Decodable {
    let conversationKeyEvents: [String]?

    enum CodingKeys: String, CodingKey {
        case conversationKeyEvents = "conversation_key_events"
    }
}
