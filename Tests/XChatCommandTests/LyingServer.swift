import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import TestSupport
import XChat
import XChatCommand
import XChatEvents

/// One request that a ``LyingServer`` received.
struct ServedRequest: Sendable {
    let method: String
    let path: String
    let body: [UInt8]

    /// The body as JSON.
    var json: JSONLocation {
        get throws { try JSONLocation(parsing: body, document: path) }
    }
}

/// The part of X's chat API that user 1111 needs, on a loopback port.
///
/// It serves the content that a test sets, true or not.
final class LyingServer: Sendable {
    /// A status and a body.
    typealias Answer = (status: Int, body: JSONValue)

    /// The content that the server serves, and the requests that it received.
    struct Content: Sendable {
        /// The registered keys of each user.
        var keys: [String: [JSONValue]] = [:]
        /// The events of each conversation, oldest first.
        var events: [ConversationID: [MessageEvent]] = [:]
        /// The key changes of each conversation, oldest first.
        var keyEvents: [ConversationID: [MessageEvent]] = [:]
        /// The members of each group, as the server lists them.
        var members: [ConversationID: [UserID]] = [:]
        /// The id of the next new group.
        var newGroup = "g100"
        /// Answers a request instead of the server; nil leaves the answer to the server.
        var lie: @Sendable (ServedRequest, Content) -> Answer? = { _, _ in nil }
        /// The requests in the order in which they were received.
        var requests: [ServedRequest] = []

        /// The requests that change something.
        var posts: [ServedRequest] { requests.filter { $0.method != "GET" } }

        /// The number of requests for keys.
        var keyRequests: Int { requests.count { $0.path.hasSuffix("/public_keys") } }
    }

    let url: String
    private let channel: any Channel
    private let content: SharedContent

    /// The user of the requests: a conversation of two users may be named after the other user alone.
    private static let client: UserID = "1111"

    init() async throws {
        let content = SharedContent()
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .childChannelInitializer { channel in
                channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
                    try channel.pipeline.syncOperations.addHandler(Connection(content))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        url = "http://127.0.0.1:\(channel.localAddress?.port ?? 0)"
        self.content = content
    }

    deinit {
        channel.close(promise: nil)
    }

    /// Changes or reads the content.
    @discardableResult
    func with<Value: Sendable, Failure: Error>(
        _ body: (inout Content) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try content.value.withLock { (content) throws(Failure) in try body(&content) }
    }

    /// The answer of an honest server with this content.
    static func honestAnswer(_ request: ServedRequest, _ content: Content) -> Answer {
        let parts = request.path.split(separator: "/").map(String.init)
        switch (request.method, parts.dropFirst().first, parts.last) {
        case ("GET", "users", "public_keys"):
            guard parts.count == 4, let keys = content.keys[parts[2]] else { return notFound }
            return (200, ["data": .array(keys)])
        case ("GET", "chat", "events"):
            let id = conversation(parts[3])
            return page(content.events[id] ?? [], content.keyEvents[id] ?? [])
        case ("GET", "chat", _):
            let id = conversation(parts[3])
            let members = JSONValue((content.members[id] ?? []))
            return (200, ["data": ["id": .string(id.text), "type": "group", "member_ids": members, "admin_ids": []]])
        case ("POST", "chat", "keys"):
            return (201, ["data": ["conversation_id": .string(conversation(parts[3]).text), "sequence_id": "9000"]])
        case ("POST", "chat", "initialize"):
            return (200, ["data": ["conversation_id": .string(content.newGroup)]])
        case ("POST", "chat", "group"):
            return (
                201,
                ["data": ["conversation_id": .string(content.newGroup), "conversation_key_change_sequence_id": "9000"]]
            )
        case ("POST", "chat", "messages"):
            guard let event = try? sent(request, in: conversation(parts[3])) else { return notFound }
            return (200, ["data": ["encoded_message_event": .string(event.base64)]])
        default:
            return notFound
        }
    }

    /// A page of a history.
    static func page(_ events: [MessageEvent], _ keyEvents: [MessageEvent]) -> Answer {
        let items = events.reversed().map { event -> JSONValue in
            ["id": .init(event.sequenceID), "encoded_event": .string(event.base64)]
        }
        let changes = keyEvents.map { JSONValue.string($0.base64) }
        return (200, ["data": .array(items), "meta": ["conversation_key_events": .array(changes)]])
    }

    static let notFound: Answer = (
        404,
        ["title": "Not Found Error", "type": "https://api.x.com/2/problems/resource-not-found", "status": 404]
    )

    private static func conversation(_ text: String) -> ConversationID {
        ConversationID(canonicalizing: WireString(text), sender: client)
    }

    /// The event that a sent message becomes.
    private static func sent(_ request: ServedRequest, in conversation: ConversationID) throws -> MessageEvent {
        let body = try request.json
        func decoded(_ member: WireString) throws -> [UInt8] {
            try Base64.decode(try body.required(member).string())
        }
        let create = try MessageCreateEvent(decoding: try decoded("encoded_message_create_event"))
        return MessageEvent(
            sequenceID: "9001",
            messageID: try body.required("message_id").id(),
            senderID: client,
            conversationID: conversation.text,
            createdAtMsec: "1700000000000",
            detail: .messageCreateEvent(create),
            messageEventSignature: try MessageEventSignature(decoding: try decoded("encoded_message_event_signature"))
        )
    }

    /// The data that the connections share.
    ///
    /// They do not retain the server.
    fileprivate final class SharedContent: Sendable {
        let value = Mutex(Content())

        func answer(_ request: ServedRequest) -> Answer {
            let now = value.withLock { content in
                content.requests.append(request)
                return content
            }
            return now.lie(request, now) ?? LyingServer.honestAnswer(request, now)
        }
    }
}

private final class Connection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let content: LyingServer.SharedContent
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ content: LyingServer.SharedContent) {
        self.content = content
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): (self.head, body) = (head, [])
        case .body(let buffer): body += Array(buffer.readableBytesView)
        case .end:
            guard let head else { return }
            let path = head.uri.prefix { $0 != "?" }
            let answer = content.answer(ServedRequest(method: head.method.rawValue, path: String(path), body: body))
            let text = Array(answer.body.line.utf8)
            let headers = HTTPHeaders([("content-type", "application/json"), ("content-length", "\(text.count)")])
            let response = HTTPResponseHead(
                version: .http1_1,
                status: HTTPResponseStatus(statusCode: answer.status),
                headers: headers
            )
            context.write(wrapOutboundOut(.head(response)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: text)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
