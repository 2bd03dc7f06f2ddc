package import XChat
package import XChatEngine
import XChatEvents

extension Draft {
    /// Reads a draft from the JSON of `--draft`: `kind` names the call of X's SDK, the other members are its
    /// parameters.
    ///
    /// A member that is unknown or of the wrong type is an error.
    package init(parsing bytes: [UInt8], document: String) throws(AccountError) {
        let place = try JSONLocation(parsing: bytes, document: document)
        let kind = try place.required("kind")
        switch try kind.string() {
        case "message":
            try place.requireKnown(Self.messageMembers)
            self = .message(try MessageDraft(place))
        case "reply":
            try place.requireKnown(Self.messageMembers + ReplyTarget.members)
            var message = try MessageDraft(place)
            message.reply = try ReplyTarget(place)
            self = .message(message)
        case "add_reaction":
            try place.requireKnown(Self.reactionMembers)
            self = .addReaction(try ReactionDraft(place))
        case "remove_reaction":
            try place.requireKnown(Self.reactionMembers)
            self = .removeReaction(try ReactionDraft(place))
        case "edit":
            try place.requireKnown(["target_event", "target_message_sequence_id", "updated_text", "entities"])
            self = .edit(
                EditDraft(
                    of: try place.target(),
                    text: try place.required("updated_text").string().string,
                    entities: try place.member("entities")?.entities()
                )
            )
        default:
            throw kind.error("is not one of the kinds message, reply, add_reaction, remove_reaction, edit")
        }
    }

    private static let messageMembers: [WireString] = [
        "text", "entities", "attachments", "quick_reply", "should_notify", "ttl_msec",
    ]
    private static let reactionMembers: [WireString] = ["target_event", "target_message_sequence_id", "emoji"]
}

extension MessageDraft {
    fileprivate init(_ place: JSONLocation) throws(AccountError) {
        let ttl = try place.member("ttl_msec")
        if let ttl, try ttl.integer(Int64.self) < 0 {
            throw ttl.error("is negative")
        }
        self.init(
            try place.required("text").string().string,
            entities: try place.member("entities")?.entities(),
            attachments: try place.member("attachments")?.attachments(),
            shouldNotify: try place.member("should_notify")?.bool() ?? true,
            ttlMsec: try ttl?.integer(Int64.self)
        )
        quickReply = try place.member("quick_reply")?.quickReply()
    }
}

extension ReactionDraft {
    fileprivate init(_ place: JSONLocation) throws(AccountError) {
        self.init(try place.required("emoji").string().string, to: try place.target())
    }
}

extension JSONLocation {
    /// Throws for an unknown member: if a misspelt one were ignored, the message would not be the intended one.
    fileprivate func requireKnown(_ known: [WireString]) throws(AccountError) {
        for (key, member) in try members() where key != "kind" && !known.contains(key) {
            let names = (["kind"] + known.map(\.string)).joined(separator: ", ")
            throw member.error("there is no such member in a draft of this kind; there are \(names)")
        }
    }

    /// The sequence id of the target message: the named one, otherwise that of the given event.
    fileprivate func target() throws(AccountError) -> SequenceID {
        if let sequenceID: SequenceID = try member("target_message_sequence_id")?.id(), !sequenceID.isEmpty {
            return sequenceID
        }
        guard let place = try member("target_event"), !(try place.string().isEmpty) else {
            throw error("the member \"target_event\" or \"target_message_sequence_id\" is missing")
        }
        do {
            guard let sequenceID = try place.event().decoded().sequenceID else {
                throw place.error("the event carries no sequence id; name it in \"target_message_sequence_id\"")
            }
            return sequenceID
        } catch let error as AccountError {
            throw error
        } catch {
            throw place.error("\(error)")
        }
    }

    /// A base64 event; its bytes are kept unchanged.
    func event() throws(AccountError) -> Encoded<MessageEvent> {
        do {
            let encoded = Encoded<MessageEvent>(bytes: try Base64.decode(try string()))
            _ = try encoded.decoded()
            return encoded
        } catch let error as AccountError {
            throw error
        } catch {
            throw self.error("\(error)")
        }
    }

    /// A list of `[start, end, type]`.
    func entities() throws(AccountError) -> [RichTextEntity] {
        var entities: [RichTextEntity] = []
        for place in try elements() { entities.append(try place.entity()) }
        return entities
    }

    private func entity() throws(AccountError) -> RichTextEntity {
        let parts = try elements()
        guard parts.count == 3 else { throw error("expected [start, end, type]") }
        let content: RichTextContent
        switch try parts[2].string() {
        case "url": content = .url(.init())
        case "mention": content = .mention(.init())
        case "hashtag": content = .hashtag(.init())
        case "cashtag": content = .cashtag(.init())
        case "email": content = .email(.init())
        case "address": content = .address(.init())
        case "phone_number", "phoneNumber": content = .phoneNumber(.init())
        default:
            throw parts[2].error("is not one of the types url, mention, hashtag, cashtag, email, address, phone_number")
        }
        return RichTextEntity(
            startIndex: try parts[0].integer(Int32.self),
            endIndex: try parts[1].integer(Int32.self),
            content: content
        )
    }
}
