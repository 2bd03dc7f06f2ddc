#if TESTABLE
    import NIOHTTP1
    @testable import XChatEngine
    import XChatEvents
    @testable import XChatHTTP

    import struct Foundation.Data
    import struct Foundation.Date

    /// The first byte says which call is answered, the second with which status; the others are the body.
    enum AnswersTarget: FuzzTargetImplementation {
        /// A server may echo it, and no error may.
        static let token = Result { () throws(APIError) in try Token("the-token-of-the-fuzzer") }

        private static let statuses = [200, 201, 202, 299, 301, 400, 401, 403, 404, 408, 409, 429, 500, 503, 599, 700]

        static func run(_ input: [UInt8]) throws {
            let readers = try readers.get()
            var input = FuzzInput(input)
            let reader = readers[input.number(below: readers.count)]
            let status = statuses[input.number(below: statuses.count)]
            let answer = APIResponse(status: status, body: Data(input.rest))
            do {
                try reader(Success(answer, token: token.get()))
            } catch let error as APIError {
                try check(error)
                if !(200..<300).contains(status) { try require(error.status == status, "an error has another status") }
            }
        }

        /// Checks an error that a server's answer caused.
        static func check(_ error: APIError) throws {
            try require(printable: "\(error)")
            try require(!error.description.contains("the-token-of-the-fuzzer"), "an error repeats the token")
            if let problem = error.problem { try require(printable: problem, limit: 64) }
            _ = error.disposition
        }

        private typealias Reader = @Sendable (Success) throws -> Void

        private static let readers = Result { try makeReaders() }

        /// How each call of the API reads its answer.
        private static func makeReaders() throws -> [Reader] {
            let cast = try Cast.shared.get()
            var session = cast.session
            let target = try ConversationTarget(Cast.conversation)
            let message = try session.seal(.text("x"), in: Cast.conversation)
            let deletion = try session.sign(.deleteMessages(["9"], forAll: true), in: Cast.conversation)
            let keyChange = try session.prepareKeyChange(
                in: Cast.conversation,
                for: [Cast.alice, Cast.bob],
                version: nil
            )
            let upload = UploadSession(id: "1", mediaHashKey: "abc", conversationID: "1111:2222")
            let registration = try cast.aliceKeys.registration(version: "1")
            func reader<Answer>(
                _ call: Call<Answer>,
                _ check: @escaping @Sendable (Answer) throws -> Void = { _ in }
            ) -> Reader {
                { success in try check(call.read(success)) }
            }
            let limit = 1 << 20
            return [
                reader(try .events(in: target, maxResults: 10, paginationToken: nil, limit: limit)) { page in
                    try require(page.events.count <= 1000, "a page has more than 1000 events")
                    var walk = HistoryWalk(maximumPages: 3, maximumBytes: limit)
                    _ = try walk.add(page)
                    _ = walk.history
                    for error in page.problems { try Self.check(error) }
                },
                reader(try .conversations(maxResults: 10, paginationToken: nil, limit: limit)),
                reader(Call.conversation(target, limit: limit)),
                reader(try .send(message, to: target, conversationToken: nil, limit: limit)) { sent in
                    try require(isNumber(sent.sequenceID), "a sequence id is not one")
                },
                reader(try .addKeys(keyChange, limit: limit)) { added in
                    try require(added.sequenceID.map { isNumber($0) } ?? true, "a sequence id is not one")
                },
                reader(try .publicKeys(of: Cast.bob, limit: limit)) { keys in
                    _ = try? cast.session.bound(keys, of: Cast.bob)
                    try require(keys.allSatisfy { isNumber($0.publicKeyVersion) }, "a version is not one")
                },
                reader(try .publicKeys(ofAnyOf: [Cast.bob, Cast.carol], limit: limit)),
                reader(try .register(registration, user: Cast.alice, limit: limit)) { version in
                    try require(isNumber(version), "a version is not one")
                },
                reader(try .initializeGroup(limit: limit)) { group in
                    try require(group.isGroup, "a group's id is not one")
                },
                reader(try .deleteMessages(deletion, in: target, mediaHashKeys: [], limit: limit)),
                reader(Call.typing(in: target, limit: limit)),
                reader(try .initializeUpload(of: 5, in: Cast.conversation, limit: limit)) { upload in
                    try require(MediaHashKey.isValid(upload.mediaHashKey), "a hash key is not one")
                    try require(!upload.id.utf8.contains(UInt8(ascii: "/")), "an upload's id is a path")
                },
                reader(try .append([1, 2, 3], number: 0, to: upload, limit: limit)),
                reader(try .finalize(upload, segments: 1, ttlMsec: nil, limit: limit)),
                reader(try .subscribe(to: .received, of: Cast.alice, tag: nil, webhookID: nil, limit: limit)),
                reader(try .subscriptions(maxResults: 10, paginationToken: nil, limit: limit)),
                reader(try .unsubscribe("1", limit: limit)),
                reader(try .unsubscribe(all: ["1", "2"], limit: limit)),
            ]
        }

        static func seeds() throws -> [String: [UInt8]] {
            let cast = try Cast.shared.get()
            let event = Base64.encode(cast.fixtures.first?.event.encoded() ?? [])
            let registered = cast.verifiedKeys[1].registered
            let bodies: [(String, UInt8, String)] = [
                (
                    "events", 0,
                    """
                    {"data":[{"encoded_event":"\(event)","id":"9","conversation_token":"t"}],\
                    "meta":{"conversation_key_events":["AAAA"],"next_token":"n","has_more":true,"result_count":1}}
                    """
                ),
                (
                    "conversations", 1,
                    """
                    {"data":[{"id":"1111-2222","type":"direct","participant_ids":["1111","2222"],"is_muted":false,\
                    "latest_message_sequence_id":"9","updated_at":"2026-01-01T00:00:00.000Z","group_members":["1"]}],\
                    "meta":{"next_token":"n","result_count":1,"has_message_requests":true}}
                    """
                ),
                ("conversation", 2, #"{"data":{"id":"g7","type":"group","group_name":"n","group_admins":["1"]}}"#),
                ("sent", 3, #"{"data":{"encoded_message_event":"\#(event)"}}"#),
                ("added", 4, #"{"data":{"conversation_id":"1111-2222","sequence_id":"9"}}"#),
                (
                    "keys", 5,
                    """
                    {"data":[{"public_key_version":"5","public_key":"\(registered.identityPublicKey)",\
                    "signing_public_key":"\(registered.publicKey)",\
                    "identity_public_key_signature":"\(registered.identityPublicKeySignature)"}]}
                    """
                ),
                ("registered", 7, #"{"data":{"public_key_version":"5"}}"#),
                ("group", 8, #"{"data":{"conversation_id":"g7","conversation_key_change_sequence_id":"9"}}"#),
                ("deleted", 9, #"{"data":{"deleted":true}}"#),
                ("success", 10, #"{"data":{"success":true}}"#),
                ("upload", 11, #"{"data":{"session_id":"1","media_hash_key":"abc"}}"#),
                (
                    "subscription", 14,
                    #"{"data":{"subscription":{"subscription_id":"1","event_type":"chat.received","filter":{"user_id":"1"}}}}"#
                ),
                ("subscriptions", 15, #"{"data":[{"subscription_id":"1","tag":"t","webhook_id":"2"}],"meta":{}}"#),
                ("unsubscribed", 17, #"{"data":[{"subscription_id":"1","deleted":true}],"errors":[{"code":1}]}"#),
            ]
            var seeds: [String: [UInt8]] = [:]
            for (name, call, body) in bodies { seeds[name] = [call, 0] + Array(body.utf8) }
            let problem = #"""
                {"title":"Not Found","detail":"no such user","type":"https://api.x.com/2/problems/resource-not-found",\#
                "status":404,"code":50,"errors":[{"message":"the-token-of-the-fuzzer","parameter":"id"}]}
                """#
            for (index, status) in statuses.enumerated() where status >= 300 {
                seeds["problem-\(status)"] = [5, UInt8(index)] + Array(problem.utf8)
            }
            return seeds
        }

        static var words: [String] {
            [
                "data", "meta", "errors", "includes", "next_token", "conversation_key_events", "has_more",
                "result_count", "encoded_event", "conversation_token", "encoded_message_event", "conversation_id",
                "sequence_id", "conversation_key_change_sequence_id", "public_key_version", "public_key",
                "signing_public_key", "identity_public_key_signature", "session_id", "media_hash_key", "success",
                "deleted", "subscription", "subscription_id", "participant_ids", "group_members", "group_admins",
                "title", "detail", "type", "status", "code", "message", "parameter", "reason", "problems/",
                "the-token-of-the-fuzzer", "null", "true", "1e400", "\\u0000", "\\ud800",
            ]
        }
    }
#endif
