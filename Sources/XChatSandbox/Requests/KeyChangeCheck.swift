import XChatEngine
import XChatEvents

/// One entry of `action_signatures`, with the checks that a server can make.
struct SignedAction {
    let messageID: MessageID
    let detail: MessageEventDetail
    /// The event as the sender signed it.
    let event: MessageEvent

    /// Checks the format of the entry, and verifies its signature if the server can.
    ///
    /// From version 6 on, the signature of a key change event covers the plaintext key, which the server does not have.
    /// Such a signature is only stored, and the recipients verify it. Every other signature is verified here.
    init(
        _ action: ActionSignatureRequest,
        in conversation: ConversationID,
        from sender: UserID,
        keys: [VerifiedPublicKey]
    ) throws(Problem) {
        messageID = MessageID(action.messageID)
        guard !messageID.isEmpty else {
            throw .invalidRequest("The message id is empty.", parameter: "action_signatures.message_id")
        }
        guard let detail = try? MessageEventDetail(decoding: Base64.decode(action.encodedMessageEventDetail)) else {
            throw .invalidRequest(
                "The value is not the encoded detail of an event.",
                parameter: "action_signatures.encoded_message_event_detail"
            )
        }
        self.detail = detail
        event = MessageEvent(
            messageID: messageID,
            senderID: sender,
            conversationID: conversation.text,
            detail: detail,
            messageEventSignature: MessageEventSignature(
                signature: WireString(action.signature.signature),
                publicKeyVersion: KeyVersion(action.signature.publicKeyVersion),
                signatureVersion: WireString(action.signature.signatureVersion),
                signingPublicKey: action.signature.signingPublicKey.map { WireString($0) }
            )
        )
        guard !event.isKeyChange || action.signaturePayload == nil else {
            throw .invalidRequest(
                "The signed text of a key change contains the plaintext key: omit signature_payload.",
                parameter: "action_signatures.signature_payload"
            )
        }
        try checkSignature(action.signature, keys: keys)
    }

    private func checkSignature(
        _ signature: ActionSignatureRequest.Signature,
        keys: [VerifiedPublicKey]
    ) throws(Problem) {
        let place = "action_signatures.message_event_signature"
        guard let bytes = try? Base64.decode(signature.signature), bytes.count == 64 else {
            throw .invalidRequest("A signature has 64 bytes.", parameter: place + ".signature")
        }
        let keyVersion = KeyVersion(signature.publicKeyVersion)
        guard let key = keys.first(where: { $0.version == keyVersion }) else {
            throw .invalidRequest(
                "You have no registered key of this version.",
                parameter: place + ".public_key_version"
            )
        }
        if let sent = signature.signingPublicKey, WireString(sent) != key.registered.publicKey {
            throw .invalidRequest("This is not your signing key.", parameter: place + ".signing_public_key")
        }
        guard WireString(signature.signatureVersion).isDigits,
            let version = try? SignatureVersion(WireString(signature.signatureVersion))
        else {
            throw .invalidRequest(
                "The signature version is not accepted: it must be a number of at least 2.",
                parameter: place + ".signature_version"
            )
        }
        // Up to version 5 the signature covers the wrapped keys, which the server has.
        if !event.isKeyChange || version.number < 6 {
            do {
                try Verifier.verify(event, keys: [key])
            } catch {
                throw .invalidRequest("The signature does not verify.", parameter: place + ".signature")
            }
        }
        if let inconsistency = event.inconsistency {
            throw .invalidRequest("The action is inconsistent: \(inconsistency).")
        }
    }
}

/// A key change in a request, with the checks that a server can make without the key.
struct KeyChangeCheck {
    let version: KeyVersion
    private let participantKeys: [ConversationParticipantKey]
    private let users: [UserID: [VerifiedPublicKey]]

    /// Checks that the signed detail agrees with the request.
    init(_ request: KeysOfAll, _ action: SignedAction, users: [UserID: [VerifiedPublicKey]]) throws(Problem) {
        version = KeyVersion(request.version)
        self.users = users
        participantKeys = request.participantKeys.map { key in
            ConversationParticipantKey(
                userID: UserID(key.userID),
                encryptedConversationKey: WireString(key.encryptedConversationKey),
                publicKeyVersion: KeyVersion(key.publicKeyVersion)
            )
        }
        let place = "action_signatures.encoded_message_event_detail"
        guard case .conversationKeyChangeEvent(let change) = action.detail else {
            throw .invalidRequest("The detail is not a key change event.", parameter: place)
        }
        let signedKeys = change.conversationParticipantKeys ?? []
        guard change.conversationKeyVersion == version, signedKeys.count == participantKeys.count,
            Set(signedKeys) == Set(participantKeys)
        else {
            throw .invalidRequest("The detail and the request differ.", parameter: place)
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
            throw .invalidRequest("The keys of all participants must have the same cipher suite.", parameter: place)
        }
        guard version.isDigits, let number = version.number else {
            throw .invalidRequest("The version is not a number.", parameter: "conversation_key_version")
        }
        if let present, number <= present.number ?? 0 {
            throw .invalidRequest(
                "The version must be greater than that of the current key.",
                parameter: "conversation_key_version"
            )
        }
    }
}
