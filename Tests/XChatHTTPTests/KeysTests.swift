import Foundation
import TestSupport
import Testing
import XChatEngine
import XChatEvents

@testable import XChatHTTP

/// Key changes, registration and served keys: requests, and checks of the answers.
struct KeysTests {
    private func read<Answer>(_ call: Call<Answer>, _ body: String) throws(APIError) -> Answer {
        try call.read(Success(APIResponse(status: 200, body: Data(body.utf8)), token: Token("t")))
    }

    private func change() throws -> KeyChange {
        let keys = try PrivateKeys.generate()
        var session = try Session(userID: "1111", privateKeys: keys, signingKeyVersion: "5")
        return try session.prepareKeyChange(
            in: .oneToOne("1111", "2222"),
            participants: [
                keys.verifiedKey(userID: "1111", version: "5"),
                PrivateKeys.generate().verifiedKey(userID: "2222", version: "7"),
            ]
        )
    }

    // MARK: Key changes

    @Test func `the body of a key change contains neither the key nor the signed text with the key`() throws {
        let change = try change()
        let call = try Call.addKeys(change, limit: 1)
        #expect(call.request.path == "/2/chat/conversations/1111-2222/keys")
        let data = try #require(call.request.body)
        let body = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(
            Set(body.keys)
                == ["conversation_key_version", "conversation_participant_keys", "action_signatures"]
        )
        #expect(body["conversation_key_version"] as? String == change.version.string)
        let participants = try #require(body["conversation_participant_keys"] as? [[String: String]])
        #expect(
            participants
                == change.participantKeys.map {
                    [
                        "user_id": $0.userID.string, "public_key_version": $0.publicKeyVersion.string,
                        "encrypted_conversation_key": $0.encryptedConversationKey.string,
                    ]
                }
        )
        let actions = try #require(body["action_signatures"] as? [[String: Any]])
        #expect(actions.count == 1)
        let action = try #require(actions.first)
        #expect(
            Set(action.keys) == ["message_id", "encoded_message_event_detail", "message_event_signature"]
        )
        #expect(
            action["message_event_signature"] as? [String: String] == [
                "signature": change.actionSignature.signature.string, "public_key_version": "5",
                "signature_version": "7", "signing_public_key": change.actionSignature.signingPublicKey,
            ]
        )
        let text = String(decoding: data, as: UTF8.self)
        let key = change.key.withBytes { Base64.encode($0, padding: false) }
        #expect(!text.contains(key))
    }

    @Test(
        "accepts any form of the conversation id and either member for the sequence id",
        arguments: [
            (#"{"conversation_id":"1111-2222","sequence_id":"9"}"#, "9"),
            (#"{"conversation_id":"2222:1111","conversation_key_change_sequence_id":"8"}"#, "8"),
            (#"{"conversation_id":"1111-2222","sequence_id":"9","conversation_key_change_sequence_id":"9"}"#, "9"),
            ("{}", nil),
        ] as [(String, SequenceID?)]
    )
    func added(_ data: String, _ sequenceID: SequenceID?) throws {
        let added = try read(try .addKeys(change(), limit: 1), #"{"data":\#(data)}"#)
        #expect(added.conversationID.text == "1111:2222")
        #expect(added.sequenceID == sequenceID)
    }

    @Test(
        "rejects an answer for another conversation",
        arguments: [#"{"conversation_id":"1111-3333"}"#, #"{"conversation_id":"g1"}"#, #"{"conversation_id":""}"#]
    )
    func otherConversation(_ data: String) throws {
        let call = try Call.addKeys(change(), limit: 1)
        #expect(thrownCode { _ = try read(call, #"{"data":\#(data)}"#) } == .malformedResponse)
    }

    @Test func `rejects two sequence ids for one key change`() throws {
        let body = #"{"data":{"sequence_id":"9","conversation_key_change_sequence_id":"8"}}"#
        #expect(thrownCode { _ = try read(Call.addKeys(change(), limit: 1), body) } == .malformedResponse)
    }

    @Test(
        "a sequence id of a key change is 1 to 19 digits",
        arguments: ["sequence_id", "conversation_key_change_sequence_id"]
    )
    func badSequenceID(_ member: String) throws {
        let call = try Call.addKeys(change(), limit: 1)
        for value in ["", "x", "12345678901234567890", "\u{661}"] {
            #expect(thrownCode { _ = try read(call, #"{"data":{"\#(member)":"\#(value)"}}"#) } == .malformedResponse)
        }
    }

    // MARK: Public keys

    @Test func `keeps the identity key's signature over the signing key if the server sends it`() throws {
        let call = try Call.publicKeys(of: "2222", limit: 1)
        let keys = try read(
            call,
            #"""
            {"data":[{"public_key":"I","public_key_version":"1","signing_public_key":"S",
            "identity_public_key_signature":"B","signing_public_key_signature":"C"}]}
            """#
        )
        #expect(keys.map(\.signingPublicKeySignature) == ["C"])
        #expect(!call.request.url(base: "").contains("signing_public_key_signature"))
    }

    @Test func `rejects a key version that is not 1 to 19 digits, without the token in the error`() throws {
        for value in ["", "x", "12345678901234567890", "1\u{301}", "t"] {
            let body =
                #"{"data":[{"public_key":"I","public_key_version":"\#(value)","signing_public_key":"S","#
                + #""identity_public_key_signature":"B"}]}"#
            let call = try Call.publicKeys(of: "2222", limit: 1)
            #expect(thrownCode { _ = try read(call, body) } == .malformedResponse)
            let shown = value == "t" ? #""<token>""# : printable(WireString(value), quotedBy: "\"")
            let reason = "data[0].public_key_version \(shown) is not 1 to 19 ASCII digits"
            #expect(thrownReason { _ = try read(call, body) } == reason)
            let several = try Call.publicKeys(ofAnyOf: ["2222"], limit: 1)
            #expect(thrownReason { _ = try read(several, body) } == reason)
        }
    }

    @Test func `served keys get the requested user, and entries without a signing key are dropped`() throws {
        let call = try Call.publicKeys(of: "2222", limit: 1)
        #expect(
            call.request.url(base: "") == "/2/users/2222/public_keys?public_key.fields="
                + "public_key%2Cpublic_key_version%2Csigning_public_key%2Cidentity_public_key_signature"
        )
        let keys = try read(
            call,
            #"""
            {"data":[{"public_key":"I","public_key_version":"1","signing_public_key":"S",
            "identity_public_key_signature":"B","juicebox_config":{"x":[1]},"user_id":"9"},
            {"public_key":"I","public_key_version":"2"},{}]}
            """#
        )
        #expect(
            keys == [
                RegisteredKey(
                    userID: "2222",
                    publicKeyVersion: "1",
                    publicKey: "S",
                    identityPublicKey: "I",
                    identityPublicKeySignature: "B"
                )
            ]
        )
    }

    @Test func `a user without keys has an empty list, and an error is thrown`() throws {
        let call = try Call.publicKeys(of: "2222", limit: 1)
        #expect(try read(call, "{}").isEmpty)
        #expect(try read(call, #"{"data":[]}"#).isEmpty)
        let error = #"{"errors":[{"type":"https://api.x.com/2/problems/resource-not-found","title":"t"}]}"#
        #expect(thrownCode { _ = try read(call, error) } == .notFound)
        #expect(thrownCode { _ = try read(call, #"{"data":{"public_key":"x"}}"#) } == .malformedResponse)
    }

    // MARK: Registration

    @Test func `posts a registration unchanged and returns the server's version`() throws {
        let registration = try PrivateKeys.generate().registration(version: "17")
        let call = try Call.register(registration, user: "1111", limit: 1)
        #expect(call.request.path == "/2/users/1111/public_keys")
        let body = try #require(call.request.body)
        #expect(try JSONDecoder().decode(Registration.self, from: body) == registration)
        #expect(try read(call, #"{"data":{"public_key_version":"18","juicebox_config":null}}"#) == "18")
    }

    @Test(
        "rejects a version that is not a number",
        arguments: [
            #"{"public_key_version":""}"#, #"{"public_key_version":"a"}"#, #"{"public_key_version":"1\n"}"#, "{}",
            #"{"public_key_version":"12345678901234567890"}"#,
        ]
    )
    func badVersion(_ data: String) throws {
        let call = try Call.register(PrivateKeys.generate().registration(version: "1"), user: "1111", limit: 1)
        #expect(thrownCode { _ = try read(call, #"{"data":\#(data)}"#) } == .malformedResponse)
    }
}
