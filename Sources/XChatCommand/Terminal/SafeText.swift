/// Text of somebody else, made safe to show: no character in it can move the cursor, recolour, hide or reorder text.
///
/// Control characters, line separators and invisible format characters (those that change the direction of text among
/// them) become `\u{…}`.
package func visible(_ text: String, keepingNewlines: Bool = false) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        if scalar == "\n" && keepingNewlines {
            result += "\n"
        } else if isDeceptive(scalar) {
            result += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
        } else {
            result.unicodeScalars.append(scalar)
        }
    }
    return result
}

/// A name for an error text: visible, in quotation marks, and not longer than a line.
package func quoted(_ name: String) -> String {
    let shown = name.unicodeScalars.count > 200 ? String(name.unicodeScalars.prefix(200)) + "…" : name
    return "\"\(visible(shown))\""
}

private func isDeceptive(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    // The two joiners only shape the letters and emoji around them.
    case .format: scalar != "\u{200C}" && scalar != "\u{200D}"
    default: false
    }
}
