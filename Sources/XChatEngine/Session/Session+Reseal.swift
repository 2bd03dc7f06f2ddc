public import XChatEvents

extension Session {
    /// Encrypts an own message again under a newer conversation key, with a new id.
    ///
    /// For a message that the server refused because its key is no longer the newest (failure 6): it was not stored, so
    /// this is no second message. Contents and settings stay what they were.
    ///
    /// So does the quote of a reply, which brings no key for what was written under the refused message's own version:
    /// a reader who came with the newer key alone finds the quote flawed (`key_missing`), and the message itself
    /// verified.
    /// - Parameters:
    ///   - message: The refused message. Its signature must verify and the key that sealed it be known.
    ///   - allowsNewReaders: Whether people may read it who could not when it was sealed. Ask a person first.
    /// - Returns: Another message under the newest verified key.
    /// - Throws: `members_changed` for new readers that are not allowed; `key_missing` while there is no key newer than
    ///   the refused one, or the old one is gone; `unsupported` for a message with uploaded media, which stays
    ///   encrypted under the old key; `not_a_participant` for another user's message; `wrong_signature`,
    ///   `authentication_failed` and the like for one that was altered; `not_unlocked`.
    public func reseal(
        _ message: SealedMessage,
        allowsNewReaders: Bool = false
    ) throws(XChatError) -> SealedMessage {
        let signer = try signer()
        guard message.event.senderID == userID else {
            throw XChatError(.notAParticipant, "only an own message can be encrypted again")
        }
        // It comes from a store that others may write to, and what it says is about to be signed again.
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
                    + "for conversation \(printable(message.conversationID))"
            )
        }
        if !allowsNewReaders { try requireNoNewReaders(of: message) }
        let (contents, _) = try contents(of: create, in: message.event)
        if case .message(let text) = contents.contents, text.attachments?.contains(where: \.isUnderTheKey) ?? false {
            throw XChatError(.unsupported, "the attachments are encrypted under the old key: attach them again")
        }
        create.conversationKeyVersion = version
        return try seal(contents, as: create, in: message.conversationID, key: key, by: signer)
    }

    /// The users who could not read a message when it was sealed, and could if it were encrypted again now.
    ///
    /// If the readers of the sealed message are not known, these are all present members except this account.
    public func newReaders(of message: SealedMessage) -> Set<UserID> {
        (readers(of: message.conversationID) ?? []).subtracting(message.readers ?? [userID])
    }

    private func requireNoNewReaders(of message: SealedMessage) throws(XChatError) {
        guard message.conversationID.isGroup else { return }
        let new = newReaders(of: message)
        guard new.isEmpty, message.readers != nil, readers(of: message.conversationID) != nil else {
            let names = new.sorted().prefix(10).map { printable($0) }.joined(separator: ", ")
            throw XChatError(
                .membersChanged,
                "the group \(printable(message.conversationID)) has readers who could not read the message when it "
                    + "was sealed: \(names)\(new.count > 10 ? " and \(new.count - 10) more" : "")"
            )
        }
    }
}

extension MessageAttachment {
    /// Whether it names uploaded bytes, which readers decrypt with the key of the message's version.
    fileprivate var isUnderTheKey: Bool {
        switch self {
        case .media: true
        case .url(let url): url.bannerImageMediaHashKey != nil || url.faviconImageMediaHashKey != nil
        default: false
        }
    }
}
