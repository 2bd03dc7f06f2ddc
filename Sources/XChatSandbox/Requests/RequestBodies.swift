import Foundation
import XChatEvents

/// The call `POST /2/chat/conversations/{id}/messages`.
struct SendRequest: Decodable {
    let messageID: String
    let encodedMessageCreateEvent: String
    let encodedMessageEventSignature: String?
    let conversationToken: String?

    enum CodingKeys: String, CodingKey {
        case messageID = "message_id"
        case encodedMessageCreateEvent = "encoded_message_create_event"
        case encodedMessageEventSignature = "encoded_message_event_signature"
        case conversationToken = "conversation_token"
    }
}

/// A new conversation key, wrapped for each participant.
struct KeysOfAll: Decodable {
    struct ParticipantKey: Decodable {
        let userID: String
        let encryptedConversationKey: String
        let publicKeyVersion: String

        enum CodingKeys: String, CodingKey {
            case userID = "user_id"
            case encryptedConversationKey = "encrypted_conversation_key"
            case publicKeyVersion = "public_key_version"
        }
    }

    let version: String
    let participantKeys: [ParticipantKey]

    enum CodingKeys: String, CodingKey {
        case version = "conversation_key_version"
        case participantKeys = "conversation_participant_keys"
    }
}

/// The call `POST /2/chat/conversations/{id}/keys`.
struct KeysRequest: Decodable {
    let keys: KeysOfAll
    let actionSignatures: [ActionSignatureRequest]?

    private enum CodingKeys: String, CodingKey {
        case actionSignatures = "action_signatures"
    }

    init(from decoder: any Decoder) throws {
        keys = try KeysOfAll(from: decoder)
        actionSignatures = try decoder.container(keyedBy: CodingKeys.self)
            .decodeIfPresent([ActionSignatureRequest].self, forKey: .actionSignatures)
    }
}

/// The call `POST /2/chat/conversations/group`.
struct GroupRequest: Decodable {
    let keys: KeysOfAll
    let conversationID: String
    let members: [String]
    let admins: [String]?
    /// The title; nil if it is absent or empty, which X's engine does not distinguish.
    let name: String?
    let avatar: String?
    private let ttlMsec: String?
    let actionSignatures: [ActionSignatureRequest]?

    private enum CodingKeys: String, CodingKey {
        case conversationID = "conversation_id"
        case members = "group_members"
        case admins = "group_admins"
        case name = "group_name"
        case avatar = "group_avatar_url"
        case ttlMsec = "ttl_msec"
        case actionSignatures = "action_signatures"
    }

    init(from decoder: any Decoder) throws {
        keys = try KeysOfAll(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        conversationID = try container.decode(String.self, forKey: .conversationID)
        members = try container.decode([String].self, forKey: .members)
        admins = try container.decodeIfPresent([String].self, forKey: .admins)
        name = try container.decodeIfPresent(String.self, forKey: .name).flatMap { $0.isEmpty ? nil : $0 }
        avatar = try container.decodeIfPresent(String.self, forKey: .avatar).flatMap { $0.isEmpty ? nil : $0 }
        ttlMsec = try container.decodeIfPresent(String.self, forKey: .ttlMsec)
        actionSignatures = try container.decodeIfPresent([ActionSignatureRequest].self, forKey: .actionSignatures)
    }

    func ttl() throws(Problem) -> Int64? {
        guard let ttlMsec else { return nil }
        guard WireString(ttlMsec).isDigits, let number = WireString(ttlMsec).i64 else {
            throw .invalidRequest("ttl_msec must be a number of milliseconds.", parameter: "ttl_msec")
        }
        return number
    }
}

/// The call `POST /2/chat/conversations/{id}/members`.
struct MembersRequest: Decodable {
    let users: [String]
    let keys: KeysOfAll?
    let title: String?
    let avatar: String?
    let actionSignatures: [ActionSignatureRequest]?

    private enum CodingKeys: String, CodingKey {
        case users = "user_ids"
        case version = "conversation_key_version"
        case title = "encrypted_title"
        case avatar = "encrypted_avatar_url"
        case actionSignatures = "action_signatures"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        users = try container.decode([String].self, forKey: .users)
        keys = container.contains(.version) ? try KeysOfAll(from: decoder) : nil
        title = try container.decodeIfPresent(String.self, forKey: .title)
        avatar = try container.decodeIfPresent(String.self, forKey: .avatar)
        actionSignatures = try container.decodeIfPresent([ActionSignatureRequest].self, forKey: .actionSignatures)
    }
}

/// The call `POST /2/chat/conversations/{id}/messages/delete`.
struct DeleteRequest: Decodable {
    let sequenceIDs: [String]
    let forAll: Bool
    let actionSignatures: [ActionSignatureRequest]
    let mediaHashKeys: [String]?

