import TestSupport
import Testing
import XChat
import XChatEngine
import XChatEvents
import XChatText

struct DraftTests {
    private func draft(_ text: String) throws -> Draft {
        try Draft(parsing: Array(text.utf8), document: "draft")
    }

    @Test func `a draft with all members is read`() throws {
        let draft = try draft(
            """
            {"kind":"message","text":"hi","entities":[[0,2,"mention"],[1,2,"phone_number"]],
             "should_notify":false,"ttl_msec":60000}
            """
        )
        let entities = [
            RichTextEntity(startIndex: 0, endIndex: 2, content: .mention(.init())),
            RichTextEntity(startIndex: 1, endIndex: 2, content: .phoneNumber(.init())),
        ]
        let expected = MessageDraft("hi", entities: entities, shouldNotify: false, ttlMsec: 60000)
        #expect(draft == .message(expected))
    }

    @Test func `kind and text are enough`() throws {
        let draft = try draft(#"{"kind":"message","text":"","entities":null,"should_notify":null,"ttl_msec":null}"#)
        #expect(draft == .text(""))
        #expect(try self.draft(#"{"kind":"message","text":""}"#) == draft)
    }

    @Test func `reactions and edits name a sequence id, or take that of an event`() throws {
        let event = Base64.encode(MessageEvent(sequenceID: "77").encoded())
        #expect(
            try draft(#"{"kind":"add_reaction","emoji":"👍","target_event":"\#(event)"}"#)
                == .addReaction(ReactionDraft("👍", to: "77"))
        )
        // A named value takes precedence, and the event is then not parsed.
        #expect(
            try draft(#"{"kind":"remove_reaction","emoji":"","target_event":"!","target_message_sequence_id":"5"}"#)
                == .removeReaction(ReactionDraft("", to: "5"))
        )
        let entities = [RichTextEntity(startIndex: 0, endIndex: 1, content: .url(.init()))]
        #expect(
            try draft(#"{"kind":"edit","updated_text":"x","entities":[[0,1,"url"]],"target_message_sequence_id":"5"}"#)
                == .edit(EditDraft(of: "5", text: "x", entities: entities))
        )
    }

    @Test func `attachments and quick replies are those of X's SDK`() throws {
        let draft = try draft(
            """
            {"kind":"message","text":"","attachments":[
             {"attachment_type":"media","media_hash_key":"h","width":2,"height":1,"filesize_bytes":7,"filename":"f"}],
             "quick_reply":{"request":{"options":{"id":"q","options":[{"id":"1","label":"Yes"}]}}}}
            """
        )
        var expected = MessageDraft("")
        expected.attachments = [
            .media(
                MediaAttachment(
                    mediaHashKey: "h",
                    dimensions: MediaDimensions(width: 2, height: 1),
                    type: .image,
                    filesizeBytes: 7,
                    filename: "f"
                )
            )
        ]
        let option = QuickReplyOption(id: "1", label: "Yes")
        expected.quickReply = .request(.options(QuickReplyOptionsRequest(id: "q", options: [option])))
        #expect(draft == .message(expected))

        let card = try self.draft(
            """
            {"kind":"message","text":"","attachments":[{"attachment_type":"url","url":"u","display_title":"t",
             "favicon_image":{"media_hash_key":"h","filesize_bytes":1,"filename":"f","width":3}}]}
            """
        )
        let icon = UrlAttachmentImage(
            mediaHashKey: "h",
            filesizeBytes: 1,
            filename: "f",
            dimensions: MediaDimensions(width: 3)
        )
        expected = MessageDraft("")
        expected.attachments = [.url(UrlAttachment(url: "u", faviconImageMediaHashKey: icon, displayTitle: "t"))]
        #expect(card == .message(expected))
    }

    @Test func `a reply is made from an event, or from a description of one`() throws {
        let event = Base64.encode(MessageEvent(sequenceID: "77").encoded())
        let fromEvent = try draft(
            #"{"kind":"reply","text":"re","reply_to_event":"\#(event)","reply_to_ckces":["","\#(event)"],"reply_to_text":""}"#
        )
        let encoded = Encoded<MessageEvent>(bytes: try Base64.decode(event))
        var source = ReplySource(encoded)
        source.keyChanges = [encoded]
        source.overrides.text = ""
        #expect(fromEvent == .message(MessageDraft("re", reply: .event(source))))

        let claimed = try draft(
            #"{"kind":"reply","text":"re","reply_to_event":"","reply_to_sequence_id":"5","reply_to_sender_id":"1111"}"#
        )
        var claims = ReplyClaims()
        claims.sequenceID = "5"
        claims.senderID = 1111
        #expect(claimed == .message(MessageDraft("re", reply: .claimed(claims))))
    }

    @Test(
        "an unknown kind and a member that is unknown, missing or of the wrong type are named",
        arguments: [
            (#"{"text":"x"}"#, #"draft: the member "kind" is missing"#),
            (#"{"kind":"poll","text":"x"}"#, "draft: kind: is not one of the kinds"),
            (#"{"kind":7,"text":"x"}"#, "draft: kind: expected a string"),
            (#"{"kind":"message"}"#, #"draft: the member "text" is missing"#),
            (#"{"kind":"message","text":7}"#, "draft: text: expected a string"),
            (#"{"kind":"message","text":"x","Text":"x"}"#, #"draft: ["Text"]: there is no such member"#),
            (#"{"kind":"message","text":"x","reply":1}"#, "draft: reply: there is no such member"),
            (#"{"kind":"message","text":"x","should_notify":1}"#, "draft: should_notify: expected true or false"),
            (#"{"kind":"message","text":"x","ttl_msec":"1"}"#, "draft: ttl_msec: expected a number"),
            (#"{"kind":"message","text":"x","ttl_msec":1.5}"#, "draft: ttl_msec: expected a whole number"),
            (#"{"kind":"message","text":"x","ttl_msec":-1}"#, "draft: ttl_msec: is negative"),
            (#"{"kind":"message","text":"x","entities":{}}"#, "draft: entities: expected an array"),
            (#"{"kind":"message","text":"x","entities":[[0,1]]}"#, "draft: entities[0]: expected [start, end, type]"),
            (#"{"kind":"message","text":"x","entities":[["0",1,"url"]]}"#, "draft: entities[0][0]: expected a number"),
            (
                #"{"kind":"message","text":"x","entities":[[0,2147483648,"url"]]}"#,
                "draft: entities[0][1]: expected a whole"
            ),
            (
                #"{"kind":"message","text":"x","entities":[[0,1,"link"]]}"#,
                "draft: entities[0][2]: is not one of the types"
            ),
            (
                #"{"kind":"message","text":"x","attachments":[{}]}"#,
                #"draft: attachments[0]: the member "attachment_type""#
            ),
            (
                #"{"kind":"message","text":"x","attachments":[{"attachment_type":"poll"}]}"#,
                "draft: attachments[0].attachment_type: is not one of the types"
            ),
            (
                #"{"kind":"message","text":"x","attachments":[{"attachment_type":"url"}]}"#,
                #"draft: attachments[0]: the member "url" is missing"#
            ),
            (#"{"kind":"message","text":"x","quick_reply":{}}"#, "draft: quick_reply: expected exactly one"),
            (#"{"kind":"reply","text":"x","reply_to_event":"!"}"#, "draft: reply_to_event: "),
            (#"{"kind":"reply","text":"x","reply_to_ckces":[7]}"#, "draft: reply_to_ckces[0]: expected a string"),
            (
                #"{"kind":"reply","text":"x","reply_to_sender_id":"x"}"#,
                "draft: reply_to_sender_id: expected the digits"
            ),
            (#"{"kind":"add_reaction","emoji":"x"}"#, #"draft: the member "target_event" or"#),
            (
                #"{"kind":"add_reaction","emoji":"x","target_event":"AA=="}"#,
                "draft: target_event: the event carries no"
            ),
            (#"{"kind":"remove_reaction","target_message_sequence_id":"1"}"#, #"draft: the member "emoji" is missing"#),
            (#"{"kind":"edit","target_message_sequence_id":"1"}"#, #"draft: the member "updated_text" is missing"#),
            (#"{"kind":"edit","text":"x"}"#, "draft: text: there is no such member"),
            (#"{"kind":"message","text":"x"} {}"#, "draft: line 1, column 31: more text after the value"),
        ]
    )
    func refused(_ text: String, _ expected: String) {
        let error = #expect(throws: AccountError.self) { try draft(text) }
        #expect(error?.description.hasPrefix(expected) == true, "\(error?.description ?? "")")
    }
}
