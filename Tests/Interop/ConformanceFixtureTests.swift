import Foundation
import TestSupport
import Testing
import XChat
import XChatEvents
import XChatText

@testable import XChatEngine

/// X's own fixture: fixed keys, and six events made with them.
@Suite(.enabled(if: Peer.isWanted, Peer.absence))
struct ConformanceFixtureTests {
    private struct Fixture: Decodable {
        let keyChange: String
        let message: String
        let messageText: String
        let validReply: String
        let forgedReply: String
        let replyText: String
        let forgedText: String
        let failure: String
        let garbage: String
        let privateKeys: String
        let conversationKey: String
        let keyVersion: String
        let identity: String
        let signing: String
        let binding: String

        enum CodingKeys: String, CodingKey {
            case keyChange = "event_key_change_b64"
            case message = "event_message_b64"
            case messageText = "event_message_text"
            case validReply = "event_reply_valid_b64"
            case forgedReply = "event_reply_forged_b64"
            case replyText = "event_reply_text"
            case forgedText = "event_reply_forged_preview_text"
            case failure = "event_failure_b64"
            case garbage = "event_garbage_b64"
            case privateKeys = "private_keys_concat_b64"
            case conversationKey = "conversation_key_b64"
            case keyVersion = "event_conversation_key_version"
            case identity = "identity_public_b64"
            case signing = "signing_public_b64"
            case binding = "identity_public_key_signature_b64"
        }
    }

    private static let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "../shared/vectors/chat-xdk/sdk_vectors.json").standardizedFileURL

    @Test(
        .enabled(
            if: FileManager.default.fileExists(atPath: file.path),
            "../shared/vectors/chat-xdk is not there"
        )
    )
    func `the six events of X's fixture are what X says they are`() throws {
        let fixture = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: Self.file))
        let registered = RegisteredKey(
            userID: "1111",
            publicKeyVersion: "1",
            publicKey: WireString(fixture.signing),
            identityPublicKey: WireString(fixture.identity),
            identityPublicKeySignature: WireString(fixture.binding)
        )
        let blob = try Base64.decode(fixture.privateKeys)
        var session = try Session(
            userID: "1111",
            privateKeys: PrivateKeys(importing: blob.span),
            signingKeyVersion: "1"
        )
        session.trust([try VerifiedPublicKey(checking: registered)])
        let lines = [
            fixture.message, fixture.validReply, fixture.forgedReply, fixture.failure, fixture.garbage,
            fixture.keyChange,
        ]
        let results = session.open(
            lines.map { line in
                Result { () throws(XChatError) in
                    do {
                        return try MessageEvent(base64: line)
                    } catch {
                        throw XChatError(.notAnEvent, "\(error)")
                    }
                }
            }
        )
        let message = try results[0].get()
        #expect(message.isVerified)
        #expect(text(of: message) == fixture.messageText)
        let reply = try results[1].get()
        #expect(reply.isVerified)
        #expect(text(of: reply) == fixture.replyText)
        #expect(reply.replyValidation?.failure == nil)
        #expect(reply.replyValidation != nil)
        let forged = try results[2].get()
        #expect(forged.isVerified)
        #expect(forged.replyValidation?.isValid == false)
        guard case .message(let contents) = forged.contents?.contents else {
            Issue.record("the forged reply is no message")
            return
        }
        #expect(contents.replyingToPreview?.messageText?.string == fixture.forgedText)
        let failure = try results[3].get()
        #expect(!failure.isVerified)
        #expect(failure.received.kind == .failure)
        let error = #expect(throws: XChatError.self) { try results[4].get() }
        #expect(error?.code == .notAnEvent)
        #expect(try results[5].get().isVerified)
        let key = session.keyRing.acceptedKey(
            in: ConversationID(canonicalizing: "1111:2222"),
            version: KeyVersion(fixture.keyVersion)
        )
        #expect(try key?.bytes == Base64.decode(fixture.conversationKey))

        try compare(lines, results, registered, blob)
    }

    /// The SDK on its own fixture, compared with this engine.
    private func compare(
        _ lines: [String],
        _ results: [Result<Event, XChatError>],
        _ registered: RegisteredKey,
        _ blob: [UInt8]
    ) throws {
        let peer = try Peer()
        try peer.perform("import_keys", of: "fixture", ["keys": .bytes(blob), "version": .string("1")])
        let outcome = try peer.calls(
            "decrypt_events",
            of: "fixture",
            ["events": .list(lines.map { .string($0) }), "signing_keys": .list([registered.argument])],
            each: [[:]]
        )
        guard case .returned(.object(let answer)) = outcome[0], case .array(let read) = answer["messages"] else {
            throw Refusal(text: "\(outcome[0])")
        }
        let ours = results.compactMap { try? $0.get() }.map { event in
            eventJSON(
                event.received,
                contents: event.contents,
                isVerified: event.isVerified,
                isReplyValid: event.replyValidation?.isValid
            )
        }
        try #require(read.count == ours.count)
        var tally = Tally()
        for (theirs, ours) in zip(read, ours) {
            guard case .object(let entry) = theirs, let event = entry["event"] else { continue }
            let places = missing(event, in: ours)
            #expect(places.isEmpty)
            tally.equal()
        }
        #expect(answer["errors"] == ["4": answer.errorText])
        tally.equal()
        #expect(tally.compared == lines.count)
        tally.report()
        report(lines.count, "events of X's own fixture")
    }

    private func text(of event: Event) -> String? {
        guard case .message(let message) = event.contents?.contents else { return nil }
        return message.messageText?.string
    }
}

extension JSONObject {
    /// The SDK's error for the fifth event, or null.
    fileprivate var errorText: JSONValue {
        guard case .object(let errors) = self["errors"] else { return .null }
        return errors["4"] ?? .null
    }
}
