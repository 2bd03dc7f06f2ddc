import Foundation
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatSandbox

@testable import XChatHTTP

/// Deletions, read marks, groups and lists: requests, and checks of the answers.
struct OperationTests {
    private let target: ConversationTarget
    private var session: Session
    private let keys: PrivateKeys

    init() throws {
        keys = try PrivateKeys.generate()
        session = try Session(userID: "1111", privateKeys: keys, signingKeyVersion: "5")
        target = try ConversationTarget("1111-2222")
    }

    private func read<Answer>(_ call: Call<Answer>, _ body: String) throws(APIError) -> Answer {
        try call.read(Success(APIResponse(status: 200, body: Data(body.utf8)), token: Token("t")))
    }

    private func json<Answer>(_ call: Call<Answer>) throws -> [String: Any] {
        let body = try #require(call.request.body)
        return try #require(try JSONSerialization.jsonObject(with: body) as? [String: Any])
    }

    private func members(_ ids: [UserID]) throws -> [VerifiedPublicKey] {
        try ids.map { try ($0 == "1111" ? keys : PrivateKeys.generate()).verifiedKey(userID: $0, version: "5") }
    }

    // MARK: Messages

    @Test("the body of a deletion matches its signature", arguments: [true, false])
    func deletion(_ forAll: Bool) throws {
        let action = try session.sign(.deleteMessages(["9", "10"], forAll: forAll), in: .oneToOne("1111", "2222"))
        let media = forAll ? ["abc"] : []
        let call = try Call.deleteMessages(action, in: target, mediaHashKeys: media, limit: 1)
        #expect(call.request.path == "/2/chat/conversations/1111-2222/messages/delete")
        let body = try json(call)
        #expect(body["sequence_ids"] as? [String] == ["9", "10"])
        #expect(body["delete_message_action"] as? String == (forAll ? "delete_for_all" : "delete_for_self"))
        #expect(body["media_hash_keys"] as? [String] == (forAll ? ["abc"] : nil))
        let signatures = try #require(body["action_signatures"] as? [[String: Any]])
        #expect(signatures.map { $0["message_id"] as? String } == [action.messageID.string])
        try read(call, #"{"data":{"deleted":true}}"#)
        #expect(thrownCode { try read(call, #"{"data":{"deleted":false}}"#) } == .refused)
        #expect(thrownCode { try read(call, "{}") } == .malformedResponse)
    }

    @Test func `rejects another kind of action, and media in a deletion for this user only`() throws {
        let read = try session.sign(.markRead(until: "9", atMillis: 1), in: .oneToOne("1111", "2222"))
        #expect(
            thrownCode { _ = try Call.deleteMessages(read, in: target, mediaHashKeys: [], limit: 1) }
                == .invalidArgument
        )
        let own = try session.sign(.deleteMessages(["9"], forAll: false), in: .oneToOne("1111", "2222"))
        #expect(
            thrownCode { _ = try Call.deleteMessages(own, in: target, mediaHashKeys: ["a"], limit: 1) }
                == .invalidArgument
        )
    }

    @Test func `marking as read sends the last event seen`() throws {
        let call = try Call.markRead(target, until: "77", limit: 1)
        #expect(try json(call) as? [String: String] == ["seen_until_sequence_id": "77"])
        try read(call, #"{"data":{"success":true}}"#)
        #expect(thrownCode { try read(call, #"{"data":{"success":false}}"#) } == .refused)
        #expect(thrownCode { _ = try Call.markRead(target, until: "7a", limit: 1) } == .invalidArgument)
        #expect(Call.typing(in: target, limit: 1).request.body == nil)
    }

    // MARK: Groups

    @Test(
        "rejects a new group id that is not one",
        arguments: [
            ("g77", true), ("1111-2222", false), ("g", false), ("g1/../x", false), ("", false),
            ("g1234567890123456789", true), ("g12345678901234567890", false),
        ]
    )
    func newGroup(_ id: String, _ isGood: Bool) throws {
        let call = try Call.initializeGroup(limit: 1)
        let code = thrownCode { _ = try read(call, #"{"data":{"conversation_id":"\#(id)"}}"#) }
        #expect(code == (isGood ? nil : .malformedResponse))
        #expect(try json(call).isEmpty)
    }

    @Test func `the body of a new group matches its signature`() throws {
        var session = session
        var draft = GroupDraft(members: ["1111", "2222", "3333"], admins: ["1111"])
        (draft.title, draft.avatarURL, draft.ttlMsec) = ("Dune ☀️", "https://x/a.png", 5000)
        let group = ConversationID(canonicalizing: "g77")
        let change = try session.prepareGroupCreate(draft, in: group, participants: members(draft.members))
        let call = try Call.createGroup(change, description: "d", limit: 1)
        let body = try json(call)
        #expect(body["conversation_id"] as? String == "g77")
        #expect(body["group_members"] as? [String] == ["1111", "2222", "3333"])
        #expect(body["group_admins"] as? [String] == ["1111"])
        #expect(body["group_name"] as? String == "Dune ☀️")
        #expect(body["group_avatar_url"] as? String == "https://x/a.png")
        #expect(body["group_description"] as? String == "d")
        #expect(body["ttl_msec"] as? String == "5000")
        #expect((body["conversation_participant_keys"] as? [Any])?.count == 3)
        #expect((body["action_signatures"] as? [Any])?.count == 2)
        #expect(!call.request.isRepeatable)
        let key = change.keyChange.key.withBytes { Base64.encode($0, padding: false) }
        let sent = try #require(call.request.body)
        #expect(!String(decoding: sent, as: UTF8.self).contains(key))
        let added = try read(
            call,
            #"{"data":{"conversation_id":"g77","conversation_key_change_sequence_id":"8"}}"#
        )
        #expect(added == AddedKeys(conversationID: group, sequenceID: "8"))
        let badID = #"{"data":{"conversation_id":"g77","conversation_key_change_sequence_id":"8a"}}"#
        #expect(thrownCode { _ = try read(call, badID) } == .malformedResponse)
        #expect(thrownCode { _ = try read(call, #"{"data":{"conversation_id":"g78"}}"#) } == .malformedResponse)
        #expect(thrownCode { _ = try Call.addMembers(change, limit: 1) } == .invalidArgument)
    }

    @Test(
        "decodes both documented forms of added members",
        arguments: [
            (#"{"conversation_key_change_sequence_id":"8","current_member_ids":["1111","2222"]}"#, true),
            (#"{"data":{"conversation_key_change_sequence_id":"8","current_member_ids":["1111","2222"]}}"#, true),
            (#"{"data":{"id":"1","text":"a post"}}"#, false), ("{}", false),
        ]
    )
    func added(_ body: String, _ isTold: Bool) throws {
        var session = session
        let draft = MemberAddDraft(newMembers: ["2222"], currentMembers: ["1111"], currentAdmins: ["1111"])
        let change = try session.prepareMemberAdd(
            draft,
            in: ConversationID(canonicalizing: "g77"),
            participants: members(["1111", "2222"])
        )
        let call = try Call.addMembers(change, limit: 1)
        #expect(call.request.path == "/2/chat/conversations/g77/members")
        #expect(try json(call)["user_ids"] as? [String] == ["2222"])
        let answer = try read(call, body)
        #expect(answer.keyChangeSequenceID == (isTold ? "8" : nil))
        #expect(answer.currentMemberIDs == (isTold ? ["1111", "2222"] : nil))
        for bad in [
            #"{"data":{"conversation_key_change_sequence_id":""}}"#, #"{"data":{"current_member_ids":["1","x"]}}"#,
            #"{"data":{"current_member_ids":["12345678901234567890"]}}"#,
        ] {
            #expect(thrownCode { _ = try read(call, bad) } == .malformedResponse)
        }
        let error = #"{"errors":[{"title":"Too many members"}]}"#
        #expect(thrownCode { _ = try read(call, error) } == .invalidRequest)
        #expect(thrownCode { _ = try Call.createGroup(change, description: nil, limit: 1) } == .invalidArgument)
    }

    // MARK: Lists

    @Test func `decodes a conversation with current and with older member names`() throws {
        let call = try Call.conversations(maxResults: 5, paginationToken: "t", limit: 1)
        #expect(call.request.url(base: "").hasPrefix("/2/chat/conversations?max_results=5&chat_conversation.fields="))
        let page = try read(
            call,
            #"""
            {"data":[{"id":"1-2","type":"direct","participant_ids":["1","2"],"message_ttl_ms":5,
            "created_at":"2026-01-02T03:04:05.000Z","updated_at":"2026-01-02T03:04:05Z"},
            {"id":"g7","message_ttl_msec":"6","created_at_msec":"1767323045000"},{}],
            "meta":{"next_token":"n","has_message_requests":true}}
            """#
        )
        #expect(page.conversations.map(\.id) == ["1-2", "g7", nil])
        #expect(page.conversations.map(\.messageTTLMsec) == [5, 6, nil])
        let date = Date(timeIntervalSince1970: 1_767_323_045)
        #expect(page.conversations.map(\.createdAt) == [date, date, nil])
        #expect(page.conversations[0].updatedAt == date)
        #expect(page.conversations[0].participantIDs == ["1", "2"])
        #expect(page.nextToken == "n" && page.hasMessageRequests == true)
    }

    @Test(
        "rejects more than 10,000 people and malformed ids in a conversation",
        arguments: ["admin_ids", "member_ids", "participant_ids"]
    )
    func people(_ member: String) throws {
        let list = try Call.conversations(maxResults: 5, paginationToken: nil, limit: 1)
        let one = Call.conversation(target, limit: 1)
        func reasons(_ ids: [String]) -> [String?] {
            let item = #"{"\#(member)":[\#(ids.map { #""\#($0)""# }.joined(separator: ","))]}"#
            return [
                thrownReason { _ = try read(list, #"{"data":[{},\#(item)]}"#) },
                thrownReason { _ = try read(one, #"{"data":\#(item)}"#) },
            ]
        }
        let full = (0..<10_000).map { String($0) }
        #expect(reasons(full) == [nil, nil])
        let tooMany = "a list of people has 10001 elements, and the limit is 10000"
        #expect(reasons(full + ["1"]) == [tooMany, tooMany])
        #expect(
            reasons(["1", "x"]) == [
                #"data[1].\#(member)[1] "x" is not 1 to 19 ASCII digits"#,
                #"data.\#(member)[1] "x" is not 1 to 19 ASCII digits"#,
            ]
        )
    }

    @Test func `decodes the keys of several users as a list or as one object`() throws {
        let call = try Call.publicKeys(ofAnyOf: ["1", "2"], limit: 1)
        #expect(call.request.url(base: "").hasPrefix("/2/users/public_keys?ids=1%2C2&public_key.fields="))
        #expect(try read(call, #"{"data":[{"public_key":"I"},{"public_key":"J"}]}"#).count == 2)
        #expect(try read(call, #"{"data":{"public_key":"I"}}"#).map(\.identityPublicKey) == ["I"])
        #expect(try read(call, "{}").isEmpty)
        #expect(thrownCode { _ = try Call.publicKeys(ofAnyOf: [], limit: 1) } == .invalidArgument)
        #expect(thrownCode { _ = try Call.publicKeys(ofAnyOf: ["1,2"], limit: 1) } == .invalidArgument)
    }

    /// Walks pages whose tokens are numbers, up to `most` pages.
    private func walk(
        most: Int = .max,
        _ token: @escaping @Sendable (Int) -> String?
    ) async -> (pages: Int, code: APIError.Code?) {
        struct Numbered: Page { let nextToken: String? }
        let pages = Pages<Numbered> { (asked) throws(APIError) in
            Numbered(nextToken: token(asked.flatMap { Int($0) } ?? 0))
        }
        var count = 0
        let code = await thrownCode {
            for try await _ in pages {
                count += 1
                if count == most { break }
            }
        }
        return (count, code)
    }

    @Test func `pages end with the last one or with a repeated token`() async {
        #expect(await walk { _ in nil } == (1, nil))
        #expect(await walk { _ in "" } == (1, nil))
        #expect(await walk { $0 < 3 ? "\($0 + 1)" : nil } == (4, nil))
        #expect(await walk { _ in "7" } == (1, .malformedResponse))
        #expect(await walk { "\(($0 + 1) % 3)" } == (3, .malformedResponse))
    }

    @Test func `pages have no limit of their own`() async {
        #expect(await walk { $0 < 5000 ? "\($0 + 1)" : nil } == (5001, nil))
        #expect(await walk(most: 7000) { "\($0 + 1)" } == (7000, nil))
    }

    @Test(
        "detects a cycle of pages of any length, wherever it starts",
        arguments: [(0, 1), (0, 1023), (0, 1024), (0, 1025), (0, 4000), (3000, 2), (3000, 5000), (1, 2047), (1, 2048)]
    )
    func circle(_ start: Int, _ length: Int) async {
        let found = await walk(most: 100_000) { page in
            "\(page + 1 < start + length ? page + 1 : start)"
        }
        #expect(found.code == .malformedResponse)
        #expect(found.pages <= 3 * max(start, length) + length + 2)
    }

    @Test func `a walk with a limit ends at the limit`() throws {
        var walk = PageWalk(maximumPages: 3)
        #expect(try walk.follow("1") == "1")
        #expect(try walk.follow("2") == "2")
        #expect(thrownCode { _ = try walk.follow("3") } == .tooLarge)
    }
}

/// The operations against the sandbox.
@Suite(.timeLimit(.minutes(1)))
struct OperationEndToEndTests {
    @Test func `the first error ends fetching the keys of several users`() async throws {
        let answers = [RawAnswer.http(404, "{}"), .silence]
        try await RawServer.run(answers) { _, url in
            let client = try ChatClient(api: url, token: Token("t"), limits: .init(timeout: .seconds(600)))
            #expect(await thrownCode { _ = try await client.publicKeys(of: ["1", "2", "3"]) } == .notFound)
        }
    }

    @Test("all members of a group that grows can read", arguments: ["", "members=bare"])
    func group(_ faults: String) async throws {
        try await Sandbox(faults: try SandboxFaults(faults)).serving { url in
            var alice = try await User("1111", .xchat, url)
            let bob = try await User("2222", .xchat, url)
            let carol = try await User("3333", .xchat, url)
            let group = try await alice.client.initializeGroup()
            let served = try await alice.client.publicKeys(of: ["1111", "2222", "3333"])
            let bound = try served.values.joined().map { try VerifiedPublicKey(checking: $0) }
            let two = bound.filter { $0.userID != "3333" }
            let change = try alice.session.prepareGroupCreate(
                GroupDraft(members: ["1111", "2222"], admins: ["1111"]),
                in: group,
                participants: two
            )
            #expect(try await alice.client.createGroup(change).conversationID == group)
            let target = try ConversationTarget(group)
            let listed = try await bob.client.conversation(target)
            #expect(Set(listed.memberIDs ?? []) == ["1111", "2222"])
            #expect(await thrownCode { _ = try await carol.client.conversation(target) } != nil)

            let addition = try alice.session.prepareMemberAdd(
                MemberAddDraft(newMembers: ["3333"], currentMembers: ["1111", "2222"], currentAdmins: ["1111"]),
                in: group,
                participants: bound
            )
            let added = try await alice.client.addMembers(addition)
            #expect(Set(added.currentMemberIDs ?? []) == ["1111", "2222", "3333"])
            try alice.session.addConversationKey(addition.keyChange.key, in: group, version: addition.keyChange.version)
            _ = try await alice.send("welcome", in: group)
            try await carol.client.markRead(target, until: "1")
            try await carol.client.sendTyping(in: target)
            var conversations: [WireString?] = []
            for try await page in carol.client.conversationPages(pageSize: 1) {
                conversations += page.conversations.map(\.id)
            }
            #expect(conversations == [group.text])
        }
    }

    @Test func `deletes a message and its media for all members`() async throws {
        let folder = try Scratch()
        try await Sandbox().serving { [folder] url in
            var alice = try await User("1111", .xchat, url)
            let bob = try await User("2222", .xchat, url)
            let conversation = try await alice.start(with: bob)
            let sent = try await alice.send("oops", in: conversation)
            let target = try ConversationTarget(conversation)
            let file = URL(filePath: folder.path + "/in")
            try Data("content".utf8).write(to: file)
            let key = try ConversationKey.generate()
            let hashKey = try await alice.client.upload(file.path, key: key, in: conversation).mediaHashKey
            func download(_ name: String) async throws {
                let place = URL(filePath: folder.path + "/" + name)
                try await bob.client.download(hashKey, in: target, key: key, to: place.path)
            }
            try await download("before")
            let action = try alice.session.sign(.deleteMessages([sent.sequenceID], forAll: true), in: conversation)
            try await alice.client.deleteMessages(action, in: target, mediaHashKeys: [hashKey])
            #expect(await thrownCode { try await download("after") } == .notFound)
            var events: [ServedEvent] = []
            for try await page in bob.client.eventPages(in: target, pageSize: 1) { events += page.events }
            #expect(events.contains { (try? MessageEvent(base64: $0.encodedEvent))?.kind == .messageDeleted })
        }
    }
}
