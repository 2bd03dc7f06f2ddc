import XChat
import XChatEvents

@testable import XChatEngine

/// Replies whose previews tell the truth about the message that they quote, and replies whose previews do not.
struct ConformancePreviews {
    let cast: Cast

    private static let entities = Samples.entities(in: 6)
    private static let attachments = Array(Samples.attachments().prefix(2))
    private static let oldVersion: KeyVersion = "900"

    init(_ cast: Cast) {
        self.cast = cast
    }

    func cases() throws -> [ConformanceCase] {
        let honest = try original()
        let edits = try self.edits()
        var cases: [ConformanceCase] = []
        for (name, event, keyChanges, oddity) in try originals(honest) {
            for claim in Self.claims {
                cases.append(
                    try reply(
                        "\(name), \(claim.name)",
                        quoting: event,
                        keyChanges: keyChanges,
                        oddity: oddity,
                        claim: claim.change
                    )
                )
            }
        }
        for (name, edit, oddity) in edits {
            for claim in Self.claims {
                cases.append(
                    try reply(
                        "\(name), \(claim.name)",
                        quoting: Encoded(honest),
                        edit: edit,
                        oddity: oddity,
                        claim: claim.change
                    )
                )
            }
        }
        return cases
    }

    private func reply(
        _ name: String,
        quoting original: Encoded<MessageEvent>,
        edit: Encoded<MessageEvent>? = nil,
        keyChanges: [Encoded<MessageEvent>]? = nil,
        oddity: ConformanceCase.Oddity?,
        claim: (inout ReplyingToPreview) -> Void
    ) throws -> ConformanceCase {
        var preview = ReplyingToPreview(
            senderID: 1111,
            replyingToMessageSequenceID: "77",
            replyingToMessageID: "quoted",
            rawEventMessageCreate: original,
            rawEventEditMessage: edit,
            rawEventCkces: keyChanges
        )
        claim(&preview)
        let event = try cast.event(
            cast.sealed(.message(MessageContents(messageText: "re", replyingToPreview: preview)))
        )
        return ConformanceCase(name: name, line: event.base64, event: event, oddity: oddity)
    }

    // MARK: What is quoted

    private func original() throws -> MessageEvent {
        let text = MessageContents(
            messageText: "quoté 👍 text",
            entities: Self.entities,
            attachments: Self.attachments
        )
        return try quoted(try cast.sealed(.message(text)))
    }

    private func quoted(
        _ detail: MessageEventDetail,
        from sender: UserID = "1111",
        in conversation: WireString = Cast.pair,
        version: WireString? = "7"
    ) throws -> MessageEvent {
        var event = Cast.envelope(from: sender, in: conversation)
        event.messageID = "quoted"
        event.sequenceID = "77"
        event.detail = detail
        return try cast.signed(event, version: version)
    }

    private typealias Quoted = (
        name: String, event: Encoded<MessageEvent>, keyChanges: [Encoded<MessageEvent>]?,
        oddity: ConformanceCase.Oddity?
    )

    private func originals(_ honest: MessageEvent) throws -> [Quoted] {
        guard let detail = honest.detail else { return [] }
        let key = try ConversationKey.generate()
        let text = MessageEntryHolder(contents: .message(MessageContents(messageText: "quoté 👍 text")))
        let underOldKey = try quoted(
            .messageCreateEvent(
                MessageCreateEvent(decoding: cast.sealed(text.encoded(), by: key, version: Self.oldVersion))
            )
        )
        let plain = try quoted(.messageCreateEvent(MessageCreateEvent(contents: text.encoded())))
        let delivery = try cast.event(cast.delivering(key, version: Self.oldVersion))
        let otherDelivery = try cast.event(cast.delivering(try ConversationKey.generate(), version: Self.oldVersion))
        var unsigned = honest
        unsigned.messageEventSignature = nil
        var altered = honest
        altered.messageID = "other"
        var withoutConversation = honest
        withoutConversation.conversationID = nil
        var withoutSender = honest
        withoutSender.senderID = nil
        var quotes: [Quoted] = [
            ("honest", Encoded(honest), nil, nil), ("honest with keys", Encoded(honest), [Encoded(delivery)], nil),
            ("unsigned", Encoded(unsigned), nil, nil), ("altered", Encoded(altered), nil, nil),
            ("without conversation", Encoded(withoutConversation), nil, nil),
            ("without sender", Encoded(withoutSender), nil, nil), ("not encrypted", Encoded(plain), nil, nil),
            ("of another conversation", Encoded(try quoted(detail, in: Cast.group)), nil, nil),
            ("of the conversation reversed", Encoded(try quoted(detail, in: "2222:1111")), nil, nil),
            ("by Bob", Encoded(try quoted(detail, from: "2222")), nil, nil),
            ("by Carol", Encoded(try quoted(detail, from: "3333")), nil, .quoteFromOutside),
            ("by an unknown user", Encoded(try quoted(detail, from: "7777")), nil, nil),
            ("a reaction", Encoded(try quoted(cast.sealed(.reactionAdd(MessageReactionAdd(emoji: "x"))))), nil, nil),
            ("a typing event", Encoded(try quoted(.messageTypingEvent(MessageTypingEvent()))), nil, nil),
            ("a key change", Encoded(delivery), nil, nil),
            ("under an old key", Encoded(underOldKey), nil, nil),
            ("under an old key that is there", Encoded(underOldKey), [Encoded(delivery)], nil),
            ("under an old key among others", Encoded(underOldKey), [Encoded(honest), Encoded(delivery)], nil),
            ("under an old key, another there", Encoded(underOldKey), [Encoded(otherDelivery)], nil),
        ]
        for version in ConformanceCases.versions {
            let name = "version \(version.map { "'\($0)'" } ?? "absent")"
            quotes.append((name, Encoded(try quoted(detail, version: version)), nil, nil))
        }
        // A field twice, which only the SDK takes.
        let twice =
            honest.encoded().dropLast() + [11, 0, 5] + Variants.string("t") + [11, 0, 5] + Variants.string("u")
        quotes.append(("with a field twice", Encoded(bytes: Array(twice) + [0]), nil, .looseContents))
        return quotes
    }

