// Text from other people reaches a terminal, a log or an error only through these functions. No character of it can
// move the cursor, change colors, hide text, change the order of text, or push what follows to the next line. Each
// function is one form of ``SafeText``.

/// Text with its deceptive characters escaped as `\u{…}`.
///
/// - Parameters:
///   - text: Text of any origin.
///   - keepingNewlines: Whether line breaks, and the runs of spaces that align columns, stay as they are. For our own
///     texts of several lines that contain a value from elsewhere.
/// - Returns: The text, on one line unless newlines are kept.
package func visible(_ text: String, keepingNewlines: Bool = false) -> String {
    let options: SafeText.Options = keepingNewlines ? .newlines : .collapsingSpaces
    return SafeText(text, options).shown
}

/// The text of a message: every line after the first is indented, and no text looks like a description of ours.
///
/// Our descriptions and marks start with a parenthesis or a bracket, so a text that starts with one gets a backslash.
package func messageText(_ text: WireString?) -> String {
    let text = text?.string ?? ""
    let shown = SafeText(text, [.newlines, .collapsingSpaces]).shown.replacing("\n", with: "\n    ")
    let first = text.unicodeScalars.first { $0 != " " }
    return first == "(" || first == "[" ? "\\" + shown : shown
}

/// A user id, a sequence id, a version or the like: digits as they are, anything else quoted and shortened.
///
/// - Parameter field: The value, which other people choose.
/// - Returns: 1 to 19 digits, or at most 48 bytes in quotation marks, which end in "…" where more was left out; "-" for
///   an absent value.
package func safeField(_ field: (some WireText)?) -> String {
    guard let text = field?.text else { return "-" }
    return text.isShortNumber ? text.string : quotedField(text.string)
}

/// A list of ids, each as a safe field; the first 20 and the number of the rest.
package func safeFields(_ fields: [some WireText]?) -> String {
    let fields = fields ?? []
    let shown = fields.prefix(20).map { safeField($0) }.joined(separator: ", ")
    return fields.count > 20 ? "\(shown) and \(fields.count - 20) more" : shown
}

/// A sequence id with its `#`, as a safe field.
package func safeNumber(_ sequenceID: SequenceID?) -> String {
    sequenceID.map { "#" + safeField($0) } ?? "-"
}

/// A value that other people choose, in quotation marks and shortened to 48 bytes.
package func quotedField(_ text: String) -> String {
    SafeText.quoted(text, .collapsingSpaces, limit: 48)
}

/// A value that other people choose, in quotation marks and complete.
package func quotedInFull(_ text: String) -> String {
    SafeText.quoted(text, .collapsingSpaces)
}

/// A name for an error text: in quotation marks, and at most 240 bytes of it.
package func quoted(_ name: String) -> String {
    SafeText.quoted(name, .collapsingSpaces, limit: 240)
}

/// An id or a version for an error text: in quotation marks, at most 48 bytes, and ASCII only.
///
/// - Parameters:
///   - id: The value, which other people choose.
///   - mark: The quotation mark, ASCII.
/// - Returns: The value; it ends in "…" where more was left out.
package func printable(_ id: some WireText, quotedBy mark: Unicode.Scalar = "'") -> String {
    SafeText.quoted(id.text.string, .ascii, by: mark, limit: 48)
}

/// A sentence that may contain values of other people, on one line of at most 400 bytes.
package func safeSentence(_ text: String) -> String {
    SafeText(text, .collapsingSpaces, limit: 400).shown
}

extension String {
    /// The text for one line of a log or an error.
    ///
    /// - Parameter limit: The most bytes to keep.
    /// - Returns: The text; it ends in "…" where more was left out.
    package func display(limit: Int = 300) -> String {
        SafeText(self, .collapsingSpaces, limit: limit).shown
    }
}
