import Foundation
import Testing
import XChatEngine
import XChatEvents

@testable import XChatSandbox

/// Registrations and key changes that are accepted or refused.
@Suite(.timeLimit(.minutes(1)))
struct KeysTests {
    // MARK: Registration

    private static func registration(_ keys: PrivateKeys, version: String = "1") throws -> [String: Any] {
        let data = try JSONEncoder().encode(keys.registration(version: KeyVersion(version)))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test("registered keys are served with the server's version", arguments: [SuiteName.xchat, .sodium])
    func served(_ suite: SuiteName) async throws {
        try await Router.test { router in
            let alice = try await Member("1111", suite, at: router)
            let answer = try await router.ask(.get, "/2/users/1111/public_keys", user: "2222")
            #expect(answer.status == 200)
            let entries = try #require(try answer.json["data"] as? [[String: String]])
            let registration = try alice.keys.registration(version: "1").publicKey
            #expect(entries.count == 1)
            let entry = try #require(entries.first)
            #expect(entry["public_key"] == registration.publicKey)
            #expect(entry["signing_public_key"] == registration.signingPublicKey)
            #expect(entry["public_key_version"] == alice.version.string)
            // The served signature is verified and not compared, because signatures can be random.
            let signature = try #require(entry["identity_public_key_signature"])
            _ = try VerifiedPublicKey(
                checking: RegisteredKey(
                    userID: "1111",
                    publicKeyVersion: alice.version,
                    publicKey: WireString(registration.signingPublicKey),
                    identityPublicKey: WireString(registration.publicKey),
                    identityPublicKeySignature: WireString(signature)
                )
            )
        }
    }

    @Test func `the server chooses rising versions, or takes the one that is asked for`() async throws {
        try await Router.test { router in
            let path = "/2/users/1111/public_keys"
            var versions: [UInt64] = []
            for _ in 0..<3 {
                let body = try Self.registration(PrivateKeys.generate())
                let answer = try await router.ask(.post, path, user: "1111", json: body)
                let version = try #require(try answer.data["public_key_version"] as? String)
                versions.append(try #require(UInt64(version)))
            }
            #expect(versions == versions.sorted() && Set(versions).count == 3)
            var body = try Self.registration(PrivateKeys.generate(), version: "42")
            body["generate_version"] = false
            let answer = try await router.ask(.post, path, user: "1111", json: body)
            #expect(try answer.data["public_key_version"] as? String == "42")
            #expect(try await router.ask(.post, path, user: "1111", json: body).problem?.parameter == "version")
            for version in ["", "x", "-1", "+1", "042", "99999999999999999999"] {
                body["version"] = version
                let answer = try await router.ask(.post, path, user: "1111", json: body)
                #expect(answer.status == 400, "\(version)")
                #expect(answer.problem?.parameter == "version")
            }
        }
    }

    @Test func `keys that do not belong together are refused with 400`() async throws {
        try await Router.test { router in
            for suite in [SuiteName.xchat, .sodium] {
                let honest = try Self.registration(PrivateKeys.generate(suite))
                let other = try Self.registration(PrivateKeys.generate(suite))
                let foreign = try Self.registration(PrivateKeys.generate(suite == .xchat ? .sodium : .xchat))
                let inner = try #require(honest["public_key"] as? [String: Any])
                let members =
                    [
                        "public_key", "signing_public_key", "identity_public_key_signature", "public_key_fingerprint",
                    ] + (suite == .xchat ? ["signing_public_key_signature"] : [])
                for member in members {
                    for wrong in [other, foreign].compactMap({ ($0["public_key"] as? [String: Any])?[member] })
                        + ["", "AAAA", "%", Base64.encode(Array(repeating: 4, count: 65))]
                    {
                        var keys = inner
                        keys[member] = wrong
                        var body = honest
                        body["public_key"] = keys
                        let answer = try await router.ask(.post, "/2/users/1111/public_keys", user: "1111", json: body)
                        #expect(answer.status == 400, "\(suite) \(member) \(wrong)")
                    }
                }
            }
            // The key was not stored.
            #expect(try await router.ask(.get, "/2/users/1111/public_keys", user: "1111").status == 404)
        }
    }

    // MARK: Key changes

    private static let path = "/2/chat/conversations/1111-2222/keys"

    @Test("a key change is stored as it was signed", arguments: [SuiteName.xchat, .sodium])
    func stored(_ suite: SuiteName) async throws {
        let sandbox = Sandbox()
        try await Router.test(sandbox) { router in
            var alice = try await Member("1111", suite, at: router)
            let bob = try await Member("2222", suite, at: router)
            let change = try alice.keyChange(with: bob)
            let body = Member.body(of: change)
            let answer = try await router.ask(.post, Self.path, user: "1111", json: body)
            #expect(answer.status == 200)
            #expect(try answer.data["conversation_id"] as? String == "1111-2222")
            let sequenceID = try #require(try answer.data["sequence_id"] as? String)

            var stored = try #require(try await sandbox.storedEvents(in: change.conversationID).first)
            #expect(stored.sequenceID?.string == sequenceID)
            (stored.sequenceID, stored.createdAtMsec, stored.conversationToken) = (nil, nil, nil)
            stored.messageEventSignature?.signingPublicKey = nil
            #expect(stored == change.event)
            // A retry has the same answer and stores nothing.
            let again = try await router.ask(.post, Self.path, user: "1111", json: body)
            #expect(again.body == answer.body)
            #expect(try await sandbox.storedEvents(in: change.conversationID).count == 1)
        }
    }

    @Test func `the participants may be named in another order than was signed`() async throws {
        try await Router.test { router in
            var alice = try await Member("1111", at: router)
            let bob = try await Member("2222", at: router)
            var body = Member.body(of: try alice.keyChange(with: bob))
            let keys = try #require(body["conversation_participant_keys"] as? [Any])
            body["conversation_participant_keys"] = Array(keys.reversed())
            #expect(try await router.ask(.post, Self.path, user: "1111", json: body).status == 200)
        }
    }

    @Test func `a request that is not what was signed is refused with 400`() async throws {
        let sandbox = Sandbox()
        try await Router.test(sandbox) { router in
            var alice = try await Member("1111", at: router)
            let bob = try await Member("2222", at: router)
            let change = try alice.keyChange(with: bob)
            let detail = "action_signatures.encoded_message_event_detail"
            let signature = "action_signatures.message_event_signature"
            let cases: [([Step], Any?, String)] = [
                ([.member("action_signatures")], nil, "action_signatures"),
                ([.member("action_signatures")], [], "action_signatures"),
                ([.member("conversation_key_version")], "1", detail),
                ([.member("conversation_participant_keys"), .index(0), .member("user_id")], "3333", detail),
                ([.member("conversation_participant_keys"), .index(1), .member("public_key_version")], "9", detail),
                (
                    [.member("conversation_participant_keys"), .index(1), .member("encrypted_conversation_key")], "",
                    detail
                ),
                ([.member("conversation_participant_keys")], [], detail),
                (action("message_id"), "", "action_signatures.message_id"),
                (action("encoded_message_event_detail"), "", detail),
                (action("encoded_message_event_detail"), "%", detail),
                (action("encoded_message_event_detail"), "AAAA", detail),
                (action("signature_payload"), "text", "action_signatures.signature_payload"),
                (action("message_event_signature", "signature"), "", signature + ".signature"),
                (action("message_event_signature", "signature"), "AAAA", signature + ".signature"),
                (action("message_event_signature", "signature_version"), "1", signature + ".signature_version"),
                (action("message_event_signature", "signature_version"), "", signature + ".signature_version"),
                (action("message_event_signature", "public_key_version"), "9", signature + ".public_key_version"),
                (action("message_event_signature", "signing_public_key"), "x", signature + ".signing_public_key"),
                // The signature of version 5 must cover the wrapped keys, and this one covers another text.
                (action("message_event_signature", "signature_version"), "5", signature + ".signature"),
            ]
            for (path, value, parameter) in cases {
                let body = changed(Member.body(of: change), path[...], value) as? [String: Any] ?? [:]
                let answer = try await router.ask(.post, Self.path, user: "1111", json: body)
                #expect(answer.status == 400, "\(path)")
                #expect(answer.problem?.parameter == parameter, "\(path)")
            }
            #expect(try await sandbox.storedEvents(in: change.conversationID).isEmpty)
            let honest = try await router.ask(.post, Self.path, user: "1111", json: Member.body(of: change))
            #expect(honest.status == 200)
        }
    }

    private func action(_ members: String...) -> [Step] {
        [.member("action_signatures"), .index(0)] + members.map(Step.member)
    }

    @Test func `two action signatures are one too many`() async throws {
        try await Router.test { router in
            var alice = try await Member("1111", at: router)
            let bob = try await Member("2222", at: router)
            var body = Member.body(of: try alice.keyChange(with: bob))
            let actions = try #require(body["action_signatures"] as? [Any])
            body["action_signatures"] = actions + actions
            let answer = try await router.ask(.post, Self.path, user: "1111", json: body)
            #expect(answer.problem?.parameter == "action_signatures")
        }
    }

    @Test func `each participant has one key of a registered version`() async throws {
        try await Router.test { router in
            let alice = try await Member("1111", at: router)
            let bob = try await Member("2222", at: router)
            let carol = try await Member("3333", at: router)
            let conversation = ConversationID.oneToOne("1111", "2222")
            // The request is signed correctly, so that only the list is wrong.
            let own = try alice.verifiedKey()
            let bobs = try bob.verifiedKey()
            let old = try bob.keys.verifiedKey(userID: "2222", version: "9")
            for recipients in [
                [own], [bobs], [own, old], [own, bobs, bobs], [own, bobs, try carol.verifiedKey()], [],
            ] {
                var body = try handMade(recipients, by: alice, in: conversation)
                let answer = try await router.ask(.post, Self.path, user: "1111", json: body)
                #expect(answer.status == 400, "\(recipients.map(\.userID))")
                #expect(answer.problem?.parameter == "conversation_participant_keys")
                body = try handMade([own, bobs], by: alice, in: conversation, wrapped: "%")
                #expect(try await router.ask(.post, Self.path, user: "1111", json: body).status == 400)
            }
            let honest = try handMade([own, bobs], by: alice, in: conversation)
            #expect(try await router.ask(.post, Self.path, user: "1111", json: honest).status == 200)
        }
    }

    /// A key change with the list of the test; its signature covers another text.
    private func handMade(
        _ recipients: [VerifiedPublicKey],
        by member: Member,
        in conversation: ConversationID,
        wrapped: String = "AAAA"
    ) throws -> [String: Any] {
        let version = "1001"
        let detail = MessageEventDetail.conversationKeyChangeEvent(
            ConversationKeyChangeEvent(
                conversationKeyVersion: KeyVersion(version),
                conversationParticipantKeys: recipients.map {
                    ConversationParticipantKey(
                        userID: $0.userID,
                        encryptedConversationKey: WireString(wrapped),
                        publicKeyVersion: $0.version
                    )
                }
            )
        )
        return [
            "conversation_key_version": version,
            "conversation_participant_keys": recipients.map {
                [
                    "user_id": $0.userID.string, "encrypted_conversation_key": wrapped,
                    "public_key_version": $0.version.string,
                ]
            },
            "action_signatures": [
                [
                    "message_id": "m-1",
                    "encoded_message_event_detail": Base64.encode(detail.encoded()),
                    "message_event_signature": [
                        "signature": Base64.encode(Array(repeating: 1, count: 64), padding: false),
                        "public_key_version": member.version.string, "signature_version": "7",
                    ],
                ]
            ],
        ]
    }

    @Test func `a conversation has one cipher suite`() async throws {
        try await Router.test { router in
            let alice = try await Member("1111", .xchat, at: router)
            let bob = try await Member("2222", .sodium, at: router)
            let body = try handMade([alice.verifiedKey(), bob.verifiedKey()], by: alice, in: .oneToOne("1111", "2222"))
            let answer = try await router.ask(.post, Self.path, user: "1111", json: body)
            #expect(answer.status == 400)
            #expect(answer.problem?.detail.contains("suite") == true)
        }
    }

    @Test func `a version must be newer than the present one, as a number`() async throws {
        try await Router.test { router in
            var alice = try await Member("1111", at: router)
            let bob = try await Member("2222", at: router)
            for (version, status) in [("999", 200), ("999", 400), ("998", 400), ("0999", 400), ("1000", 200)] {
                let body = Member.body(of: try alice.keyChange(with: bob, version: KeyVersion(version)))
                let answer = try await router.ask(.post, Self.path, user: "1111", json: body)
                #expect(answer.status == status, "\(version)")
                if status == 400 { #expect(answer.problem?.parameter == "conversation_key_version") }
            }
        }
    }

    @Test func `only participants change the key, and only of users who exist`() async throws {
        try await Router.test { router in
            var alice = try await Member("1111", at: router)
            let bob = try await Member("2222", at: router)
            _ = try await Member("3333", at: router)
            let body = Member.body(of: try alice.keyChange(with: bob))
            #expect(try await router.ask(.post, Self.path, user: "3333", json: body).status == 403)
            let unknown = try await router.ask(.post, "/2/chat/conversations/9999/keys", user: "1111", json: body)
            #expect(unknown.status == 404)
            #expect(unknown.problem?.resource_type == "user")
            let group = try await router.ask(.post, "/2/chat/conversations/g7/keys", user: "1111", json: body)
            #expect(group.status == 404)
        }
    }
}

/// A step of a path into a JSON value.
enum Step: Sendable {
    case member(String)
    case index(Int)
}

/// A JSON value in which the value at a path is replaced or removed.
func changed(_ json: Any, _ path: ArraySlice<Step>, _ value: Any?) -> Any? {
    switch path.first {
    case .member(let name):
        guard var object = json as? [String: Any] else { return nil }
        object[name] = changed(object[name] ?? "", path.dropFirst(), value)
        return object
    case .index(let index):
        guard var array = json as? [Any], let inner = changed(array[index], path.dropFirst(), value) else { return nil }
        array[index] = inner
        return array
    case nil:
        return value
    }
}
