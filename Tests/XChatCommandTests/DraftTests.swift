import Testing
import XChat
import XChatCommand
import XChatEvents

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

    @Test(
        "an unknown kind and a member that is unknown, missing or of the wrong type are named",
        arguments: [
            (#"{"text":"x"}"#, #"draft: the member "kind" is missing"#),
            (#"{"kind":"poll","text":"x"}"#, #"draft: kind: is not "message""#),
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
                "draft: entities[0][2]: is none of the types"
            ),
            (#"{"kind":"message","text":"x"} {}"#, "draft: line 1, column 31: more text after the value"),
        ]
    )
    func refused(_ text: String, _ expected: String) {
        let error = #expect(throws: CommandError.self) { try draft(text) }
        #expect(error?.description.hasPrefix(expected) == true, "\(error?.description ?? "")")
    }
}
