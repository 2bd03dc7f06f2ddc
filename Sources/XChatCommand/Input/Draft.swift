package import XChat
import XChatEvents

extension Draft {
    /// Reads a message from the JSON of `--draft`; a member that is unknown or of the wrong type is an error.
    package init(parsing bytes: [UInt8], document: String) throws(CommandError) {
        let place = try JSONPlace(parsing: bytes, document: document)
        let kind = try place.required("kind")
        guard try kind.string() == "message" else {
            throw kind.error("is not \"message\", the one kind of draft that there is")
        }
        let known: [WireString] = ["kind", "text", "entities", "should_notify", "ttl_msec"]
        for (key, member) in try place.members() where !known.contains(key) {
            throw member.error(
                "there is no such member in a draft; there are kind, text, entities, should_notify, ttl_msec"
            )
        }
        let ttl = try place.member("ttl_msec")
        if let ttl, try ttl.integer(Int64.self) < 0 {
            throw ttl.error("is negative")
        }
        self = .message(
            MessageDraft(
                try place.required("text").string().string,
                entities: try place.member("entities")?.elements().map(entity),
                shouldNotify: try place.member("should_notify")?.bool() ?? true,
                ttlMsec: try ttl?.integer(Int64.self)
            )
        )
    }
}

/// Reads `[start, end, type]`.
private func entity(_ place: JSONPlace) throws(CommandError) -> RichTextEntity {
    let parts = try place.elements()
    guard parts.count == 3 else { throw place.error("expected [start, end, type]") }
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
        throw parts[2].error(
            "is none of the types url, mention, hashtag, cashtag, email, address, phone_number"
        )
    }
    return RichTextEntity(
        startIndex: try parts[0].integer(Int32.self),
        endIndex: try parts[1].integer(Int32.self),
        content: content
    )
}
