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
            // The rest is wrapped again, because it is indented and has fewer columns.
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

/// Breaks a line so that no part is wider than a terminal: between words where that is possible.
///
/// - Parameters:
///   - line: A line that is safe to print.
///   - columns: The most columns of a part, at least 2.
/// - Returns: The parts, at least one. Spaces at which a line is broken are left out.
package func wrappedLine(_ line: String, columns: Int) -> [String] {
    let columns = max(2, columns)
    var parts: [String] = []
    var part = ""
    var width = 0
    func endPart() {
        parts.append(part)
        (part, width) = ("", 0)
    }
    for word in words(line) {
        let wordWidth = displayWidth(word)
        if width + wordWidth <= columns {
            part += word
            width += wordWidth
            continue
        }
        if word.utf8.first == 0x20 {
            if !part.isEmpty { endPart() }
            continue
        }
        if !part.isEmpty {
            while part.utf8.last == 0x20 { part.removeLast() }
            endPart()
        }
        guard wordWidth > columns else {
            (part, width) = (word, wordWidth)
            continue
        }
        for piece in pieces(word, columns: columns) {
            let pieceWidth = displayWidth(piece)
            if width + pieceWidth > columns, !part.isEmpty { endPart() }
            part += piece
            width += pieceWidth
        }
    }
    if !part.isEmpty || parts.isEmpty { endPart() }
    return parts
}

/// The words of a line and the runs of spaces between them.
private func words(_ line: String) -> [String] {
    var words: [String] = []
    var word = ""
    for character in line {
        if let last = word.utf8.last, (last == 0x20) != (character == " ") {
            words.append(word)
            word = ""
        }
        word.append(character)
    }
    return word.isEmpty ? words : words + [word]
}

/// The characters of a word; the scalars of a character that is wider than the terminal, such as a chain of emoji.
private func pieces(_ word: String, columns: Int) -> [String] {
    word.flatMap { character -> [String] in
        let text = String(character)
        return displayWidth(text) <= columns ? [text] : text.unicodeScalars.map { String($0) }
    }
}

/// The most columns that a terminal uses for a text.
///
/// Joined emoji count as if they were not joined, because some terminals show them like that. If the width of a line
/// were underestimated, the terminal would break the line, and its second part would begin at the left edge, like the
/// lines of this program.
package func displayWidth(_ text: String) -> Int {
    text.unicodeScalars.reduce(0) { $0 + $1.columns }
}

extension Unicode.Scalar {
    fileprivate var columns: Int {
        if 0x20...0x7E ~= value { return 1 }
        // This variation selector turns a narrow sign into an emoji.
        if self == "\u{FE0F}" { return 1 }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        if properties.isEmoji, value > 0xFF { return 2 }
        switch value {
        // Unicode's East Asian width: wide and fullwidth.
        case 0x1100...0x115F, 0x2329...0x232A, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3,
            0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6B, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x1B2FB,
            0x1F000...0x1FAFF, 0x20000...0x3FFFF:
            return 2
        default: return 1
        }
    }
}
