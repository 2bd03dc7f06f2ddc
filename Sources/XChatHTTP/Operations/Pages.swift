import Crypto
import XChatEvents

/// Follows the page tokens of a list and detects cycles.
///
/// Otherwise a server that repeats its tokens could keep the client fetching forever. The check uses constant memory. A
/// token that repeats one of the last 1,024 is detected at once. A longer cycle is detected by Brent's algorithm: each
/// token is compared with one kept token, which is replaced after 1, 2, 4, 8, … pages. A cycle of n pages that begins
/// after m pages is detected within 3 · max(m, n) + n pages.
package struct PageWalk {
    private static let recentTokens = 1024

    private let maximumPages: Int
    private var pages = 0
    /// Hashes of the tokens: a token may be as long as a page.
    private var recent: Set<SHA256Digest> = []
    private var order: [SHA256Digest] = []
    private var kept: SHA256Digest?
    private var pagesUntilNext = 1
    private var pagesSinceKept = 0

    /// Starts before the first page.
    ///
    /// - Parameter maximumPages: The most pages; by default there is no limit.
    package init(maximumPages: Int = .max) {
        self.maximumPages = maximumPages
    }

    /// Counts a page.
    ///
    /// - Parameter next: The token of the next page that the server names. An empty token counts as absent, since it
    ///   would fetch the first page again.
    /// - Returns: The token with which to fetch the next page; nil on the last page.
    /// - Throws: `malformed_response` if the token is a repetition, `too_large` if there are too many pages.
    package mutating func follow(_ next: String?) throws(APIError) -> String? {
        pages += 1
        guard let next, !next.utf8.isEmpty else { return nil }
        let token = SHA256.hash(data: Array(next.utf8))
        guard isNew(token) else {
            throw APIError(.malformedResponse, "the server repeats a page token")
        }
        guard pages < maximumPages else {
            throw APIError(.tooLarge, "there are more than \(maximumPages) pages")
        }
        return next
    }

    private mutating func isNew(_ token: SHA256Digest) -> Bool {
        guard kept != token, recent.insert(token).inserted else { return false }
        if order.count < Self.recentTokens {
            order.append(token)
        } else {
            let oldest = (pages - 1) % Self.recentTokens
            recent.remove(order[oldest])
            order[oldest] = token
        }
        pagesSinceKept += 1
        if pagesSinceKept == pagesUntilNext {
            kept = token
            pagesSinceKept = 0
            let (doubled, isTooLarge) = pagesUntilNext.multipliedReportingOverflow(by: 2)
            pagesUntilNext = isTooLarge ? .max : doubled
        }
        return true
    }
}

/// A page of a list.
public protocol Page: Sendable {
    /// The token of the next page; nil on the last one.
    var nextToken: String? { get }
}

extension EventPage: Page {}

/// The pages of a list; each page is fetched when the iterator reaches it.
///
/// One page is in memory at a time. There is no limit on the number of pages: stop iterating when you have enough. If
/// the server repeats page tokens in a cycle, iteration ends with ``APIError/Code-swift.struct/malformedResponse``.
/// Each call is retried under ``RetryPolicy``; after an error there are no more pages.
public struct Pages<Element: Page>: AsyncSequence, Sendable {
    /// The error of the call that fetches a page.
    public typealias Failure = APIError

    let fetch: @Sendable (_ token: String?) async throws(APIError) -> Element

    /// Starts from the first page.
    public func makeAsyncIterator() -> Iterator {
        Iterator(fetch: fetch)
    }

    /// An iteration over the pages.
    public struct Iterator: AsyncIteratorProtocol {
        private var walk = PageWalk()
        private let fetch: @Sendable (_ token: String?) async throws(APIError) -> Element
        private var token: String?
        private var isAtEnd = false

        init(fetch: @escaping @Sendable (_ token: String?) async throws(APIError) -> Element) {
            self.fetch = fetch
        }

        /// The next page; nil after the last one and after an error.
        public mutating func next() async throws(APIError) -> Element? {
            try await next(isolation: #isolation)
        }

        /// The next page; nil after the last one and after an error.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(APIError) -> Element? {
            guard !isAtEnd else { return nil }
            // Remains true if fetching the page fails.
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
    /// - Returns: The pages, the oldest one last; no event is verified.
    public func eventPages(in target: ConversationTarget, pageSize: Int = 100) -> Pages<EventPage> {
        Pages { (token) async throws(APIError) in
            try await events(in: target, maxResults: pageSize, paginationToken: token)
        }
    }

    /// The pages of the list of conversations.
    ///
    /// - Parameter pageSize: 1 to 100 conversations.
    /// - Returns: The pages, newest first.
    public func conversationPages(pageSize: Int = 100) -> Pages<ConversationPage> {
        Pages { (token) async throws(APIError) in
            try await conversations(maxResults: pageSize, paginationToken: token)
        }
    }
}
