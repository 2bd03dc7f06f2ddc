/// One line that a person typed into a chat.
package enum ChatInput: Hashable, Sendable {
    /// An empty line.
    case nothing
    /// A text to send.
    case text(String)
    /// A file to send, with a text.
    case attachment(path: String, text: String)
    /// An emoji for a message; nil for the newest message.
    case reaction(String, message: Int?)
    /// A new text for one of your messages; nil for your newest message.
    case edit(String, message: Int?)
    /// The deletion of one of your messages; nil for your newest message.
    case deletion(message: Int?)
    case help
    case quit
    /// A line that cannot be carried out; the text says why, and what is right.
    case wrong(String)

    /// Reads a line: one that starts with `/` is a command, and `//` starts a text with `/`.
    ///
    /// - Parameter line: The line, without its newline.
    package init(_ line: String) {
        guard line.utf8.first == UInt8(ascii: "/") else {
            self = line.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 } ? .nothing : .text(line)
            return
        }
        guard !line.utf8.dropFirst().starts(with: "/".utf8) else {
            self = .text(String(Substring(line.utf8.dropFirst())))
            return
        }
        let (name, rest) = firstWord(line)
        switch name {
        case "/attach": self = Self.attachment(rest)
        case "/react": self = Self.reaction(rest)
        case "/edit": self = Self.edit(rest)
        case "/delete": self = Self.deletion(rest)
        case "/help" where rest.isEmpty: self = .help
        case "/quit" where rest.isEmpty: self = .quit
        default: self = .wrong("there is no such command; /help lists them, and // starts a text with a slash")
        }
    }

    private static func attachment(_ rest: String) -> ChatInput {
        var path: String
        var text: String
        if let mark = rest.utf8.first, mark == UInt8(ascii: "\"") || mark == UInt8(ascii: "'") {
            let parts = rest.utf8.dropFirst().split(
                separator: mark,
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            guard parts.count == 2 else { return .wrong("the quoted path has no closing quotation mark") }
            path = String(decoding: parts[0], as: UTF8.self)
            text = firstWord("/ " + String(decoding: parts[1], as: UTF8.self)).rest
        } else {
            (path, text) = firstWord(rest)
        }
        guard !path.utf8.isEmpty else { return .wrong("name a file: /attach PATH [TEXT]; quote a path with spaces") }
        return .attachment(path: path, text: text)
    }

    private static func reaction(_ rest: String) -> ChatInput {
        switch numbered(rest) {
        case .failure(let wrong): .wrong(wrong.text)
        case .success((_, "")): .wrong("name an emoji: /react [#NUMBER] EMOJI")
        case .success((let number, let emoji)): .reaction(emoji, message: number)
        }
    }

    private static func edit(_ rest: String) -> ChatInput {
        switch numbered(rest) {
        case .failure(let wrong): .wrong(wrong.text)
        case .success((_, "")): .wrong("give the new text: /edit [#NUMBER] TEXT")
        case .success((let number, let text)): .edit(text, message: number)
        }
    }

    private static func deletion(_ rest: String) -> ChatInput {
        switch numbered(rest) {
        case .failure(let wrong): .wrong(wrong.text)
        case .success((let number, "")): .deletion(message: number)
        case .success: .wrong("name one message: /delete [#NUMBER]")
        }
    }

    private struct WrongNumber: Error { let text: String }

    /// The number of a message that comes first, as in `#5`, and the rest.
    private static func numbered(_ rest: String) -> Result<(Int?, String), WrongNumber> {
        guard rest.utf8.first == UInt8(ascii: "#") else { return .success((nil, rest)) }
        let (word, text) = firstWord(rest)
        let digits = word.utf8.dropFirst()
        guard (1...9).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(String(decoding: Array(digits), as: UTF8.self))
        else { return .failure(WrongNumber(text: "a message is named by its number, as in #5")) }
        return .success((number, text))
    }
}

/// The first word of a text, and what follows the spaces after it.
private func firstWord(_ text: String) -> (word: String, rest: String) {
    let bytes = text.utf8
    let end = bytes.firstIndex(of: 0x20) ?? bytes.endIndex
    return (String(text[..<end]), String(Substring(bytes[end...].drop { $0 == 0x20 })))
}
