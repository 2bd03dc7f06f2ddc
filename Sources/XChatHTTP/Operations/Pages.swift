import XChatEvents

/// Decides whether a walk over pages goes on: a server that repeats a token, or never stops, would keep it for ever.
package struct PageWalk {
    let maximumPages: Int
    private var tokens: Set<WireString> = []
    private var pages = 0

    package init(maximumPages: Int) {
        self.maximumPages = maximumPages
    }

    /// Counts a page, and answers the token to ask with for the next one; nil when this was the last.
    ///
    /// An empty token would ask for the first page again, so it counts as none.
    package mutating func follow(_ next: String?) throws(APIError) -> String? {
        pages += 1
        guard let next, !next.utf8.isEmpty else { return nil }
        guard tokens.insert(WireString(next)).inserted else {
            throw APIError(.malformedResponse, "the server gave the same page token twice")
        }
        guard pages < maximumPages else {
            throw APIError(.tooLarge, "there are more than \(maximumPages) pages")
        }
        return next
    }
}

/// A page of a list that the server hands out in pieces.
public protocol Page: Sendable {
    /// Asks for the next page; nil on the last one.
    var nextToken: String? { get }
}

extension EventPage: Page {}

/// The pages of a list, each fetched when it is asked for.
///
/// One page is in memory at a time. A walk ends with an error when the server names a page token twice, or more pages
/// than ``ChatClient/Limits/pages``.
public struct Pages<Element: Page>: AsyncSequence, Sendable {
    /// What goes wrong with any page.
    public typealias Failure = APIError

    let maximumPages: Int
    let fetch: @Sendable (_ token: String?) async throws(APIError) -> Element

    /// Starts from the first page.
    public func makeAsyncIterator() -> Iterator {
        Iterator(walk: PageWalk(maximumPages: maximumPages), fetch: fetch)
    }

    /// A walk over the pages.
    public struct Iterator: AsyncIteratorProtocol {
        var walk: PageWalk
        let fetch: @Sendable (_ token: String?) async throws(APIError) -> Element
        private var token: String?
        private var isAtEnd = false

        init(walk: PageWalk, fetch: @escaping @Sendable (_ token: String?) async throws(APIError) -> Element) {
            self.walk = walk
            self.fetch = fetch
        }

        /// The next page; nil after the last one and after an error.
        public mutating func next() async throws(APIError) -> Element? {
            try await next(isolation: #isolation)
        }

        /// The next page; nil after the last one and after an error.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(APIError) -> Element? {
            guard !isAtEnd else { return nil }
            // Until the token of the next page is known there is none, whatever goes wrong meanwhile.
            isAtEnd = true
            let page = try await fetch(token)
            token = try walk.follow(page.nextToken)
            isAtEnd = token == nil
            return page
        }
    }
}

extension ChatClient {
    /// The pages of a conversation, newest first.
    ///
    /// - Parameters:
    ///   - target: The conversation.
    ///   - pageSize: 1 to 100 events.
    /// - Returns: The pages, nothing of them verified. ``history(in:)`` puts them together.
    public func eventPages(in target: ConversationTarget, pageSize: Int = 100) -> Pages<EventPage> {
        Pages(maximumPages: limits.pages) { (token) async throws(APIError) in
            try await events(in: target, maxResults: pageSize, paginationToken: token)
        }
    }

    /// The pages of the list of conversations.
    ///
    /// - Parameter pageSize: 1 to 100 conversations.
    /// - Returns: The pages, newest first.
    public func conversationPages(pageSize: Int = 100) -> Pages<ConversationPage> {
        Pages(maximumPages: limits.pages) { (token) async throws(APIError) in
            try await conversations(maxResults: pageSize, paginationToken: token)
        }
    }
}
