import Foundation
import TestSupport
import Testing
import XChatEngine
import XChatEvents

@testable import XChatSandbox

/// A user of the sandbox, and the bodies of that user's requests, made with the engine.
struct Member: Sendable {
    let id: UserID
    let keys: PrivateKeys
    var session: Session

    /// Makes keys and registers them.
    init(_ id: UserID, _ suite: SuiteName = .xchat, at router: Router) async throws {
        self.id = id
        keys = try PrivateKeys.generate(suite)
        let body = try JSONEncoder().encode(keys.registration(version: "1"))
        let answer = try await router.ask(
            .post,
            "/2/users/\(id)/public_keys",
            user: id.string,
            body: String(decoding: body, as: UTF8.self)
        )
        let version = try #require(try answer.data["public_key_version"] as? String)
        session = try Session(userID: id, privateKeys: keys, signingKeyVersion: KeyVersion(version))
    }

    var version: KeyVersion { session.signingKeyVersion ?? "" }

    func verifiedKey() throws -> VerifiedPublicKey { try keys.verifiedKey(userID: id, version: version) }

    /// Prepares a key change of a conversation with another user, and stores the key.
    mutating func keyChange(with peer: Member, version: KeyVersion? = nil) throws -> KeyChange {
        let change = try session.prepareKeyChange(
            in: .oneToOne(id, peer.id),
            participants: [verifiedKey(), peer.verifiedKey()],
            version: version
        )
        try session.addConversationKey(change.key, in: change.conversationID, version: change.version)
        return change
    }

    /// Starts a conversation with another user, or changes its key.
    @discardableResult
    mutating func start(with peer: Member, at router: Router) async throws -> KeyChange {
        let change = try keyChange(with: peer)
        let path = "/2/chat/conversations/\(peer.id)/keys"
        let answer = try await router.ask(.post, path, user: id.string, json: Self.body(of: change))
        #expect(answer.status == 200)
        return change
    }

    func seal(_ text: String, to peer: Member) throws -> SealedMessage {
        try session.seal(.text(text), in: .oneToOne(id, peer.id))
    }

    static func body(of message: SealedMessage) -> [String: Any] {
        [
            "message_id": message.messageID.string,
            "encoded_message_create_event": message.encodedMessageCreateEvent,
            "encoded_message_event_signature": message.encodedMessageEventSignature,
        ]
    }

    static func body(of change: KeyChange) -> [String: Any] {
        body(of: change, [change.actionSignature])
    }

    static func body(of change: GroupKeyChange) -> [String: Any] {
        body(of: change.keyChange, change.actionSignatures)
    }

    private static func body(of change: KeyChange, _ actions: [ActionSignature]) -> [String: Any] {
        [
            "conversation_key_version": change.version.string,
            "conversation_participant_keys": change.participantKeys.map {
                [
                    "user_id": $0.userID.string,
                    "encrypted_conversation_key": $0.encryptedConversationKey.string,
                    "public_key_version": $0.publicKeyVersion.string,
                ]
            },
            "action_signatures": actions.map { body(of: $0) },
        ]
    }

    static func body(of action: ActionSignature) -> [String: Any] {
        [
            "message_id": action.messageID.string,
            "encoded_message_event_detail": action.encodedMessageEventDetail,
            "message_event_signature": [
                "signature": action.signature.string,
                "public_key_version": action.publicKeyVersion.string,
                "signature_version": action.signatureVersion.string,
                "signing_public_key": action.signingPublicKey,
            ],
        ]
    }

    /// Makes a group and stores its key; also returns the body of the request, to send it again or changed.
    mutating func group(_ draft: GroupDraft, of others: [Member], at router: Router) async throws -> (
        id: ConversationID, body: [String: Any]
    ) {
        let minted = try await router.ask(.post, "/2/chat/conversations/group/initialize", user: id.string)
        let text = try #require(try minted.data["conversation_id"] as? String)
        let group = ConversationID(canonicalizing: WireString(text))
        let change = try session.prepareGroupCreate(
            draft,
            in: group,
            participants: [verifiedKey()] + others.map { try $0.verifiedKey() }
        )
        try session.adopt(change)
        var body = Self.body(of: change)
        body["conversation_id"] = text
        body["group_members"] = draft.members.map(\.string)
        body["group_admins"] = draft.admins.map(\.string)
        body["group_name"] = draft.title
        return (group, body)
    }
}
