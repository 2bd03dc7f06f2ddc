import Testing
import XChatText

/// What a person types into a chat.
struct ChatInputTests {
    @Test(
        "a line is a text or a command",
        arguments: [
            ("hello", .text("hello")), ("  ", .nothing), ("", .nothing), (" /quit", .text(" /quit")),
            ("//quit", .text("/quit")), ("/quit", .quit), ("/help", .help),
            ("/attach a.txt", .attachment(path: "a.txt", text: "")),
            ("/attach  a.txt  see this", .attachment(path: "a.txt", text: "see this")),
            ("/attach \"a b.txt\" see", .attachment(path: "a b.txt", text: "see")),
            ("/react 👍", .reaction("👍", message: nil)), ("/react #12 👍", .reaction("👍", message: 12)),
            ("/edit 5 apples", .edit("5 apples", message: nil)), ("/edit #5 apples", .edit("apples", message: 5)),
            ("/delete", .deletion(message: nil)), ("/delete #7", .deletion(message: 7)),
        ] as [(String, ChatInput)]
    )
    func input(_ line: String, _ expected: ChatInput) {
        #expect(ChatInput(line) == expected)
    }

    @Test(
        "a malformed command is refused",
        arguments: [
            "/", "/nonsense", "/quit now", "/attach", "/attach \"a", "/attach \"\"", "/react", "/react #5",
            "/react #x 👍",
            "/react #-1 👍", "/react #9999999999 👍", "/edit", "/edit #5", "/edit # x", "/delete 7", "/delete #7 #8",
        ]
    )
    func wrongInput(_ line: String) {
        guard case .wrong = ChatInput(line) else {
            Issue.record("\(ChatInput(line))")
            return
        }
    }
}
