import Foundation
import Hummingbird
import NIOCore
import XChatEvents

/// The context of a request.
struct SandboxContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection, for the fault that breaks it.
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

/// The owner of the token in a request.
enum Caller: Sendable {
    case user(UserID)
    case app

    /// The user; nil for the app.
    var userID: UserID? {
        guard case .user(let id) = self else { return nil }
        return id
    }

    init(_ request: Request) throws(Problem) {
        let scheme = "bearer ".utf8
        let prefix = "sandbox-".utf8
        // Only the scheme of the header is compared without regard to case.
        guard let header = request.headers[.authorization]?.utf8, header.count > scheme.count,
            zip(header, scheme).allSatisfy({ $0 | 0x20 == $1 }),
            header.dropFirst(scheme.count).starts(with: prefix)
        else { throw .unauthorized }
        let name = WireString(String(decoding: header.dropFirst(scheme.count + prefix.count), as: UTF8.self))
        if name == "app" {
            self = .app
        } else {
            guard let user = UserID(validating: name.string) else { throw .unauthorized }
            self = .user(user)
        }
    }
}

extension Request {
    /// The user who makes the request; throws for an app.
    func user() throws(Problem) -> UserID {
        guard case .user(let id) = try Caller(self) else { throw .appToken }
        return id
    }

    /// Refuses every caller except the app.
    func requireApp() throws(Problem) {
        guard case .app = try Caller(self) else { throw .userToken }
    }

    /// The token after `Bearer `.
    var bearerToken: String? {
        let scheme = "bearer ".utf8
        guard let header = headers[.authorization]?.utf8, header.count > scheme.count,
            zip(header, scheme).allSatisfy({ $0 | 0x20 == $1 })
        else { return nil }
        return String(decoding: header.dropFirst(scheme.count), as: UTF8.self)
    }

    func wholeBody(limit: Int = Routes.maximumBodyBytes) async throws -> Data {
        do {
            return Data(try await body.collect(upTo: limit).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw Problem.tooLarge
        }
    }

    func pageQuery(limit: Int = 100) throws(Problem) -> PageQuery {
        try PageQuery(maxResults: query("max_results"), paginationToken: query("pagination_token"), limit: limit)
    }

    func query(_ name: Substring) -> String? {
        uri.queryParameters.get(String(name))
    }

    /// A list separated by commas; nil if the parameter is absent.
    ///
    /// Throws for an unknown or repeated element.
    func list(_ name: Substring, of known: Set<String>) throws(Problem) -> Set<String>? {
        guard let text = query(name) else { return nil }
        let elements = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard Set(elements).count == elements.count, elements.allSatisfy(known.contains) else {
            throw .invalidRequest(
                "\(name) must be a list of names that this route knows, each at most once.",
                parameter: String(name)
            )
        }
        return Set(elements)
    }
}

extension SandboxContext {
    func userID() throws(Problem) -> UserID {
        guard let id = UserID(validating: parameters.get("id") ?? "") else {
            throw .invalidRequest("A user id has 1 to 19 digits.", parameter: "id")
        }
        return id
    }

    /// The canonical id of the conversation in a path, which has one of three forms.
    func conversationID(for user: UserID) throws(Problem) -> ConversationID {
        let text = WireString(parameters.get("id") ?? "")
        let id = ConversationID(canonicalizing: text, sender: user)
        // The form with a colon is only used inside events; no path accepts it.
        guard id.urlPathComponent != nil, !text.utf8.contains(UInt8(ascii: ":")) else {
            throw .invalidRequest("A conversation is a user id, two joined by '-', or a group id.", parameter: "id")
        }
        return id
    }

    func subscriptionID() throws(Problem) -> Int64 {
        let id = WireString(parameters.get("subscription_id") ?? "")
        guard id.isShortNumber, let number = id.i64 else {
            throw .invalidRequest("A subscription id has 1 to 19 digits.", parameter: "subscription_id")
        }
        return number
    }
}

extension Response {
    static func json(
        _ value: JSON,
        status: HTTPResponse.Status = .ok,
        type: String = "application/json"
    ) throws -> Response {
        let body = ByteBuffer(bytes: try value.text())
        return Response(status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: body))
    }

    /// Makes an answer with `data` as its only member.
    static func data(_ data: JSON, status: HTTPResponse.Status = .ok) throws -> Response {
        try json(.object(["data": data]), status: status)
    }
}
