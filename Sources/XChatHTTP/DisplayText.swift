extension String {
    /// Somebody else's text, fit for one line of a log or terminal: control, format (bidirectional) and line-breaking
    /// characters are escaped, and at most `limit` Unicode scalars of it are kept.
    package func display(limit: Int = 300) -> String {
        var result = String.UnicodeScalarView()
        for (count, scalar) in unicodeScalars.enumerated() {
            if count == limit {
                result.append("…")
                break
            }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
                result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
            default:
                result.append(scalar)
            }
        }
        return String(result)
    }
}
