// Text from other people reaches a terminal, a log or an error only through these functions. In their results, no
// character can move the cursor, change colors, hide text, change the order of text, or push the text after it to the
// next line. Each function calls ``SafeText`` with its own options.

/// The text with deceptive characters escaped as `\u{…}`.
///
/// - Parameters:
///   - text: Text of any origin.
///   - keepingNewlines: Whether to keep line breaks, and the runs of spaces that align columns. Use it for this
///     program's own texts of several lines that contain untrusted values.
/// - Returns: The text, on one line unless newlines are kept.
package func visible(_ text: String, keepingNewlines: Bool = false) -> String {
    let options: SafeText.Options = keepingNewlines ? .newlines : .collapsingSpaces
    return SafeText(text, options).shown
}

/// The text of a message.
///
/// Lines after the first are indented, and no text can pass for a note of this program.
///
/// Notes start with a parenthesis or a bracket, so a text that starts with one gets a backslash before it.
package func messageText(_ text: WireString?) -> String {
    let text = text?.string ?? ""
    let shown = SafeText(text, [.newlines, .collapsingSpaces]).shown.replacing("\n", with: "\n    ")
    let first = text.unicodeScalars.first { $0 != " " }
    return first == "(" || first == "[" ? "\\" + shown : shown
}

/// A user id, a sequence id, a version or the like: digits unchanged, any other text quoted and shortened.
///
/// - Parameter field: The value, which is untrusted.
/// - Returns: 1 to 19 digits, or at most 48 bytes in quotation marks, which end in "…" if they were shortened; "-" for
///   an absent value.
package func safeField(_ field: (some WireText)?) -> String {
    guard let text = field?.text else { return "-" }
    return text.isShortNumber ? text.string : quotedField(text.string)
}

/// A list of ids, each like ``safeField(_:)``: the first 20 and the number of the others.
package func safeFields(_ fields: [some WireText]?) -> String {
    let fields = fields ?? []
    let shown = fields.prefix(20).map { safeField($0) }.joined(separator: ", ")
    return fields.count > 20 ? "\(shown) and \(fields.count - 20) more" : shown
}

/// A sequence id after `#`, like ``safeField(_:)``; "-" for an absent one.
package func safeNumber(_ sequenceID: SequenceID?) -> String {
    sequenceID.map { "#" + safeField($0) } ?? "-"
}

/// An untrusted value in quotation marks, shortened to 48 bytes.
package func quotedField(_ text: String) -> String {
    SafeText.quoted(text, .collapsingSpaces, limit: 48)
}

/// An untrusted value in quotation marks, not shortened.
package func quotedInFull(_ text: String) -> String {
    SafeText.quoted(text, .collapsingSpaces)
}

/// A name for an error text: in quotation marks, shortened to 240 bytes.
package func quoted(_ name: String) -> String {
    SafeText.quoted(name, .collapsingSpaces, limit: 240)
}

/// An id or a version for an error text: in quotation marks, shortened to 48 bytes, and in ASCII only.
///
/// - Parameters:
///   - id: The value, which is untrusted.
///   - mark: The quotation mark, ASCII.
/// - Returns: The value; it ends in "…" if it was shortened.
package func printable(_ id: some WireText, quotedBy mark: Unicode.Scalar = "'") -> String {
    SafeText.quoted(id.text.string, .ascii, by: mark, limit: 48)
}

/// A sentence that may contain untrusted values, on one line and shortened to 400 bytes.
package func safeSentence(_ text: String) -> String {
    SafeText(text, .collapsingSpaces, limit: 400).shown
}

extension String {
    /// The text on one line, for a log or an error.
    ///
    /// - Parameter limit: The most bytes to keep.
    /// - Returns: The text; it ends in "…" if it was shortened.
    package func display(limit: Int = 300) -> String {
        SafeText(self, .collapsingSpaces, limit: limit).shown
    }
}
