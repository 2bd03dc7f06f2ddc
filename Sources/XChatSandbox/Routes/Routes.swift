import Foundation
import Hummingbird
import NIOCore
import XChatEngine
import XChatEvents

/// Connects X's paths to the state: reads requests and writes answers.
///
/// All decisions are in ``SandboxState``.
struct Routes {
    let state: SandboxState
    /// Whether to accept only names of this machine in the header Host.
    var isLoopback = false

    /// The largest body of a request in bytes, except for segments of media.
    static let maximumBodyBytes = 4 << 20
    /// The route that has a limit per 24 hours.
    static let registration = "/2/users/{id}/public_keys"

    var faults: SandboxFaults { state.faults }

    func router() -> Router<SandboxContext> {
        let router = Router(context: SandboxContext.self)
        if isLoopback { router.add(middleware: HostMiddleware(errors: faults.errors)) }
        router.add(middleware: FaultMiddleware(faults: faults, random: state.random))
        router.add(middleware: AccessTokenMiddleware(state: state))
        router.add(middleware: RateLimitMiddleware(limits: state.limits, errors: faults.errors))
        router.add(middleware: ProblemMiddleware(errors: faults.errors))
        addUsers(to: router)
        addPublicKeys(to: router)
        addConversations(to: router)
        addMessages(to: router)
        addGroups(to: router)
        addMedia(to: router)
        addActivity(to: router)
        addBackup(to: router)
        addOAuth(to: router)
        addPages(to: router)
        return router
    }

    // MARK: Public keys

    private static let keyFields: Set = [
        "identity_public_key_signature", "juicebox_config", "public_key", "public_key_version", "signing_public_key",
    ]

    private func addPublicKeys(to router: Router<SandboxContext>) {
        router.get("/2/users/{id}/public_keys") { request, context in
            let caller = try request.user()
            let fields = try request.list("public_key.fields", of: Self.keyFields)
            let user = try context.userID()
            let keys = try await state.publicKeys(of: user)
            let items = try keys.map { try item($0, of: user, for: caller, request).only(fields) }
            return try Response.json(.members(["data": faults.data(items)]))
        }
        router.get("/2/users/public_keys") { request, _ in
            let caller = try request.user()
            let fields = try request.list("public_key.fields", of: Self.keyFields)
            let ids = (request.query("ids") ?? "").split(separator: ",", omittingEmptySubsequences: false)
                .map { UserID(String($0)) }
            guard (1...100).contains(ids.count), ids.allSatisfy(\.isValid) else {
                throw Problem.invalidRequest("ids must be 1 to 100 user ids separated by commas.", parameter: "ids")
            }
            let keys = try await state.publicKeys(of: ids)
            let unknown = ids.filter { keys[$0] == nil }.map { _ in
                Problem.notFound(Problem.unknownUser.detail, parameter: "ids", resourceType: "user").body(.problem).json
            }
            let items = try ids.flatMap { id in
                try (keys[id] ?? []).map { try item($0, of: id, for: caller, request).only(fields) }
            }
            // As in X's API, an entry does not name its owner; the entries are in the order of the requested ids.
            return try Response.json(
                .members([
                    "data": faults.data(items),
                    "errors": unknown.isEmpty ? nil : .list(unknown),
                ])
            )
        }
        router.post("/2/users/{id}/public_keys") { request, context in
            let user = try request.user()
            guard try context.userID() == user else {
                throw Problem.forbidden("You can only register keys for yourself.", resourceType: "user")
            }
            let version = try await state.register(RegistrationRequest(body: request.wholeBody()), user: user)
            return try Response.data(
                .object([
                    "public_key_version": .string(version.string),
                    "juicebox_config": try backupConfiguration(of: user, version: version, request),
                ])
            )
        }
    }

    /// A key as JSON of the API; only its owner also receives the configuration of the backup.
    private func item(_ key: VerifiedPublicKey, of user: UserID, for caller: UserID, _ request: Request) throws -> JSON
    {
        var members: [String: JSON] = [
            "public_key": .string(key.registered.identityPublicKey.string),
            "signing_public_key": .string(key.registered.publicKey.string),
            "identity_public_key_signature": .string(key.registered.identityPublicKeySignature.string),
            "public_key_version": .string(key.registered.publicKeyVersion.string),
        ]
        if user == caller {
            members["juicebox_config"] = try backupConfiguration(of: user, version: key.version, request)
        }
        return .object(members)
    }

    private func backupConfiguration(of user: UserID, version: KeyVersion, _ request: Request) throws -> JSON {
        try backupConfiguration(of: user, version: version, authority: request.head.authority ?? "127.0.0.1")
    }

    // MARK: Conversations

