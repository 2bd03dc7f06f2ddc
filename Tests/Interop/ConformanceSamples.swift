import XChat
import XChatEngine
import XChatEvents
import XChatText

/// Samples of all values that a message can contain.
enum Samples {
    static let contents: [RichTextContent] = [
        .hashtag(HashtagRichTextContent()), .cashtag(CashtagRichTextContent()), .mention(MentionRichTextContent()),
        .url(UrlRichTextContent()), .email(EmailRichTextContent()), .address(AddressRichTextContent()),
        .phoneNumber(PhoneNumberRichTextContent()),
    ]

    /// One entity of each kind, in a text of a number of bytes.
    static func entities(in length: Int32) -> [RichTextEntity] {
        contents.enumerated().map { index, content in
            RichTextEntity(startIndex: min(Int32(index), length), endIndex: length, content: content)
        }
    }

    static func media(_ type: Int32?, duration: Int64? = nil) -> MessageAttachment {
        .media(
            MediaAttachment(
                mediaHashKey: "hash",
                dimensions: MediaDimensions(width: 640, height: 480),
                type: type.map { MediaType(rawValue: $0) },
                durationMillis: duration,
                filesizeBytes: 123_456,
                filename: "é.png"
            )
        )
    }

    private static let image = UrlAttachmentImage(
        mediaHashKey: "image",
        filesizeBytes: 9,
        filename: "i.png",
        dimensions: MediaDimensions(width: 1, height: nil)
    )

    /// Attachments that a message can have alone.
    ///
    /// The kind jetfuel is left out, because X's SDK reads it as the kind money.
    static func attachments() -> [MessageAttachment] {
        (1...7).map { media($0, duration: $0 == 3 ? 1500 : nil) } + [
            media(nil),
            .url(UrlAttachment(url: "https://x.example")),
            .url(
                UrlAttachment(
                    url: "https://x.example/\u{202e}",
                    bannerImageMediaHashKey: image,
                    faviconImageMediaHashKey: UrlAttachmentImage(
                        mediaHashKey: "icon",
                        filesizeBytes: 1,
                        filename: "f.ico"
                    ),
                    displayTitle: "A title"
                )
            ),
            .post(PostAttachment()),
            .post(PostAttachment(restID: "1", postURL: "https://x.example/1", attachmentID: "a")),
            .unifiedCard(UnifiedCardAttachment(url: "u", attachmentID: "a")), .unifiedCard(UnifiedCardAttachment()),
            .money(MoneyAttachment(fallbackText: "10", payload: [1, 2, 3, 4])), .money(MoneyAttachment()),
        ]
    }

    private static let quickReplies: [QuickReply] = [
        .request(.options(QuickReplyOptionsRequest())),
        .request(
            .options(
                QuickReplyOptionsRequest(
                    id: "q",
                    options: [
                        QuickReplyOption(id: "1", label: "Yes", metadata: "m", description: "d"), QuickReplyOption(),
                    ]
                )
            )
        ),
        .response(.options(QuickReplyOptionsResponse(requestID: "q", metadata: "m", selectedOptionID: "1"))),
        .response(.options(QuickReplyOptionsResponse())),
    ]

    private static let forwarded: [ForwardedMessage] = [
        ForwardedMessage(), ForwardedMessage(messageText: "passed on", entities: entities(in: 9)),
    ]

    private static let ctas: [[CallToAction]] = [
        [], [CallToAction(label: "Open", url: "https://x.example"), CallToAction()],
    ]

    /// Drafts with one member each, for each of its values.
    static func drafts() -> [MessageDraft] {
        var drafts = [MessageDraft(""), MessageDraft("hi", shouldNotify: false, ttlMsec: 0)]
        drafts.append(MessageDraft("", entities: [], attachments: [], ttlMsec: .max))
        drafts.append(MessageDraft("1234567", entities: entities(in: 7)))
        drafts += attachments().map { MessageDraft("one", attachments: [$0]) }
        drafts.append(MessageDraft("ten", attachments: (0..<10).map { media($0 % 3 + 1) }))
        func with(_ change: (inout MessageDraft) -> Void) {
            var draft = MessageDraft("text")
            change(&draft)
            drafts.append(draft)
        }
        for quickReply in quickReplies { with { $0.quickReply = quickReply } }
        for message in forwarded { with { $0.forwardedMessage = message } }
        for actions in ctas { with { $0.ctas = actions } }
        for surface in [-1, 0, 1, 2, 3, 4, 5, 6] as [Int32] {
            with { $0.sentFrom = SentFromSurface(rawValue: surface) }
        }
        return drafts
    }