    private enum CodingKeys: String, CodingKey {
        case sequenceIDs = "sequence_ids"
        case action = "delete_message_action"
        case actionSignatures = "action_signatures"
        case mediaHashKeys = "media_hash_keys"
    }

    private enum Action: String, Decodable {
        case forAll = "delete_for_all"
        case forSelf = "delete_for_self"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        sequenceIDs = try container.decode([String].self, forKey: .sequenceIDs)
        guard !sequenceIDs.isEmpty else {
            throw Problem.invalidRequest("At least one message is required.", parameter: "sequence_ids")
        }
        forAll = try container.decode(Action.self, forKey: .action) == .forAll
        actionSignatures = try container.decode([ActionSignatureRequest].self, forKey: .actionSignatures)
        mediaHashKeys = try container.decodeIfPresent([String].self, forKey: .mediaHashKeys)
    }
}

/// The call `POST /2/chat/conversations/{id}/read`.
struct ReadRequest: Decodable {
    let seenUntil: String

    enum CodingKeys: String, CodingKey {
        case seenUntil = "seen_until_sequence_id"
    }
}

/// One entry of `action_signatures`.
struct ActionSignatureRequest: Decodable {
    struct Signature: Decodable {
        let signature: String
        let publicKeyVersion: String
        let signatureVersion: String
        let signingPublicKey: String?

        enum CodingKeys: String, CodingKey {
            case signature
            case publicKeyVersion = "public_key_version"
            case signatureVersion = "signature_version"
            case signingPublicKey = "signing_public_key"
        }
    }

    let messageID: String
    let encodedMessageEventDetail: String
    let signature: Signature
    let signaturePayload: String?

    enum CodingKeys: String, CodingKey {
        case messageID = "message_id"
        case encodedMessageEventDetail = "encoded_message_event_detail"
        case signature = "message_event_signature"
        case signaturePayload = "signature_payload"
    }
}

/// The call `POST /2/users/{id}/public_keys`.
struct RegistrationRequest: Decodable {
    struct PublicKey: Decodable {
        let identityKey: String
        let signingKey: String
        let signatureOfIdentityKey: String
        let signatureOfSigningKey: String?
        let fingerprint: String?

        enum CodingKeys: String, CodingKey {
            case identityKey = "public_key"
            case signingKey = "signing_public_key"
            case signatureOfIdentityKey = "identity_public_key_signature"
            case signatureOfSigningKey = "signing_public_key_signature"
            case fingerprint = "public_key_fingerprint"
        }
    }

    let publicKey: PublicKey
    let version: String
    let generateVersion: Bool?

    enum CodingKeys: String, CodingKey {
        case publicKey = "public_key"
        case version
        case generateVersion = "generate_version"
    }
}

extension Decodable {
    /// Reads a request's body.
    ///
    /// - Throws: A problem with status 400 that names the missing or invalid member.
    init(body: Data) throws(Problem) {
        do {
            self = try JSONDecoder().decode(Self.self, from: body)
        } catch DecodingError.keyNotFound(let key, let context) {
            throw .invalidRequest("A member is missing.", parameter: path(context.codingPath + [key]))
        } catch DecodingError.valueNotFound(_, let context) {
            throw .invalidRequest("A member is null.", parameter: path(context.codingPath))
        } catch DecodingError.typeMismatch(_, let context) {
            throw .invalidRequest("A member has the wrong type.", parameter: path(context.codingPath))
        } catch DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty {
            throw .invalidRequest("A member has an invalid value.", parameter: path(context.codingPath))
        } catch let problem as Problem {
            throw problem
        } catch {
            throw .invalidRequest("The body is not JSON.")
        }
    }
}

/// A request that may have only the members that X's document lists; any other member is refused.
protocol ClosedRequest: Decodable {
    static var members: Set<String> { get }
}

extension ClosedRequest {
    init(closed body: Data) throws(Problem) {
        if let members = try? JSONDecoder().decode([String: Ignored].self, from: body),
            let unknown = members.keys.first(where: { !Self.members.contains($0) })
        {
            throw .invalidRequest(
                "The body has a member that this request does not accept.",
                parameter: bounded(unknown)
            )
        }
        try self.init(body: body)
    }
}

private struct Ignored: Decodable {
    init(from decoder: any Decoder) throws {}
}

/// A name from a request if it has the form of a member's name, so that it is safe to repeat; otherwise nil.
func bounded(_ name: String) -> String? {
    let isName =
        (1...64).contains(name.utf8.count)
        && name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_") }
    return isName ? name : nil
}

/// A location in a body, made of the names of our own coding keys.
private func path(_ keys: [any CodingKey]) -> String? {
    keys.isEmpty ? nil : keys.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
}
