public import XChatEvents

/// The one place where an event's signature is judged (section 15 of the protocol, without its leniency).
public enum Verifier {
    /// Verifies an event's signature, and that its signed text can be read in one way only.
    ///
    /// Whether the sender belongs to the conversation is not judged here: a session or a server knows that.
    /// - Parameters:
    ///   - event: The event as it was received.
    ///   - keys: The trusted keys of the sender, of any version. Every one of the version that the signature names is tried.
    ///   - conversationKeys: For a key change of signature version 6 and up, whose text ends in the conversation key: the
    ///     keys to try. Nothing else needs them.
    /// - Returns: The conversation key that the signature covers, if it covers one.
    /// - Throws: `never_signed`, `unencrypted`, `no_signature`, `version_refused`, `unknown_signer`,
    ///   `not_representable`, `key_missing`, `wrong_signature`, `inconsistent`, in this order.
    @discardableResult
    public static func verify(
        _ event: MessageEvent,
        keys: [BoundKey],
        conversationKeys: [ConversationKey] = []
    ) throws(XChatError) -> ConversationKey? {
        guard event.kind.isSigned else {
            throw XChatError(.neverSigned, "events of this kind are never signed")
        }
        if case .messageCreateEvent(let create) = event.detail, create.conversationKeyVersion == nil {
            throw XChatError(.unencrypted, "the message is not encrypted")
        }
        return try verifySignature(of: event, keys: keys, conversationKeys: conversationKeys)
    }

    /// The same for an event of a kind that is signed, encrypted or not.
    @discardableResult
    static func verifySignature(
        of event: MessageEvent,
        keys: [BoundKey],
        conversationKeys: [ConversationKey] = []
    ) throws(XChatError) -> ConversationKey? {
        guard let signed = event.messageEventSignature, let encodedSignature = signed.signature else {
            throw XChatError(.noSignature, "the event carries no signature")
        }
        let version: SignatureVersion
        do {
            version = try SignatureVersion(signed.signatureVersion)
        } catch {
            throw XChatError(.versionRefused, "\(error)")
        }
        let keyVersion = signed.publicKeyVersion ?? ""
        // Asked of each key in place: copies would be counted, on all cores at once where a batch is opened.
        func isSigner(_ key: BoundKey) -> Bool { key.userID == event.senderID && key.version == keyVersion }
        guard keys.contains(where: isSigner) else {
            throw XChatError(
                .unknownSigner,
                "no trusted signing key of user \(printable(event.senderID ?? "")), version \(printable(keyVersion))"
            )
        }
        let payload: SignedPayload
        do {
            payload = try SignedPayload(of: event, version: version)
        } catch {
            throw XChatError(.notRepresentable, "\(error)")
        }
        let covered = try match(
            payload,
            encodedSignature,
            conversationKeys: conversationKeys
        ) { (signature, text) in keys.contains { isSigner($0) && $0.signingKey.isValid(signature, for: text) } }
        if let reason = event.inconsistency { throw XChatError(.inconsistent, reason) }
        return covered
    }

    private static func match(
        _ payload: SignedPayload,
        _ encodedSignature: WireString,
        conversationKeys: [ConversationKey],
        isValid: ([UInt8], Span<UInt8>) -> Bool
    ) throws(XChatError) -> ConversationKey? {
        if payload.endsWithConversationKey, conversationKeys.isEmpty {
            throw XChatError(.keyMissing, "the signature covers a conversation key that is not at hand")
        }
        let wrong = XChatError(.wrongSignature, "the signature does not verify")
        guard let signature = try? Base64.decode(encodedSignature) else { throw wrong }
        guard payload.endsWithConversationKey else {
            let text = payload.bytes
            guard isValid(signature, text.span) else { throw wrong }
            return nil
        }
        for key in conversationKeys {
            let covers = try payload.withText(conversationKey: key) { (text) throws(XChatError) in
                isValid(signature, text)
            }
            if covers { return key }
        }
        throw wrong
    }
}