    /// A draft with a random combination of members.
    static func random(using numbers: inout SplitMix64) -> MessageDraft {
        func isDrawn() -> Bool { Bool.random(using: &numbers) }
        let text =
            ["", "hello", "e\u{301} é", "a,b", "👩‍👩‍👧‍👦", "line\u{2028}\nbreak\0"].randomElement(using: &numbers) ?? ""
        var draft = MessageDraft(text)
        if isDrawn() { draft.entities = entities(in: Int32(text.utf8.count)).shuffled(using: &numbers) }
        if isDrawn() { draft.attachments = attachments().randomElement(using: &numbers).map { [$0] } }
        if isDrawn() { draft.quickReply = quickReplies.randomElement(using: &numbers) }
        if isDrawn() { draft.forwardedMessage = forwarded.randomElement(using: &numbers) }
        if isDrawn() { draft.ctas = ctas.randomElement(using: &numbers) }
        if isDrawn() { draft.sentFrom = SentFromSurface(rawValue: Int32.random(in: 1...5, using: &numbers)) }
        if isDrawn() { draft.ttlMsec = Int64.random(in: 0 ... .max, using: &numbers) }
        draft.shouldNotify = isDrawn()
        return draft
    }

    // MARK: Actions, and the SDK's JSON for each

    static let actions: [(ConversationAction, JSONObject)] = [
        (
            .deleteMessages(["5", "6"], forAll: true),
            ["type": "MessageDeleted", "message_ids": ["5", "6"], "delete_for_all": true]
        ),
        (
            .deleteMessages(["7"], forAll: false),
            ["type": "MessageDeleted", "message_ids": ["7"], "delete_for_all": false]
        ),
        (
            .deleteConversation(clearAllMessages: true, sortOrderMsec: 5),
            ["type": "ConversationDeleted", "clear_all_messages": true]
        ),
        (
            .deleteConversation(clearAllMessages: nil, sortOrderMsec: nil),
            ["type": "ConversationDeleted", "clear_all_messages": false]
        ),
        (.deleteConversation(clearAllMessages: nil, sortOrderMsec: -5), ["type": "ConversationDeleted"]),
        (.markRead(until: "9", atMillis: 17), ["type": "ReadReceipt", "seen_until_id": "9", "seen_at_msec": 17]),
        (.markRead(until: "9", atMillis: nil), ["type": "ReadReceipt", "seen_until_id": "9", "seen_at_msec": nil]),
        (.markUnread(until: "9"), ["type": "MarkedUnread", "seen_until_id": "9"]),
        (.markUnread(until: nil), ["type": "MarkedUnread", "seen_until_id": nil]),
        (
            .setMessageDuration(ttlMsec: 60_000, applyToAllMessages: true),
            settings(["setting": "MessageDuration", "ttl_msec": 60_000, "apply_to_all": true])
        ),
        (
            .setMessageDuration(ttlMsec: 0, applyToAllMessages: nil),
            settings(["setting": "MessageDuration", "ttl_msec": 0, "apply_to_all": false])
        ),
        (.removeMessageDuration(currentTTLMsec: 60_000), settings(["setting": "MessageDurationRemoved"])),
        (.removeMessageDuration(currentTTLMsec: nil), settings(["setting": "MessageDurationRemoved"])),
        (.mute(["g9", "1111:2222"].map { ConversationID(canonicalizing: $0) }), settings(["setting": "Muted"])),
        (.unmute([ConversationID(canonicalizing: "g9")]), settings(["setting": "Unmuted"])),
        (.setScreenCaptureDetection(true), settings(["setting": "ScreenCaptureDetectionEnabled"])),
        (.setScreenCaptureDetection(false), settings(["setting": "ScreenCaptureDetectionDisabled"])),
        (.setScreenCaptureBlocking(true), settings(["setting": "ScreenCaptureBlockingEnabled"])),
        (.setScreenCaptureBlocking(false), settings(["setting": "ScreenCaptureBlockingDisabled"])),
    ]

    static let groupActions: [(ConversationAction, JSONObject)] = [
        (.removeMembers(["3333"]), group(["change_type": "MembersRemoved", "member_ids": ["3333"]])),
        (.addAdmins(["2222", "3333"]), group(["change_type": "AdminsAdded", "admin_ids": ["2222", "3333"]])),
        (.removeAdmins(["2222"]), group(["change_type": "AdminsRemoved", "admin_ids": ["2222"]])),
        (.setTitle("T", keyVersion: "1002"), group(["change_type": "TitleChanged", "new_title": "T"])),
        (.setAvatar(url: "u", keyVersion: "1002"), group(["change_type": "AvatarChanged", "new_avatar_url": "u"])),
        (
            .enableInvite(url: "u", expiresAtMsec: 5, affiliateID: "1"),
            group(["change_type": "InviteEnabled", "invite_url": "u", "expires_at_msec": 5])
        ),
        (
            .enableInvite(url: "u", expiresAtMsec: nil, affiliateID: nil),
            group(["change_type": "InviteEnabled", "invite_url": "u", "expires_at_msec": nil])
        ),
        (.disableInvite(by: "1111"), group(["change_type": "InviteDisabled", "disabled_by": "1111"])),
        (.requestToJoin, group(["change_type": "JoinRequested", "user_id": "1111"])),
        (.rejectJoin(["7", "8"]), group(["change_type": "JoinRejected", "user_ids": ["7", "8"]])),
    ]

    private static func settings(_ change: JSONValue) -> JSONObject { ["type": "SettingsChange", "change": change] }
    private static func group(_ change: JSONValue) -> JSONObject { ["type": "GroupChange", "change": change] }
}
