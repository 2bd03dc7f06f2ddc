import Foundation
import TestSupport
import Testing
import XChatEngine
import XChatEvents

@testable import XChatSandbox

/// Groups, lists of conversations, read marks and deletions.
@Suite(.timeLimit(.minutes(1)))
struct GroupTests {
    private static let path = "/2/chat/conversations/group"

    @Test func `a group is made as it was signed, once, and is listed`() async throws {
        let sandbox = Sandbox()
        try await Router.test(sandbox) { router in
            var alice = try await Member("1111", at: router)
            let bob = try await Member("2222", at: router)
            _ = try await Member("3333", at: router)
            var draft = GroupDraft(members: ["1111", "2222"], admins: ["1111"])
            draft.title = "title"
            let (group, body) = try await alice.group(draft, of: [bob], at: router)
            for (member, value) in [
                ("group_name", "another"), ("group_members", ["1111", "2222", "3333"]), ("group_members", ["1111"]),
                ("group_admins", ["2222"]), ("group_admins", ["3333"]), ("conversation_id", "g1"),
                ("conversation_id", "2222"), ("group_members", ["1111", "2222", "9999"]), ("ttl_msec", "5"),
                ("action_signatures", [] as [String]), ("conversation_key_version", "1"),
            ] as [(String, Any)] {
                var changed = body
                changed[member] = value
                let answer = try await router.ask(.post, Self.path, user: "1111", json: changed)
                #expect([400, 404].contains(answer.status), "\(member)")
                #expect(answer.problem != nil)
            }
            #expect(try await router.ask(.post, Self.path, user: "2222", json: body).status == 404)
            #expect(try await sandbox.storedEvents(in: group).isEmpty)

            let made = try await router.ask(.post, Self.path, user: "1111", json: body)
            #expect(made.status == 201)
            let again = try await router.ask(.post, Self.path, user: "1111", json: body)
            #expect((again.status, again.body) == (201, made.body))
            #expect(try await sandbox.storedEvents(in: group).count == 2)

            let listed = try await router.ask(
                .get,
                "/2/chat/conversations?chat_conversation.fields=id,group_name&expansions=member_ids",
                user: "2222"
            )
            let item = try #require((try listed.json["data"] as? [[String: Any]])?.first)
            #expect(Set(item.keys) == ["id", "group_name", "member_ids"])
            #expect(item["group_name"] as? String == "title")
            let users = (try listed.json["includes"] as? [String: [[String: Any]]])?["users"]
            #expect(users?.compactMap { $0["id"] as? String } == ["1111", "2222"])
            #expect(try await router.ask(.get, "/2/chat/conversations/\(group)", user: "3333").status == 403)
        }
    }

    @Test func `members are added with a new key, by members, and only people with keys`() async throws {
        try await Router.test { router in
            var alice = try await Member("1111", at: router)
            let bob = try await Member("2222", at: router)
            let carol = try await Member("3333", at: router)
            let draft = GroupDraft(members: ["1111", "2222"], admins: ["1111"])
            let (group, body) = try await alice.group(draft, of: [bob], at: router)
            #expect(try await router.ask(.post, Self.path, user: "1111", json: body).status == 201)
            let change = try alice.session.prepareMemberAdd(
                MemberAddDraft(newMembers: ["3333"], currentMembers: ["1111", "2222"], currentAdmins: ["1111"]),
                in: group,
                participants: [alice.verifiedKey(), bob.verifiedKey(), carol.verifiedKey()]
            )
            var add = Member.body(of: change)
            let path = "/2/chat/conversations/\(group)/members"
            for (users, detail) in [
                (
                    ["9999"],
                    "Cannot add all members: one or more of the requested members cannot be added to this conversation."
                ),
                (["2222"], "A user is named twice or is already a member."), ([], nil),
            ] as [([String], String?)] {
                add["user_ids"] = users
                let answer = try await router.ask(.post, path, user: "1111", json: add)
                #expect(answer.status == 400)
                if let detail { #expect(answer.problem?.detail == detail) }
            }
            add["user_ids"] = ["3333"]
            #expect(try await router.ask(.post, path, user: "3333", json: add).status == 403)
            let added = try await router.ask(.post, path, user: "1111", json: add)
            #expect(added.status == 200)
            #expect(try added.data["current_member_ids"] as? [String] == ["1111", "2222", "3333"])
            let again = try await router.ask(.post, path, user: "1111", json: add)
            #expect(again.body == added.body)
        }
        try await Router.test(Sandbox(faults: try SandboxFaults("group-members=2"))) { router in
            var alice = try await Member("1111", at: router)
            let others = [try await Member("2222", at: router), try await Member("3333", at: router)]
            let draft = GroupDraft(members: ["1111", "2222", "3333"], admins: ["1111"])
            let (_, body) = try await alice.group(draft, of: others, at: router)
            let answer = try await router.ask(.post, Self.path, user: "1111", json: body)
            let sentence = "Too many members: adding these members would exceed the allowed group size."
            #expect(answer.problem?.detail == sentence)
        }
    }

    @Test func `a user deletes own messages for all, and any for the own account`() async throws {
        try await Router.test { router in
            var alice = try await Member("1111", at: router)
            let bob = try await Member("2222", at: router)
            try await alice.start(with: bob, at: router)
            let path = "/2/chat/conversations/1111-2222"
            let body = Member.body(of: try alice.seal("x", to: bob))
            let sent = try await router.ask(.post, path + "/messages", user: "1111", json: body)
            let event = try MessageEvent(base64: try #require(try sent.data["encoded_message_event"] as? String))
            let id = try #require(event.sequenceID)

            func delete(_ ids: [SequenceID], by member: Member, forAll: Bool, claims: Bool? = nil) async throws -> Int {
                let action = try member.session.sign(
                    .deleteMessages(ids, forAll: forAll),
                    in: .oneToOne("1111", "2222")
                )
                let request: [String: Any] = [
                    "sequence_ids": ids.map(\.string),
                    "delete_message_action": claims ?? forAll ? "delete_for_all" : "delete_for_self",
                    "action_signatures": [Member.body(of: action)],
                ]
                let answer = try await router.ask(
                    .post,
                    path + "/messages/delete",
                    user: member.id.string,
                    json: request
                )
                return answer.status
            }
            func kinds(_ user: String) async throws -> [EventKind] {
                let page = try await router.ask(.get, path + "/events", user: user)
                let items = try page.json["data"] as? [[String: Any]] ?? []
                return try items.map { try MessageEvent(base64: $0["encoded_event"] as? String ?? "").kind }
            }

            #expect(try await delete(["77"], by: alice, forAll: true) == 404)
            #expect(try await delete([id], by: alice, forAll: false, claims: true) == 400)
            #expect(try await delete([id], by: bob, forAll: true) == 403)
            #expect(try await kinds("2222") == [.message])
            #expect(try await delete([id], by: bob, forAll: false) == 200)
            #expect(try await kinds("2222") == [.messageDeleted])
            #expect(try await kinds("1111") == [.message])
            #expect(try await delete([id], by: alice, forAll: true) == 200)
            #expect(try await kinds("1111") == [.messageDeleted])

            // Sending a deleted message again does not restore it.
            let again = try await router.ask(.post, path + "/messages", user: "1111", json: body)
            #expect(again.body == sent.body)
            #expect(try await kinds("1111") == [.messageDeleted])
        }
    }
}