    private func addConversations(to router: Router<SandboxContext>) {
        router.get("/2/chat/conversations") { request, _ in
            let user = try request.user()
            let asked = try ConversationFields(request)
            let query = try request.pageQuery()
            let (page, next) = try await state.conversations(of: user, query: query)
            return try Response.json(
                .members([
                    "data": faults.data(page.map { $0.item(asked) }),
                    "includes": try await asked.includes(of: page, state),
                    "meta": .members([
                        "result_count": .integer(Int64(page.count)),
                        "next_token": next.map { .string(PageToken.text(before: $0)) },
                        "has_more": .bool(next != nil),
                        "has_message_requests": .bool(false),
                    ]),
                ])
            )
        }
        router.get("/2/chat/conversations/{id}") { request, context in
            let user = try request.user()
            let asked = try ConversationFields(request)
            let conversation = try await state.conversation(try context.conversationID(for: user), for: user)
            return try Response.json(
                .members([
                    "data": conversation.item(asked),
                    "includes": try await asked.includes(of: [conversation], state),
                ])
            )
        }
        router.get("/2/chat/conversations/{id}/events") { request, context in
            let user = try request.user()
            let fields = try request.list("chat_message_event.fields", of: Self.eventFields)
            let query = try request.pageQuery()
            let page = try await state.page(of: try context.conversationID(for: user), for: user, query: query)
            return try Response.json(try page.json(fields: fields, faults: faults))
        }
    }

    private static let eventFields: Set = [
        "conversation_id", "conversation_token", "created_at", "encoded_event", "id", "is_trusted",
        "message_event_signature", "previous_id", "sender_id",
    ]

    // MARK: Messages

    private func addMessages(to router: Router<SandboxContext>) {
        router.post("/2/chat/conversations/{id}/keys") { request, context in
            let user = try request.user()
            let id = try context.conversationID(for: user)
            let event = try await state.addKeys(KeysRequest(body: request.wholeBody()), to: id, from: user)
            return try Response.data(
                .object([
                    "conversation_id": .string(id.urlPathComponent ?? id.string),
                    "sequence_id": .string(String(event.sequence)),
                ])
            )
        }
        router.post("/2/chat/conversations/{id}/messages") { request, context in
            let user = try request.user()
            let id = try context.conversationID(for: user)
            let event = try await state.send(SendRequest(body: request.wholeBody()), to: id, from: user)
            return try Response.data(
                .object(["encoded_message_event": .string(event.base64)]),
                status: .init(code: faults.sendStatus)
            )
        }
        router.post("/2/chat/conversations/{id}/messages/delete") { request, context in
            let user = try request.user()
            let id = try context.conversationID(for: user)
            try await state.delete(DeleteRequest(body: request.wholeBody()), in: id, by: user)
            return try Response.data(.object(["deleted": .bool(true)]))
        }
        router.post("/2/chat/conversations/{id}/read") { request, context in
            let user = try request.user()
            let id = try context.conversationID(for: user)
            try await state.markRead(ReadRequest(body: request.wholeBody()), in: id, by: user)
            return try Response.data(.object(["success": .bool(true)]))
        }
        router.post("/2/chat/conversations/{id}/typing") { request, context in
            let user = try request.user()
            try await state.type(in: try context.conversationID(for: user), by: user)
            return try Response.data(.object(["success": .bool(true)]))
        }
    }

    // MARK: Groups

    private func addGroups(to router: Router<SandboxContext>) {
        router.post("/2/chat/conversations/group/initialize") { request, _ in
            let id = try await state.initializeGroup(by: try request.user())
            return try Response.data(.object(["conversation_id": .string(id)]))
        }
        router.post("/2/chat/conversations/group") { request, _ in
            let user = try request.user()
            let group = try await GroupRequest(body: request.wholeBody())
            let keyChange = try await state.createGroup(group, by: user)
            return try Response.data(
                .object([
                    "conversation_id": .string(group.conversationID),
                    "conversation_key_change_sequence_id": .string(String(keyChange.sequence)),
                ]),
                status: .created
            )
        }
        router.post("/2/chat/conversations/{id}/members") { request, context in
            let user = try request.user()
            let id = try context.conversationID(for: user)
            let (keyChange, members) = try await state.addMembers(
                MembersRequest(body: request.wholeBody()),
                to: id,
                by: user
            )
            let answer = JSON.object([
                "conversation_key_change_sequence_id": .string(String(keyChange.sequence)),
                "current_member_ids": .strings(members.map(\.string)),
            ])
            return try faults.members == .bare ? Response.json(answer) : Response.data(answer)
        }
    }
}

extension ConversationFields {
    fileprivate init(_ request: Request) throws(Problem) {
        fields = try request.list("chat_conversation.fields", of: Self.names)
        expansions = try request.list("expansions", of: Self.expandable)
    }
}
