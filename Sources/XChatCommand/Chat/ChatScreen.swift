import XChat
import XChatFiles

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
        let columns = isTerminal ? max(20, (terminalColumns(Descriptor.standardOutput.number) ?? 80) - 1) : nil
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

/// Lines of a chat: the head at the left edge, everything else indented by four columns.
///
/// - Parameters:
///   - head: The first line.
///   - body: The lines below it.
///   - columns: The width of the terminal; nil if lines are not broken.
/// - Returns: The lines.
package func chatText(_ head: String, body: String?, columns: Int?) -> String {
    let indent = "    "
    var lines: [String] = []
    for (index, line) in head.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        var parts =
            columns.map { wrappedLine(String(line), columns: $0 - (index > 0 ? indent.count : 0)) } ?? [String(line)]
        if index == 0, let columns, parts.count > 1 {
            // The rest again, since it is indented.
            let first = parts[0]
            let rest = String(line.dropFirst(first.count).drop { $0 == " " })
            parts = [first] + wrappedLine(rest, columns: columns - indent.count)
        }
        lines += parts.enumerated().map { index == 0 && $0.offset == 0 ? $0.element : indent + $0.element }
    }
    for line in (body ?? "").split(separator: "\n", omittingEmptySubsequences: body == nil) {
        let parts = columns.map { wrappedLine(String(line), columns: $0 - indent.count) } ?? [String(line)]
        lines += parts.map { indent + $0 }
    }
    return lines.joined(separator: "\n")
}
