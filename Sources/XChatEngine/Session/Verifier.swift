public import XChatEvents

/// Verifies the signatures of events; no other code does.
public enum Verifier {
    /// Verifies an event's signature, and that its signed text can be read in one way only.
    ///
    /// The function does not check whether the sender belongs to the conversation: only a session or a server knows
    /// that.
    /// - Parameters:
    ///   - event: The event as it was received.
    ///   - keys: The trusted keys of the sender, of any version. All keys of the version that the signature names are
    ///     tried.
    ///   - conversationKeys: The conversation keys to try for a key change event of signature version 6 or higher,
    ///     whose signed text ends with the conversation key. Other events need none.
    /// - Returns: The conversation key that the signature covers, if it covers one.
    /// - Throws: `never_signed`, `unencrypted`, `no_signature`, `version_refused`, `unknown_signer`,
    ///   `not_representable`, `key_missing`, `wrong_signature`, `inconsistent`, in this order.
    @discardableResult
    public static func verify(
        _ event: MessageEvent,
        keys: [VerifiedPublicKey],
        conversationKeys: [ConversationKey] = []
    ) throws(XChatError) -> ConversationKey? {
        guard event.kind.isSigned else {
            throw XChatError(.neverSigned, "events of this kind are never signed")
        }
        try requireEncryption(of: event)
        return try signature(of: event, keys: keys, conversationKeys: conversationKeys).conversationKey
    }

    /// The result of a signature that verified.
    struct Signed {
        /// The key that verified the signature.
        let signer: VerifiedPublicKey
        /// The signed text, without the conversation key if it ends with one.
        let text: [UInt8]
        /// The conversation key that the signature covers, if it covers one.
        let conversationKey: ConversationKey?

        /// Identifies the signed event.
        func digest() throws(XChatError) -> EventDigest {
            try EventDigest(signedBy: signer.signingKey, text: text)
        }
    }

    /// Throws for a message that is not encrypted.
    static func requireEncryption(of event: MessageEvent) throws(XChatError) {
        if case .messageCreateEvent(let create) = event.detail, create.conversationKeyVersion == nil {
            throw XChatError(.unencrypted, "the message is not encrypted")
        }
    }

    /// Verifies an event of a kind that is signed, encrypted or not.
    static func signature(
        of event: MessageEvent,
        keys: [VerifiedPublicKey],
        conversationKeys: [ConversationKey] = []
    ) throws(XChatError) -> Signed {
        guard let signed = event.messageEventSignature, let encodedSignature = signed.signature else {
            throw XChatError(.noSignature, "the event has no signature")
        }
        let version: SignatureVersion
        do {
            version = try SignatureVersion(signed.signatureVersion)
        } catch {
            throw XChatError(.versionRefused, "\(error)")
        }
        let keyVersion = signed.publicKeyVersion ?? ""
        // Avoids copying keys: all cores would update their reference counts at the same time when a batch is opened.
        func isSigner(_ key: VerifiedPublicKey) -> Bool { key.userID == event.senderID && key.version == keyVersion }
        guard keys.contains(where: isSigner) else {
            throw XChatError(
                .unknownSigner,
                "cannot verify the event: no signing key of user \(printable(event.senderID ?? "")) with version "
                    + "\(printable(keyVersion)) is pinned; fetch and pin the keys of the user"
            )
        }
        let payload: SignedPayload
        do {
            payload = try SignedPayload(of: event, version: version)
        } catch {
            throw XChatError(.notRepresentable, "\(error)")
        }
        let verified = try match(payload, encodedSignature, keys.filter(isSigner), conversationKeys)
        if let reason = event.inconsistency { throw XChatError(.inconsistent, reason) }
        return verified
    }

    private static func match(
        _ payload: SignedPayload,
        _ encodedSignature: WireString,
        _ signers: [VerifiedPublicKey],
        _ conversationKeys: [ConversationKey]
    ) throws(XChatError) -> Signed {
        if payload.endsWithConversationKey, conversationKeys.isEmpty {
            throw XChatError(
                .keyMissing,
                "the signature covers a conversation key, and no key is known to verify it with: it may be wrapped for "
                    + "other private keys, such as newer ones of the same user; use those"
            )
        }
        let wrong = XChatError(.wrongSignature, "the signature does not verify")
        guard let signature = try? Base64.decode(encodedSignature) else { throw wrong }
        let text = payload.bytes
        guard payload.endsWithConversationKey else {
            for signer in signers where signer.signingKey.isValid(signature, for: text.span) {
                return Signed(signer: signer, text: text, conversationKey: nil)
            }
            throw wrong
        }
        for key in conversationKeys {
            let signer = try payload.withText(conversationKey: key) { (text) throws(XChatError) in
                signers.first { $0.signingKey.isValid(signature, for: text) }
            }
            if let signer { return Signed(signer: signer, text: text, conversationKey: key) }
        }
        throw wrong
    }
}
