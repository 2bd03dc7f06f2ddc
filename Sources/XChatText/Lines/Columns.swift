extension String {
    /// The text with spaces after it up to a width, at least one.
    package func padded(to width: Int) -> String { self + spaces(to: width) }

    /// The text with spaces before it up to a width, at least one.
    package func leftPadded(to width: Int) -> String { spaces(to: width) + self }

    private func spaces(to width: Int) -> String { String(repeating: " ", count: max(1, width - count)) }
}
