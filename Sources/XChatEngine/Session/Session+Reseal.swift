public import XChatEvents

extension Session {
    /// Encrypts a message of this account again under a newer conversation key, with a new id.
    ///
    /// Use it for a message that the server refused because its key is no longer the newest (failure 6). Look for the
    /// message's id in the history first: the server may have stored an earlier attempt whose answer was lost, and then
    /// this creates a second message. Contents and settings are unchanged.
    ///
    /// The quotation of a reply is unchanged too. The quotation embeds no key change event for the refused message's
    /// own key version. So if the quoted message has that version, a recipient who has only the newer key cannot
    /// validate the quotation (`key_missing`). The reply itself verifies.
    /// - Parameters:
    ///   - message: The refused message. Its signature must verify, and the key that encrypted it must be known.
    ///   - allowsNewReaders: Whether the message may be given to users who could not read it when it was sealed. Let a
    ///     person confirm this first.
    /// - Returns: A new message under the newest accepted key.
    /// - Throws: `members_changed` for new readers that are not allowed; `key_missing` if there is no newer key, or if
    ///   the old key is not known any more; the errors of ``encryptingVersion(in:)`` if no key may be used to encrypt;
    ///   `unsupported` for a message with uploaded media, which stays encrypted under the old key; `not_a_participant`
    ///   for another user's message; `wrong_signature`, `authentication_failed` or a similar error for an altered
    ///   message; `not_unlocked`.
    public func reseal(
        _ message: SealedMessage,
        allowsNewReaders: Bool = false
    ) throws(XChatError) -> SealedMessage {
        let signer = try signer()
        guard message.event.senderID == userID else {
            throw XChatError(
                .notAParticipant,
                "the message is by user \(printable(message.event.senderID ?? "")), and only a message of this account can "
                    + "be encrypted again"
            )
        }
        // The message comes from storage that others may be able to write, and its contents are about to be signed
        // again.
        let own = try signer.keys.verifiedKey(userID: userID, version: signer.version)
        _ = try Verifier.signature(of: message.event, keys: trustedKeys(of: message.event) + [own])
        guard case .messageCreateEvent(var create) = message.event.detail, create.conversationKeyVersion != nil else {
            throw XChatError(.unsupported, "only a message can be encrypted again")
        }
        let (version, key) = try encryptingKey(in: message.conversationID)
        guard let old = message.conversationKeyVersion.number, let new = version.number, new > old else {
            throw XChatError(
                .keyMissing,
                "no key newer than \(printable(message.conversationKeyVersion)) "
                    + "for conversation \(printable(message.conversationID)): deliver its key change events, or "
                    + "rotate the key"
            )
        }
        if !allowsNewReaders { try requireNoNewReaders(of: message) }
        let (contents, _) = try contents(of: create, in: message.event)
        if case .message(let text) = contents.contents, text.attachments?.contains(where: \.isUnderTheKey) ?? false {
            throw XChatError(
                .unsupported,
                "the attachments are encrypted under the old key: seal a new message with newly encrypted attachments"
            )
        }
        create.conversationKeyVersion = version
        return try seal(contents, as: create, in: message.conversationID, key: key, by: signer)
    }

    /// The users who could not read a message when it was sealed, and could read it if it were encrypted again now.
    ///
    /// If the readers of the sealed message are not known, the result is all present members except this account.
    public func newReaders(of message: SealedMessage) -> Set<UserID> {
        (readers(of: message.conversationID) ?? []).subtracting(message.readers ?? [userID])
    }

    private func requireNoNewReaders(of message: SealedMessage) throws(XChatError) {
        guard message.conversationID.isGroup else { return }
        let group = printable(message.conversationID)
        guard readers(of: message.conversationID) != nil else {
            throw XChatError(
                .membersChanged,
                "the members of group \(group) are not known, so the message could get new readers: deliver the group's "
                    + "whole history, or have a person accept a list of its members"
            )
        }
        let new = newReaders(of: message)
        guard new.isEmpty else {
            let names = new.sorted().prefix(10).map { printable($0) }.joined(separator: ", ")
            throw XChatError(
                .membersChanged,
                (message.readers == nil
                    ? "the first readers of the message are not known, and a person must allow all readers of group \(group): "
                    : "the group \(group) has readers who could not read the message when it was sealed, and a person must "
                        + "allow them: ") + names + (new.count > 10 ? " and \(new.count - 10) more" : "")
            )
        }
    }
}

extension MessageAttachment {
    /// Whether the attachment names uploaded bytes, which recipients decrypt with the conversation key of the message.
    fileprivate var isUnderTheKey: Bool {
        switch self {
        case .media: true
        case .url(let url): url.bannerImageMediaHashKey != nil || url.faviconImageMediaHashKey != nil
        default: false
        }
    }
}
