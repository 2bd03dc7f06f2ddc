import Foundation
import NIOHTTP1
import XChatEvents

/// A request without its base URL and token.
struct APIRequest: Sendable {
    enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    let method: Method
    /// The path with placeholders, for logs and errors; it contains no ids.
    let route: String
    let path: String
    var query: [(name: String, value: String)] = []
    var body: Data?
    /// Whether the request may be sent twice: either it is idempotent, or the second execution does no harm, such as
    /// the reservation of another id.
    var isRepeatable = true
    var accept = "application/json, application/problem+json"
    var contentType = "application/json"

    var operation: String { "\(method.rawValue) \(route)" }

    /// The absolute URL; `base` is the base URL without a slash at its end.
    func url(base: String) -> String {
        let pairs = query.map { "\(Self.escaped($0.name))=\(Self.escaped($0.value))" }
        return base + path + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
    }

    /// Percent-encodes all characters except the unreserved ones of RFC 3986: page tokens may contain any character.
    static func escaped(_ text: String) -> String {
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: result.append(byte)
            default: result += "%\(byte < 16 ? "0" : "")\(String(byte, radix: 16, uppercase: true))".utf8
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// A complete answer.
struct APIResponse: Sendable {
    let status: Int
    var headers = HTTPHeaders()
    var body = Data()
}

/// A request and the function that reads its answer; neither does I/O.
struct Call<Answer>: Sendable {
    let request: APIRequest
    /// The largest body of an answer, in bytes.
    let limit: Int
    /// Reads the body of a successful answer.
    let read: @Sendable (Success) throws(APIError) -> Answer
}

/// An answer with a 2xx status.
struct Success: Sendable {
    let body: Data
    let token: Token
    /// The value of `content-encoding`; the default HTTP client has already decompressed the encodings that it knows.
    private let encoding: String?

    init(_ response: APIResponse, token: Token) throws(APIError) {
        guard (200..<300).contains(response.status) else { throw APIError(refusal: response, token: token) }
        guard !response.body.isEmpty else { throw APIError(.malformedResponse, "the answer has no body") }
        (body, self.token, encoding) = (response.body, token, response.headers.value("content-encoding"))
    }

    /// The `data` member.
    ///
    /// An answer may have both `data` and `errors`. If there is no `data`, the first error is thrown.
    func data<Payload: Decodable>(_ type: Payload.Type) throws(APIError) -> Payload {
        let envelope = try envelope(Payload.self, meta: NoMeta.self)
        guard let data = envelope.data else {
            throw errors(envelope).first
                ?? APIError(.malformedResponse, "the answer has neither data nor errors")
        }
        return data
    }

    /// The `data` member; nil if the answer has neither `data` nor errors, since X leaves out an empty `data`.
    func dataIfAny<Payload: Decodable>(_ type: Payload.Type) throws(APIError) -> Payload? {
        let envelope = try envelope(Payload.self, meta: NoMeta.self)
        if envelope.data == nil, let error = errors(envelope).first { throw error }
        return envelope.data
    }

    /// The `data` member of an answer whose `errors` only name elements that are missing from it.
    func dataDespiteErrors<Payload: Decodable>(_ type: Payload.Type) throws(APIError) -> Payload? {
        try envelope(Payload.self, meta: NoMeta.self).data
    }

    /// The `data` member, or the body itself if the server answers without the envelope.
    func dataOrBody<Payload: Decodable>(_ type: Payload.Type) throws(APIError) -> Payload {
        let envelope = try envelope(Payload.self, meta: NoMeta.self)
        if let data = envelope.data { return data }
        if let error = errors(envelope).first { throw error }
        return try decode(Payload.self)
    }

    /// The `data` member as one page of a list, with `meta` and `errors`; X leaves out an empty list.
    ///
    /// - Throws: `malformed_response` for more than 1000 elements, and for a page that contradicts itself:
    ///   ``PageMeta``.
    func page<Element: Decodable, Meta: Decodable>(
        of type: Element.Type,
        meta: Meta.Type = NoMeta.self
    ) throws(APIError) -> ListedPage<Element, Meta> {
        let envelope = try envelope(BoundedList<Element>.self, meta: Meta.self)
        let elements = envelope.data?.elements ?? []
        let errors = try listErrors(envelope, count: elements.count)
        return ListedPage(
            elements: elements,
            meta: envelope.meta,
            errors: errors,
            nextToken: envelope.page?.next
        )
    }

    /// The `data` member of a route that returns its whole list in one answer.
    ///
    /// - Throws: The errors of ``page(of:meta:)``; also `malformed_response` if the answer names a next page.
    func wholeList<List: ElementList>(as type: List.Type) throws(APIError) -> [List.Element] {
        let envelope = try envelope(List.self, meta: NoMeta.self)
        let elements = envelope.data?.elements ?? []
        _ = try listErrors(envelope, count: elements.count)
        guard envelope.page?.next == nil else {
            throw APIError(
                .malformedResponse,
                "meta.next_token names another page, but this route has only one"
            )
        }
        return elements
    }

    /// The errors of a list, whose `meta` must agree with its elements.
    private func listErrors<Payload, Meta>(
        _ envelope: Envelope<Payload, Meta>,
        count: Int
    ) throws(APIError) -> [APIError] {
        let errors = errors(envelope)
        if envelope.data == nil, let error = errors.first { throw error }
        try envelope.page?.check(count: count, leavesOutSome: !errors.isEmpty)
        return errors
    }

    private func envelope<Payload, Meta>(
        _ payload: Payload.Type,
        meta: Meta.Type
    ) throws(APIError) -> Envelope<Payload, Meta> {
        try decode(Envelope<Payload, Meta>.self)
    }

    private func decode<Payload: Decodable>(_ type: Payload.Type) throws(APIError) -> Payload {
        do {
            return try JSONCoding.decoder.decode(type, from: body)
        } catch let error as DecodingError {
            throw APIError(.malformedResponse, error.place ?? notJSON)
        } catch let error as APIError {
            throw error
        } catch {
            throw APIError(.malformedResponse, notJSON)
        }
    }

    private var notJSON: String {
        guard let encoding, encoding.lowercased() != "identity" else { return "the answer is not JSON" }
        return
            "the answer is not JSON; it is compressed as \(quoted(encoding)), which the HTTP client does not decompress"
    }

    private func errors<Payload, Meta>(_ envelope: Envelope<Payload, Meta>) -> [APIError] {
        envelope.errors.map { APIError($0, code: $0.errorCode, token: token) }
    }
}

/// A `meta` that is not used.
struct NoMeta: Decodable {}

/// One page of a list.
struct ListedPage<Element, Meta> {
    let elements: [Element]
    let meta: Meta?
    /// The errors of the entries that the server left out of the page.
    let errors: [APIError]
    /// The token of the next page; nil on the last one.
    let nextToken: String?
}

/// The `meta` of a page: how many elements it has, and whether there is another page.
///
/// A page that contradicts its `meta` is an error. Otherwise a part of a history could pass for the whole.
private struct PageMeta: Decodable {
    private let resultCount: Int?
    private let hasMore: Bool?
    private let nextToken: String?

    private enum CodingKeys: String, CodingKey {
        case resultCount = "result_count"
        case hasMore = "has_more"
        case nextToken = "next_token"
    }

    /// The token of the next page; nil if it is empty, since an empty token would fetch the first page again.
    var next: String? { nextToken.flatMap { $0.utf8.isEmpty ? nil : $0 } }

    /// Checks that `meta` agrees with the elements of the page.
    ///
    /// `has_more: false` with a token is not an error: X's documentation says to follow the token, and following it
    /// loses nothing.
    func check(count: Int, leavesOutSome: Bool) throws(APIError) {
        if let resultCount, leavesOutSome ? resultCount < count : resultCount != count {
            throw APIError(
                .malformedResponse,
                "the page has \(count) elements, but its meta.result_count is \(resultCount)"
            )
        }
        guard hasMore != true || next != nil else {
            throw APIError(
                .malformedResponse,
                "meta.has_more says that there is another page, but meta.next_token does not name it"
            )
        }
    }
}

/// The `data` of a list.
protocol ElementList: Decodable {
    associatedtype Element
    var elements: [Element] { get }
}

/// A list of at most 1000 elements, the most that X documents for a page: a body of 8 MiB could hold millions.
struct BoundedList<Element: Decodable>: ElementList {
    private(set) var elements: [Element] = []

    init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        let limit = 1000
        try list.check(limit: limit, "data")
        while !list.isAtEnd {
            guard elements.count < limit else { throw APIError(tooLong: "data", limit) }
            elements.append(try list.decode(Element.self))
        }
    }
}

private struct Envelope<Payload: Decodable, Meta: Decodable>: Decodable {
    let data: Payload?
    let meta: Meta?
    /// The members of `meta` that all lists share.
    let page: PageMeta?
    let errors: [ErrorObject]

