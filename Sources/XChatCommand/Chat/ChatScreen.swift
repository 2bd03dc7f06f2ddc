import XChat
import XChatFiles
import XChatText

/// Prints the lines of a chat, above the line that a person is typing.
///
/// The terminal keeps the text that was typed and not sent, even if it is not visible: Ctrl-R shows it again.
struct ChatScreen {
    private let isTerminal = Descriptor.standardOutput.isTerminal
    /// Whether the terminal shows what is typed.
    let echoes = Descriptor.standardInput.isTerminal
    private let isDumb = (try? Environment.text("TERM")) == "dumb"

    private var hasPrompt: Bool { isTerminal && echoes }

    /// Prints text that is safe to print; lines that are too long for the terminal are broken, and go on indented.
    ///
    /// - Parameters:
    ///   - head: The first line, which starts at the left edge.
    ///   - body: The lines below it, which are indented.
    /// - Throws: If standard output cannot be written.
    func show(_ head: String, body: String? = nil) throws {
        let columns = isTerminal ? max(20, (Descriptor.standardOutput.columns ?? 80) - 1) : nil
        let text = chatText(head, body: body, columns: columns)
        guard hasPrompt else { return try Output.result(text) }
        try Output.result(Array("\(isDumb ? "\n" : "\r\u{1B}[K")\(text)\n> ".utf8))
    }

    /// Reports a notice of the library: between the messages on a terminal, otherwise on standard error.
    @Sendable static func notice(_ notice: Notice) {
        let screen = ChatScreen()
        if screen.hasPrompt { try? screen.show("-- \(Output.text(of: notice))") } else { Output.notice(notice) }
    }

    /// Shows the prompt.
    func prompt() throws {
        if hasPrompt { try Output.result(Array((isDumb ? "> " : "\r\u{1B}[K> ").utf8)) }
    }

    /// Leaves the line of the prompt.
    func end() throws {
        if hasPrompt { try Output.result(Array((isDumb ? "\n" : "\r\u{1B}[K").utf8)) }
    }
}