    private func edits() throws -> [(String, Encoded<MessageEvent>, ConformanceCase.Oddity?)] {
        let edit = MessageEdit(messageSequenceID: "77", updatedText: "quoté 👍 edited", entities: Self.entities)
        let detail = try cast.sealed(.messageEdit(edit))
        var ofAnother = edit
        ofAnother.messageSequenceID = "12345"
        var ofNothing = edit
        ofNothing.messageSequenceID = nil
        var unsigned = try quoted(detail)
        unsigned.messageEventSignature = nil
        return [
            ("edit", Encoded(try quoted(detail)), nil), ("edit by Bob", Encoded(try quoted(detail, from: "2222")), nil),
            ("edit of another", Encoded(try quoted(cast.sealed(.messageEdit(ofAnother)))), .editOfAnother),
            ("edit of nothing", Encoded(try quoted(cast.sealed(.messageEdit(ofNothing)))), .editOfAnother),
            ("edit elsewhere", Encoded(try quoted(detail, in: Cast.group)), nil),
            ("edit unsigned", Encoded(unsigned), nil),
            ("edit that is not an edit", Encoded(try original()), nil),
        ]
    }

    // MARK: What is claimed

    private static let claims: [(name: String, change: @Sendable (inout ReplyingToPreview) -> Void)] = [
        ("no claim", { _ in }), ("text empty", { $0.messageText = "" }), ("text begun", { $0.messageText = "quoté" }),
        ("text decomposed", { $0.messageText = "quote\u{301}" }), ("text whole", { $0.messageText = "quoté 👍 text" }),
        ("text of the edit", { $0.messageText = "quoté 👍 edited" }),
        ("text longer", { $0.messageText = "quoté 👍 texts" }),
        ("text other", { $0.messageText = "I owe you" }), ("sender wrong", { $0.senderID = 2222 }),
        ("sender absent", { $0.senderID = nil }), ("sender negative", { $0.senderID = -1111 }),
        ("sequence id wrong", { $0.replyingToMessageSequenceID = "78" }),
        ("sequence id absent", { $0.replyingToMessageSequenceID = nil }),
        ("message id wrong", { $0.replyingToMessageID = "x" }), ("message id absent", { $0.replyingToMessageID = nil }),
        ("entities", { $0.entities = entities }), ("entities none", { $0.entities = [] }),
        ("entities some", { $0.entities = [entities[2], entities[0], entities[2]] }),
        (
            "entities moved",
            { $0.entities = [RichTextEntity(startIndex: 0, endIndex: 1, content: entities[0].content)] }
        ),
        ("attachments", { $0.attachments = attachments }), ("attachments none", { $0.attachments = [] }),
        ("attachments some", { $0.attachments = [attachments[1], attachments[1]] }),
        ("attachments other", { $0.attachments = [Samples.media(6)] }),
        (
            "the unchecked",
            {
                $0.senderDisplayName = "The Bank"
                $0.replyingToAttachmentID = "a"
                $0.avCallCard = .missed(AVCallMissed())
            }
        ),
    ]
}
