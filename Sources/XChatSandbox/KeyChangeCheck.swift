import XChat
import XChatEvents

/// A key change as it was asked for, and what a server without the key can check of it.
///
/// The signature covers the plaintext key from version 6 on, so here it is only stored: the recipients check it.
struct KeyChangeCheck {
    let messageID: WireString
    let version: KeyVersion
    /// The event as the sender signed it.
    let event: MessageEvent
    private let participantKeys: [ConversationParticipantKey]
    private let users: [UserID: [BoundKey]]

    /// Checks that the request is whole, that the signed detail says the same, and that the signature could be right.
    init(
        _ request: KeysRequest,
        in conversation: ConversationID,
        from sender: UserID,
        users: [UserID: [BoundKey]]
    ) throws(Problem) {
        guard let actions = request.actionSignatures, actions.count == 1, let action = actions.first else {
            throw .invalidRequest("Exactly one action signature is required.", parameter: "action_signatures")
        }
        messageID = WireString(action.messageID)
        version = WireString(request.version)
        self.users = users
        participantKeys = request.participantKeys.map { key in
            ConversationParticipantKey(
                userID: WireString(key.userID),
                encryptedConversationKey: WireString(key.encryptedConversationKey),
                publicKeyVersion: WireString(key.publicKeyVersion)
            )
        }
        guard !messageID.isEmpty else {
            throw .invalidRequest("The message id is empty.", parameter: "action_signatures.message_id")
        }
        guard action.signaturePayload == nil else {
            throw .invalidRequest(
                "The signed text of a key change contains the key: leave it out.",
                parameter: "action_signatures.signature_payload"
            )
        }
        let place = "action_signatures.encoded_message_event_detail"
        guard let detail = try? MessageEventDetail(decoding: Base64.decode(action.encodedMessageEventDetail)),
            case .conversationKeyChangeEvent(let change) = detail
        else {
            throw .invalidRequest("The detail is not that of a key change.", parameter: place)
        }
        guard change.conversationKeyVersion == version, change.conversationParticipantKeys == participantKeys else {
            throw .invalidRequest("The detail and the request differ.", parameter: place)
        }
        event = MessageEvent(
            messageID: messageID,
            senderID: sender,
            conversationID: conversation.value,
            detail: detail,
            messageEventSignature: MessageEventSignature(
                signature: WireString(action.signature.signature),
                publicKeyVersion: WireString(action.signature.publicKeyVersion),
                signatureVersion: WireString(action.signature.signatureVersion),
                signingPublicKey: action.signature.signingPublicKey.map { WireString($0) }
            )
        )
        try checkSignature(action.signature, of: sender)
    }

    private func checkSignature(_ signature: ActionSignatureRequest.Signature, of sender: UserID) throws(Problem) {
        let place = "action_signatures.message_event_signature"
        guard let bytes = try? Base64.decode(signature.signature), bytes.count == 64 else {
            throw .invalidRequest("A signature has 64 bytes.", parameter: place + ".signature")
        }
        let keyVersion = WireString(signature.publicKeyVersion)
        guard let key = users[sender]?.first(where: { $0.version == keyVersion }) else {
            throw .invalidRequest("You registered no such version.", parameter: place + ".public_key_version")
        }
        if let sent = signature.signingPublicKey, WireString(sent) != key.registered.publicKey {
            throw .invalidRequest("This is not your signing key.", parameter: place + ".signing_public_key")
        }
        guard WireString(signature.signatureVersion).isDigits,
            let version = try? SignatureVersion(WireString(signature.signatureVersion))
        else {
            throw .invalidRequest("The version is not accepted.", parameter: place + ".signature_version")
        }
        // Up to version 5 the wrapped keys are signed, which a server sees.
        if version.number < 6 {
            do {
                try Verifier.verify(event, keys: [key])
            } catch {
                throw .invalidRequest("The signature does not verify.", parameter: place + ".signature")
            }
        }
        if let inconsistency = event.inconsistency {
            throw .invalidRequest("The key change is inconsistent: \(inconsistency).")
        }
    }

    /// Checks the change against the conversation.
    func check(participants: Set<UserID>, newerThan present: KeyVersion?) throws(Problem) {
        let place = "conversation_participant_keys"
        let named = participantKeys.compactMap(\.userID)
        guard named.count == participants.count, Set(named) == participants else {
            throw .invalidRequest("Each participant must have one key.", parameter: place)
        }
        var suites: Set<SuiteName> = []
        for participant in participantKeys {
            guard let user = participant.userID, let version = participant.publicKeyVersion,
                let key = users[user]?.first(where: { $0.version == version })
            else {
                throw .invalidRequest("A public key version is not registered.", parameter: place)
            }
            suites.insert(key.identityKey.suite)
            guard let wrapped = participant.encryptedConversationKey, let bytes = try? Base64.decode(wrapped),
                !bytes.isEmpty
            else {
                throw .invalidRequest("A wrapped key is not base64.", parameter: place)
            }
        }
        guard suites.count == 1 else {
            throw .invalidRequest("A conversation has one cipher suite.", parameter: place)
        }
        guard version.isDigits, let number = version.number else {
            throw .invalidRequest("The version is not a number.", parameter: "conversation_key_version")
        }
        if let present, number <= present.number ?? 0 {
            throw .invalidRequest("The present version is newer.", parameter: "conversation_key_version")
        }
    }
}
