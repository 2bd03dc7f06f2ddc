import Foundation
import TestSupport
import Testing
import XChatEngine
import XChatEvents

@testable import XChatHTTP

/// An answer that contradicts itself, or the question, is an error: otherwise a part would count as the whole.
struct ContradictionTests {
    private func read<Answer>(_ call: Call<Answer>, _ body: String) throws(APIError) -> Answer {
        try call.read(Success(APIResponse(status: 200, body: Data(body.utf8)), token: Token("t")))
    }

    /// The error code of each list that the API answers, for the same `data`, `meta` and `errors`.
    private func codes(data: String?, meta: String, errors: String? = nil) throws -> Set<APIError.Code?> {
        let members = [
            data.map { #""data":\#($0)"# }, #""meta":\#(meta)"#, errors.map { #""errors":\#($0)"# },
        ]
        let body = "{\(members.compactMap { $0 }.joined(separator: ","))}"
        let events = try Call.events(in: ConversationTarget("g7"), maxResults: 5, paginationToken: nil, limit: 1)
        let conversations = try Call.conversations(maxResults: 5, paginationToken: nil, limit: 1)
        let subscriptions = try Call.subscriptions(maxResults: 5, paginationToken: nil, limit: 1)
        return [
            thrownCode { _ = try read(events, body) },
            thrownCode { _ = try read(conversations, body) },
            thrownCode { _ = try read(subscriptions, body) },
        ]
    }

    /// Elements that are valid in every list.
    private func list(_ count: Int) -> String {
        "[" + (0..<count).map { #"{"id":"g\#($0)","subscription_id":"\#($0)"}"# }.joined(separator: ",") + "]"
    }

    @Test(
        "a page that has more and names no next page is an error",
        arguments: [
            #"{"has_more":true}"#, #"{"has_more":true,"next_token":""}"#, #"{"has_more":true,"next_token":null}"#,
        ]
    )
    func hasMore(_ meta: String) throws {
        #expect(try codes(data: list(2), meta: meta) == [.malformedResponse])
        #expect(try codes(data: nil, meta: meta) == [.malformedResponse])
    }

    @Test(
        "a page token is followed whatever has_more says, since nothing is lost by it",
        arguments: [
            #"{"next_token":"n"}"#, #"{"has_more":true,"next_token":"n"}"#, #"{"has_more":false,"next_token":"n"}"#,
        ]
    )
    func token(_ meta: String) throws {
        let call = try Call.events(in: ConversationTarget("g7"), maxResults: 5, paginationToken: nil, limit: 1)
        #expect(try read(call, #"{"data":[{}],"meta":\#(meta)}"#).nextToken == "n")
        #expect(try codes(data: list(2), meta: meta) == [nil])
    }

    @Test("a page that counts other elements than it has is an error", arguments: [0, 1, 3, -1])
    func resultCount(_ count: Int) throws {
        #expect(try codes(data: list(2), meta: #"{"result_count":\#(count)}"#) == [.malformedResponse])
        #expect(try codes(data: list(2), meta: #"{"result_count":2}"#) == [nil])
    }

    @Test func `a count includes what the errors of the page leave out`() throws {
        let errors = #"[{"title":"one is missing"}]"#
        #expect(try codes(data: list(2), meta: #"{"result_count":3}"#, errors: errors) == [nil])
        #expect(try codes(data: list(2), meta: #"{"result_count":1}"#, errors: errors) == [.malformedResponse])
        #expect(try codes(data: nil, meta: #"{"result_count":2}"#) == [.malformedResponse])
        #expect(try codes(data: nil, meta: #"{"result_count":0}"#) == [nil])
    }

    @Test(
        "keys of a user that go on, or are counted otherwise, are an error",
        arguments: [
            (#"{"has_more":true}"#, false), (#"{"next_token":"n"}"#, false), (#"{"result_count":2}"#, false),
            (#"{"result_count":1,"has_more":false,"next_token":""}"#, true),
        ]
    )
    func keyPages(_ meta: String, _ isGood: Bool) throws {
        let key = #"{"public_key":"I","public_key_version":"1"}"#
        let code: APIError.Code? = isGood ? nil : .malformedResponse
        let one = try Call.publicKeys(of: "2222", limit: 1)
        #expect(thrownCode { _ = try read(one, #"{"data":[\#(key)],"meta":\#(meta)}"#) } == code)
        let many = try Call.publicKeys(ofAnyOf: ["2222"], limit: 1)
        for data in ["[\(key)]", key] {
            #expect(thrownCode { _ = try read(many, #"{"data":\#(data),"meta":\#(meta)}"#) } == code)
        }
    }

    @Test func `two different keys under one version are an error, and the same key twice is not`() throws {
        func entry(_ version: String, _ key: String) -> String {
            #"{"public_key":"I","public_key_version":"\#(version)","signing_public_key":"\#(key)","#
                + #""identity_public_key_signature":"B"}"#
        }
        let call = try Call.publicKeys(of: "2222", limit: 1)
        func code(_ entries: String...) -> APIError.Code? {
            thrownCode { _ = try read(call, #"{"data":[\#(entries.joined(separator: ","))]}"#) }
        }
        #expect(code(entry("1", "S"), entry("2", "T")) == nil)
        #expect(code(entry("1", "S"), entry("1", "S")) == nil)
        #expect(code(entry("1", "S"), entry("2", "T"), entry("1", "T")) == .malformedResponse)
    }

    @Test(
        "a conversation that is not the one asked for is an error",
        arguments: [
            ("g7", "g7", true), ("g7", "g8", false), ("g7", "1111-2222", false),
            ("1111-2222", "1111-2222", true), ("1111-2222", "2222:1111", true), ("1111-2222", "1111-3333", false),
            ("1111-2222", "g7", false), ("2222", "1111-2222", true), ("2222", "2222-3333", true),
            ("2222", "2222", true),
            ("2222", "1111-3333", false), ("2222", "g2222", false),
        ] as [(WireString, String, Bool)]
    )
    func conversation(_ asked: WireString, _ answered: String, _ isGood: Bool) throws {
        let call = Call.conversation(try ConversationTarget(asked), limit: 1)
        let code = thrownCode { _ = try read(call, #"{"data":{"id":"\#(answered)"}}"#) }
        #expect(code == (isGood ? nil : .malformedResponse))
        #expect(thrownCode { _ = try read(call, #"{"data":{"type":"group"}}"#) } == nil)
    }

    @Test func `a subscription that is not the one asked for is an error`() throws {
        func item(_ kind: String, _ user: String, id: String = "5") -> String {
            #"{"data":{"subscription_id":"\#(id)","event_type":"\#(kind)","filter":{"user_id":"\#(user)"}}}"#
        }
        let subscribe = try Call.subscribe(to: .received, of: "7", tag: nil, webhookID: nil, limit: 1)
        #expect(thrownCode { _ = try read(subscribe, item("chat.received", "7")) } == nil)
        #expect(thrownCode { _ = try read(subscribe, item("chat.sent", "7")) } == .malformedResponse)
        #expect(thrownCode { _ = try read(subscribe, item("chat.received", "8")) } == .malformedResponse)
        let update = try Call.updateSubscription("5", tag: "t", webhookID: nil, limit: 1)
        #expect(thrownCode { _ = try read(update, item("chat.sent", "7")) } == nil)
        #expect(thrownCode { _ = try read(update, item("chat.sent", "7", id: "6")) } == .malformedResponse)
        let delete = try Call.unsubscribe(all: ["5", "6"], limit: 1)
        #expect(try read(delete, #"{"data":[{"subscription_id":"5","deleted":true}]}"#) == ["5"])
        let other = #"{"data":[{"subscription_id":"7","deleted":true}]}"#
        #expect(thrownCode { _ = try read(delete, other) } == .malformedResponse)
    }

    @Test func `members that were added and are not in the answered list are an error`() throws {
        let keys = try PrivateKeys.generate()
        var session = try Session(userID: "1111", privateKeys: keys, signingKeyVersion: "5")
        let change = try session.prepareMemberAdd(
            MemberAddDraft(newMembers: ["2222"], currentMembers: ["1111"], currentAdmins: ["1111"]),
            in: ConversationID(canonicalizing: "g77"),
            participants: [
                keys.verifiedKey(userID: "1111", version: "5"),
                PrivateKeys.generate().verifiedKey(userID: "2222", version: "7"),
            ]
        )
        let call = try Call.addMembers(change, limit: 1)
        #expect(thrownCode { _ = try read(call, #"{"data":{"current_member_ids":["1111","2222"]}}"#) } == nil)
        #expect(thrownCode { _ = try read(call, #"{"data":{"current_member_ids":["1111"]}}"#) } == .malformedResponse)
    }
}
