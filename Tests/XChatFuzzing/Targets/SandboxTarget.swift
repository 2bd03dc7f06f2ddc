#if TESTABLE
    import HTTPTypes
    import Hummingbird
    import Logging
    import NIOCore
    import NIOEmbedded
    import Synchronization
    import XChatEngine
    import XChatEvents
    @testable import XChatHTTP
    @testable import XChatSandbox

    import struct Foundation.Data
    import class Foundation.JSONEncoder

    /// One request to a sandbox that knows two users, their conversation and a group.
    ///
    /// The first byte is the route, the second one the caller; the others are the body, or the query.
    enum SandboxTarget: FuzzTargetImplementation {
        private struct Route {
            let method: HTTPRequest.Method
            let path: String
            var type = "application/json"

            init(_ method: HTTPRequest.Method, _ path: String, type: String = "application/json") {
                (self.method, self.path, self.type) = (method, path, type)
            }
        }

        private static let routes = [
            Route(.post, "/2/users/1111/public_keys"), Route(.post, "/2/chat/conversations/2222/keys"),
            Route(.post, "/2/chat/conversations/2222/messages"),
            Route(.post, "/2/chat/conversations/2222/messages/delete"),
            Route(.post, "/2/chat/conversations/2222/read"), Route(.post, "/2/chat/conversations/2222/typing"),
            Route(.post, "/2/chat/conversations/group"), Route(.post, "/2/chat/conversations/group/initialize"),
            Route(.post, "/2/chat/conversations/\(Cast.group)/members"),
            Route(.post, "/2/chat/media/upload/initialize"), Route(.post, "/2/chat/media/upload/1/append"),
            Route(.post, "/2/chat/media/upload/1/append", type: "multipart/form-data; boundary=b"),
            Route(.post, "/2/chat/media/upload/1/finalize"), Route(.post, "/2/activity/subscriptions"),
            Route(.put, "/2/activity/subscriptions/1"), Route(.get, "/2/users/1111/public_keys"),
            Route(.get, "/2/users/public_keys"), Route(.get, "/2/chat/conversations"),
            Route(.get, "/2/chat/conversations/2222"), Route(.get, "/2/chat/conversations/2222/events"),
            Route(.get, "/2/activity/subscriptions"), Route(.delete, "/2/activity/subscriptions"),
            Route(.get, "/2/chat/media/2222/abc"), Route(.get, ""),
            Route(.post, "/2/users/2222/public_keys"), Route(.get, "/i/oauth2/authorize"),
            Route(.post, "/i/oauth2/authorize", type: Form.type), Route(.post, "/2/oauth2/token", type: Form.type),
            Route(.post, "/2/oauth2/revoke", type: Form.type), Route(.get, "/sandbox.json"),
        ]
        private static let callers = ["Bearer sandbox-1111", "Bearer sandbox-2222", "Bearer sandbox-app", "Bearer x"]

        static func run(_ input: [UInt8]) throws {
            var input = FuzzInput(input)
            let route = routes[input.number(below: routes.count)]
            let caller = callers[input.number(below: callers.count)]
            let status = try Server.current().status(of: route, caller, Array(input.rest))
            try require(status < 500, "\(route.method) \(route.path) is answered with \(status)")
        }

        /// A sandbox without a socket, replaced now and then so that it stays small.
        private final class Server: Sendable {
            private static let shared = Mutex<(server: Server?, requests: Int)>((nil, 0))
            private let respond: @Sendable (Request) async throws -> Response

            static func current() throws -> Server {
                try shared.withLock { shared in
                    shared.requests += 1
                    if let server = shared.server, shared.requests % 2000 != 0 { return server }
                    let server = try Server()
                    shared.server = server
                    return server
                }
            }

            private init() throws {
                let faults = try SandboxFaults("rate-limit=off,registrations=1000000")
                let responder = Routes(state: try SandboxState(at: nil, faults: faults)).router().buildResponder()
                let channel = NIOAsyncTestingChannel()
                let logger = Logger(label: "fuzzing") { _ in SwiftLogNoOpLogHandler() }
                respond = { request in
                    let source = ApplicationRequestContextSource(channel: channel, logger: logger)
                    return try await responder.respond(to: request, context: SandboxContext(source: source))
                }
                for (name, seed) in try Seeds.shared.get().setUp {
                    var input = FuzzInput(seed)
                    let route = SandboxTarget.routes[Int(input.byte())]
                    let caller = SandboxTarget.callers[Int(input.byte())]
                    let status = try status(of: route, caller, Array(input.rest))
                    try require((200..<300).contains(status), "the sandbox answers \(name) with \(status)")
                }
            }

            func status(of route: Route, _ caller: String, _ bytes: [UInt8]) throws -> Int {
                var path = route.path
                var body = ByteBuffer()
                if route.method == .post || route.method == .put {
                    body.writeBytes(bytes)
                } else if path.isEmpty {
                    path = "/" + String(decoding: bytes, as: UTF8.self)
                } else {
                    path += "?" + String(decoding: bytes, as: UTF8.self)
                }
                let fields: HTTPFields = [.authorization: caller, .contentType: route.type]
                let head = HTTPRequest(
                    method: route.method,
                    scheme: "http",
                    authority: "localhost",
                    path: path,
                    headerFields: fields
                )
                let request = Request(head: head, body: RequestBody(buffer: body))
                let respond = respond
                return try blocking { try await respond(request).status.code }
            }
        }

        /// Bodies that our own client makes.
        private struct Seeds: Sendable {
            static let shared = Result { try Seeds() }

            /// The first requests to a new sandbox, in this order.
            let setUp: [(String, [UInt8])]
            let more: [(String, [UInt8])]

            private init() throws {
                func seed(_ route: Int, _ caller: UInt8, _ body: Data?) -> [UInt8] {
                    [UInt8(route), caller] + Array(body ?? Data())
                }
                func registration(_ keys: PrivateKeys) throws -> Data {
                    var registration = try keys.registration(version: Cast.publicKeyVersion)
                    registration.generateVersion = false
                    return try JSONEncoder().encode(registration)
                }
                let cast = try Cast.shared.get()
                let limit = 1 << 20
                let target = try ConversationTarget(Cast.conversation)
                var session = try Session(
                    userID: Cast.alice,
                    privateKeys: cast.aliceKeys,
                    signingKeyVersion: Cast.publicKeyVersion
                )
                session.trust([
                    try cast.aliceKeys.verifiedKey(userID: Cast.alice, version: Cast.publicKeyVersion),
                    cast.verifiedKeys[0],
                ])
                let change = try session.prepareKeyChange(in: Cast.conversation, version: Cast.keyVersion)
                try session.addConversationKey(change.key, in: Cast.conversation, version: change.version)
                setUp = [
                    ("registration", seed(0, 0, try registration(cast.aliceKeys))),
                    ("registration-2222", seed(24, 1, try registration(cast.bobKeys))),
                    ("keys", seed(1, 0, try Call<AddedKeys>.addKeys(change, limit: limit).request.body)),
                ]
                let message = try session.seal(.text("x"), in: Cast.conversation)
                let send = try Call<SentMessage>.send(message, to: target, conversationToken: nil, limit: limit)
                let deletion = try session.sign(.deleteMessages(["9"], forAll: true), in: Cast.conversation)
                let delete = try Call<Void>.deleteMessages(deletion, in: target, mediaHashKeys: [], limit: limit)
                let next = try session.prepareKeyChange(in: Cast.conversation, version: "1002")
                more = [
                    ("next-keys", seed(1, 0, try Call<AddedKeys>.addKeys(next, limit: limit).request.body)),
                    ("message", seed(2, 0, send.request.body)), ("delete", seed(3, 0, delete.request.body)),
                ]
            }
        }

        static func seeds() throws -> [String: [UInt8]] {
            let made = try Seeds.shared.get()
            var seeds: [String: [UInt8]] = [:]
            for (name, seed) in made.setUp + made.more { seeds[name] = seed }
            func add(_ name: String, _ route: UInt8, _ caller: UInt8, _ text: String) {
                seeds[name] = [route, caller] + Array(text.utf8)
            }
            add("read", 4, 0, #"{"seen_until_sequence_id":"9"}"#)
            add("upload", 9, 0, #"{"conversation_id":"1111:2222","total_bytes":5}"#)
            add(
                "append",
                10,
                0,
                #"{"conversation_id":"1111:2222","media":"AAAA","media_hash_key":"abc","segment_index":0}"#
            )
            let form =
                [("media", "xyz"), ("conversation_id", "1111:2222"), ("media_hash_key", "a"), ("segment_index", "0")]
                .map { "--b\r\nContent-Disposition: form-data; name=\"\($0)\"\r\n\r\n\($1)\r\n" }.joined() + "--b--\r\n"
            add("form", 11, 0, form)
            add(
                "finalize",
                12,
                0,
                #"{"conversation_id":"1111:2222","media_hash_key":"abc","num_parts":"1","ttl_msec":"5"}"#
            )
            add("subscription", 13, 0, #"{"event_type":"chat.received","filter":{"user_id":"1111"},"tag":"t"}"#)
            add("update", 14, 2, #"{"tag":"t","webhook_id":"1"}"#)
            add("key-fields", 15, 1, "public_key.fields=public_key,signing_public_key")
            add("users", 16, 1, "ids=1111,2222")
            add("conversations", 17, 0, "max_results=5&pagination_token=0000000000000009&expansions=participant_ids")
            add("history", 19, 0, "max_results=5&chat_message_event.fields=id,encoded_event")
            add("unsubscribe", 21, 2, "ids=1,2")
            add("path", 23, 0, "2/chat/conversations/g7/events")
            return seeds
        }

        static var words: [String] {
            [
                "message_id", "encoded_message_create_event", "encoded_message_event_signature", "conversation_token",
                "conversation_key_version", "conversation_participant_keys", "user_id", "encrypted_conversation_key",
                "public_key_version", "action_signatures", "group_members", "group_admins", "group_name", "ttl_msec",
                "user_ids", "sequence_ids", "delete_message_action", "delete_for_all", "seen_until_sequence_id",
                "public_key", "signing_public_key", "identity_public_key_signature", "generate_version", "version",
                "total_bytes", "media_hash_key", "segment_index", "num_parts", "event_type", "filter", "direction",
                "max_results=", "pagination_token=", "expansions=", "ids=", "Content-Disposition: form-data; name=",
                "\r\n--b", "%2F", "%00",
            ]
        }
    }
#endif
