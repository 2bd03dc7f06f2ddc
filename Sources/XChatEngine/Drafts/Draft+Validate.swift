import XChatEvents

extension Draft {
    /// Throws for contents that recipients drop (see `docs/protocol.md`, "Messages") or that are inconsistent.
    func validate() throws(XChatError) {
        switch self {
        case .message(let message):
            try message.validate()
        case .addReaction(let reaction), .removeReaction(let reaction):
            try requireTarget(reaction.target)
        case .edit(let edit):
            try requireTarget(edit.target)
            try requireFitting(edit.text)
            try requireEntities(edit.entities, in: edit.text)
        }
    }

    var shouldNotify: Bool {
        if case .message(let message) = self { message.shouldNotify } else { true }
    }

    var ttlMsec: Int64? {
        if case .message(let message) = self { message.ttlMsec } else { nil }
    }
}

extension MessageDraft {
    fileprivate func validate() throws(XChatError) {
        if let ttlMsec, ttlMsec < 0 {
            throw XChatError(.invalidArgument, "ttl_msec is negative: give 0 or more milliseconds")
        }
        try requireFitting(text)
        try requireEntities(entities, in: text)
        try validateAttachments()
        switch quickReply {
        case nil, .request(.options), .response(.options): break
        default: throw XChatError(.invalidArgument, "quick_reply has an unknown kind: the only known kind is options")
        }
    }

    private func validateAttachments() throws(XChatError) {
        guard let attachments else { return }
        guard attachments.count <= 10 else {
            throw XChatError(
                .invalidArgument,
                "the message has \(attachments.count) attachments, and at most 10 are allowed: send several messages"
            )
        }
        for (index, attachment) in attachments.enumerated() {
            if let member = attachment.missingMember {
                throw XChatError(.invalidArgument, "attachments[\(index)] has no \(member), which recipients need")
            }
            if attachments.count > 1, !attachment.standsBesideOthers {
                throw XChatError(
                    .invalidArgument,
                    "attachments[\(index)] must be the only attachment: several must all be images, GIFs or videos"
                )
            }
        }
    }
}

/// The maximum length of a text in bytes: encrypted and in base64, 10 MiB of text leave 2 MiB of
/// ``MessageEvent/maximumEncodedBytes`` for everything else.
private let maximumTextBytes = 10 * 1024 * 1024

private func requireFitting(_ text: String) throws(XChatError) {
    guard text.utf8.count <= maximumTextBytes else {
        throw XChatError(
            .tooLarge,
            "the text has \(text.utf8.count) bytes, over the limit of \(maximumTextBytes): shorten it"
        )
    }
}

private func requireTarget(_ sequenceID: SequenceID) throws(XChatError) {
    guard !sequenceID.isEmpty else {
        throw XChatError(
            .invalidArgument,
            "target_message_sequence_id is empty: give the sequence id under which the server delivered the message"
        )
    }
}

/// Checks that entities are within the text.
///
/// X's own clients do not agree on the unit of the indexes. The check counts the text in bytes: of the three units in
/// use they give the largest length, so no valid index is refused.
private func requireEntities(_ entities: [RichTextEntity]?, in text: String) throws(XChatError) {
    let end = text.utf8.count
    for (index, entity) in (entities ?? []).enumerated() {
        guard let first = entity.startIndex, let last = entity.endIndex, 0 <= first, first <= last, Int(last) <= end
        else {
            throw XChatError(
                .invalidArgument,
                "entities[\(index)] is not within the text: the start must not be negative, the end must not be before "
                    + "the start, and must be at most \(end)"
            )
        }
    }
}

extension MessageAttachment {
    /// The first member that recipients need and that is missing.
    fileprivate var missingMember: String? {
        switch self {
        case .media(let media):
            if media.mediaHashKey == nil { return "media_hash_key" }
            if media.dimensions?.width == nil { return "width" }
            if media.dimensions?.height == nil { return "height" }
            if media.filesizeBytes == nil { return "filesize_bytes" }
            return media.filename == nil ? "filename" : nil
        case .url(let card):
            if card.url == nil { return "url" }
            return [card.bannerImageMediaHashKey, card.faviconImageMediaHashKey].lazy.compactMap { $0?.missingMember }
                .first
        case .post, .unifiedCard, .money, .jetfuel:
            return nil
        case .unknown:
            return "known kind"
        }
    }

    fileprivate var standsBesideOthers: Bool {
        guard case .media(let media) = self, let type = media.type else { return false }
        return [.image, .gif, .video].contains(type)
    }
}

extension UrlAttachmentImage {
    fileprivate var missingMember: String? {
        if mediaHashKey == nil { return "media_hash_key" }
        if filesizeBytes == nil { return "filesize_bytes" }
        return filename == nil ? "filename" : nil
    }
}
