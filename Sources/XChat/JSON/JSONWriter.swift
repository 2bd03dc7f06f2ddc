import XChatEvents

extension JSONValue {
    /// The value as JSON on one line.
    ///
    /// All control characters are escaped. So are U+2028 and U+2029, because some readers treat them, like U+000B,
    /// U+000C and U+0085, as the end of a line. `/` and all other characters are written as they are.
    package var line: String {
        var writer = JSONWriter(indentation: nil)
        writer.write(self)
        return writer.text
    }

    /// The value as JSON on several lines with indentation, for people.
    package var indented: String {
        var writer = JSONWriter(indentation: 2)
        writer.write(self)
        return writer.text
    }
}

private struct JSONWriter {
    /// Spaces per level; `nil` keeps everything on one line.
    let indentation: Int?
    private(set) var text = ""
    private var depth = 0

    init(indentation: Int?) {
        self.indentation = indentation
    }

    mutating func write(_ value: JSONValue) {
        switch value {
        case .null: text += "null"
        case .bool(let bool): text += bool ? "true" : "false"
        case .number(let digits): text += digits
        case .string(let string): write(string)
        case .array(let elements):
            writeContainer("[", "]", elements) { writer, element in writer.write(element) }
        case .object(let object):
            writeContainer("{", "}", object.members) { writer, member in
                writer.write(member.key)
                writer.text += writer.indentation == nil ? ":" : ": "
                writer.write(member.value)
            }
        }
    }

    private mutating func writeContainer<Element>(
        _ start: String,
        _ end: String,
        _ elements: [Element],
        _ writeElement: (inout JSONWriter, Element) -> Void
    ) {
        text += start
        depth += 1
        for (place, element) in elements.enumerated() {
            if place > 0 {
                text += ","
            }
            breakLine()
            writeElement(&self, element)
        }
        depth -= 1
        if !elements.isEmpty {
            breakLine()
        }
        text += end
    }

    private mutating func breakLine() {
        if let indentation {
            text += "\n" + String(repeating: " ", count: depth * indentation)
        }
    }

    private mutating func write(_ string: WireString) {
        text += "\""
        for scalar in string.string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{00}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
                text += "\\u" + hexadecimal(scalar.value)
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }

    private func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
