public import XChatEvents

/// An event that was accepted: its signature verified, or it is of a kind that is never signed.
public struct Event: Hashable, Sendable {
    /// The envelope and detail as they were received.
    ///
    /// The signature does not cover all of it: see `MessageEvent.signatureCoverage`.
    public let received: MessageEvent
    /// True if the sender's signature verified; false only for the kinds that are never signed.
    public let isVerified: Bool
    /// The decrypted contents of a message; nil for every other kind.
    public let contents: MessageEntryHolder?
    /// The result of validating the preview in a reply; nil without a preview that embeds an event.
    public let replyValidation: ReplyValidation?
    /// The restrictions of the trust in the event although its signature verified; empty for most events.
    public var marks: Set<Mark>
    /// The key that verified the signature.
    let signer: VerifiedPublicKey?

    init(
        received: MessageEvent,
        isVerified: Bool,
        contents: MessageEntryHolder? = nil,
        replyValidation: ReplyValidation? = nil,
        marks: Set<Mark> = [],
        signer: VerifiedPublicKey? = nil
    ) {
        self.received = received
        self.isVerified = isVerified
        self.contents = contents
        self.replyValidation = replyValidation
        self.marks = marks
        self.signer = signer
    }

    /// Identifies the signed event in any envelope; nil for kinds that are never signed.
    public var digest: EventDigest? {
        guard let signer, let version = try? SignatureVersion(received.messageEventSignature?.signatureVersion),
            let payload = try? SignedPayload(of: received, version: version)
        else { return nil }
        return try? EventDigest(signedBy: signer.signingKey, text: payload.bytes)
    }
}

extension Event {
    /// A restriction of the trust in a verified event.
    ///
    /// The raw values are the members that `xchat read --json` and `xchat decrypt` print.
    public enum Mark: String, CaseIterable, Hashable, Sendable {
        /// The sender was a member of the group and is not one any more.
        case senderLeft = "sender_left"
        /// Only an addition that did not change the member list names the sender as a member.
        case membershipUnproven = "membership_unproven"
        /// Nothing is known about the members of the group.
        case membershipUnknown = "membership_unknown"
        /// Two different keys were announced under the version of the key that decrypts the message, so the same
        /// ciphertext may decrypt to another text for other recipients.
        case disputedKey = "disputed_key"
        /// The signature of the key change event does not cover the key that decrypts the message.
        case legacyKey = "legacy_key"
        /// The key that decrypts the message was not accepted: its key change event did not verify, or its signer was
        /// not a present member, or the key was refused or displaced for another reason.
        case unverifiedKey = "unverified_key"
        /// The event, or the key change event of the key that decrypts it, verified under a pin that is not the current
        /// one.
        case retiredKey = "retired_key"
        /// The event names its target by a sequence id, which the server assigns and no signature covers.
        case targetUnproven = "target_unproven"
        /// The same author signed another event under the same message id.
        case sameID = "same_id"
    }
}

// The protocol does not bind an edit or a deletion to the author of the message, and servers have been seen to deliver
// edits and deletions by other participants.
extension Event {
    /// Whether this is an edit of `original` by its author.
    ///
    /// - Parameter original: A message of the same conversation.
    /// - Returns: True if sender, conversation and the sequence id that the edit names are the original's.
    public func isRightfulEdit(of original: Event) -> Bool {
        guard case .messageEdit(let edit) = contents?.contents, case .message = original.contents?.contents else {
            return false
        }
        return isVerified && original.isVerified && sharesAuthorAndConversation(with: original)
            && edit.messageSequenceID != nil && edit.messageSequenceID == original.received.sequenceID
    }

    /// The contents of a message after an edit.
    ///
    /// - Parameter edit: The edit.
    /// - Returns: The message with the new text and entities; nil unless ``isRightfulEdit(of:)`` is true for the edit.
    public func edited(by edit: Event) -> MessageContents? {
        guard edit.isRightfulEdit(of: self), case .messageEdit(let change) = edit.contents?.contents,
            case .message(var message) = contents?.contents
        else { return nil }
        message.messageText = change.updatedText
        message.entities = change.entities
        return message
    }

    /// Whether this event rightfully deletes `original` for all participants.
    ///
    /// - Parameters:
    ///   - original: A message of the same conversation.
    ///   - administrators: In a group, the users who may delete messages of others.
    /// - Returns: True if the deletion names the original's sequence id, and the sender of the deletion is the author
    ///   of the original or an administrator.
    public func isRightfulDeletion(of original: Event, administrators: Set<UserID> = []) -> Bool {
        guard case .messageDeleteEvent(let deletion) = received.detail, deletion.deleteMessageAction == .deleteForAll,
            let sequenceID = original.received.sequenceID, deletion.sequenceIDs?.contains(sequenceID) == true,
            isVerified, original.isVerified, let sender = received.senderID
        else { return false }
        let conversation = received.canonicalConversationID
        guard conversation != nil, conversation == original.received.canonicalConversationID else { return false }
        return sender == original.received.senderID || conversation?.isGroup == true && administrators.contains(sender)
    }

    private func sharesAuthorAndConversation(with other: Event) -> Bool {
        received.senderID != nil && received.senderID == other.received.senderID
            && received.canonicalConversationID != nil
            && received.canonicalConversationID == other.received.canonicalConversationID
    }
}

/// Recognises events that were seen before.
///
/// A signed event is recognised by its ``EventDigest``, so the server cannot make it appear twice under different ids.
/// The newest events are remembered up to a limit, with about 100 bytes for each.
public struct SeenEvents: Sendable {
    /// How an event relates to the events seen before.
    public enum Novelty: Hashable, Sendable {
        /// The event was not seen before.
        case new
        /// The same signed event was seen before.
        case repeated
        /// The author of the event signed another event under the same message id: show both, and mark this one
        /// ``Event/Mark/sameID``.
        case sameID
    }

    private struct Name: Hashable {
        let conversation: ConversationID?
        /// The sender is included because senders choose message ids: otherwise a user could use an id first, so that
        /// another user's message under that id would get a mark.
        let sender: UserID?
        let messageID: MessageID?
    }

    private let limit: Int
    private var digests: Set<EventDigest> = []
    /// How many of the seen events have each name.
    private var names: [Name: Int] = [:]
    /// A ring buffer of the seen events; once it is full, the oldest is at `oldest`.
    private var order: [(EventDigest, Name)] = []
    private var oldest = 0

    /// Creates a value that has seen no events.
    ///
    /// - Parameter limit: The number of events to remember.
    public init(limit: Int = 100_000) {
        self.limit = max(1, limit)
    }

    /// Records an event.
    ///
    /// - Parameter event: An accepted event. Kinds that are never signed are always new: no signature covers their ids.
    /// - Returns: How the event relates to the events seen before.
    public mutating func insert(_ event: Event) -> Novelty {
        guard event.isVerified, let digest = event.digest else { return .new }
        let received = event.received
        let name = Name(
            conversation: received.canonicalConversationID,
            sender: received.senderID,
            messageID: received.messageID
        )
        guard digests.insert(digest).inserted else { return .repeated }
        let count = names[name, default: 0]
        names[name] = count + 1
        if order.count < limit {
            order.append((digest, name))
        } else {
            let (oldDigest, oldName) = order[oldest]
            digests.remove(oldDigest)
            let left = names[oldName, default: 1] - 1
            names[oldName] = left > 0 ? left : nil
            order[oldest] = (digest, name)
            oldest = (oldest + 1) % limit
        }
        return count == 0 ? .new : .sameID
    }
}