    private enum CodingKeys: CodingKey { case data, meta, errors }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        data = try members.decodeIfPresent(Payload.self, forKey: .data)
        meta = try members.decodeIfPresent(Meta.self, forKey: .meta)
        page = try members.decodeIfPresent(PageMeta.self, forKey: .meta)
        // Without data, the body itself may be an error.
        if data == nil {
            errors = try ErrorBody(from: decoder).objects
        } else {
            errors = members.contains(.errors) ? try ErrorList(from: decoder).objects : []
        }
    }
}

extension APIError {
    init(_ object: ErrorObject, code: Code, status: Int? = nil, token: Token?) {
        self.init(code, object.detail(redacting: token), status: status)
        problem = object.problem
    }

    /// Later times are ignored: they are mistakes of the server, and some date formats cannot express them.
    private static let endOfYear9999 = Date(timeIntervalSince1970: 253_402_300_800)

    /// The error of an answer whose status is not 2xx.
    init(refusal response: APIResponse, token: Token, now: Date = Date()) {
        let status = response.status
        if (300..<400).contains(status) {
            // Only the host is shown: the rest of the URL may contain a secret.
            let host = response.headers.value("location").flatMap { URL(string: $0)?.host() }
            let target = host.map { "to the host \(token.redacted(from: $0).display(limit: 255))" } ?? "to this host"
            self.init(
                .redirected,
                "the server redirects \(target); redirects are not followed, so check the API's URL",
                status: status
            )
            return
        }
        let code = Code(status: status) ?? .malformedResponse
        let reset = code == .rateLimited ? RateLimit.reset(in: response.headers) : nil
        let retryAfter = RateLimit.retryAfter(in: response.headers, now: now)
        let latest = [reset, retryAfter].compactMap { $0 }.filter { $0 < Self.endOfYear9999 }.max()
        guard let body = try? JSONCoding.decoder.decode(ErrorBody.self, from: response.body),
            let first = body.objects.first
        else {
            self.init(code, "the server gives no reason", status: status)
            resetAt = latest
            return
        }
        self.init(first, code: code, status: status, token: token)
        resetAt = latest
    }
}

extension DecodingError {
    /// The member that could not be decoded, and why; nil if the body is not JSON.
    ///
    /// The text consists of names from this package's coding keys, so it repeats no input.
    fileprivate var place: String? {
        func path(_ keys: [any CodingKey]) -> String {
            keys.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined().drop { $0 == "." }.description
        }
        switch self {
        case .keyNotFound(let key, let context): return "\(path(context.codingPath + [key])) is missing"
        case .valueNotFound(_, let context): return "\(path(context.codingPath)) is null"
        case .typeMismatch(_, let context): return "\(path(context.codingPath)) has the wrong type"
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            return "\(path(context.codingPath)) cannot be read"
        default: return nil
        }
    }
}
