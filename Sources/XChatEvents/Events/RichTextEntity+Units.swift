/// The unit in which the offsets of an entity count.
///
/// X's SDK calls the offsets byte offsets and passes them on unchanged; some clients have been observed to count
/// Unicode scalars. The three units agree only for ASCII text, and an event does not name the unit that it uses.
public enum TextUnit: Hashable, Sendable, CaseIterable {
    /// Bytes of UTF-8.
    case bytes
    /// Unicode scalars.
    case unicodeScalars
    /// Code units of UTF-16.
    case utf16
}

extension RichTextEntity {
    /// Makes an entity that covers a range of a text; nil if an offset does not fit into 32 bits.
    ///
    /// - Parameters:
    ///   - range: The range to cover.
    ///   - text: The text to which the range belongs.
    ///   - unit: The unit of the offsets.
    ///   - content: The kind of entity, such as a link; nil leaves the field out.
    public init?(_ range: Range<String.Index>, of text: String, in unit: TextUnit, content: RichTextContent?) {
        let start = unit.distance(in: text, to: range.lowerBound)
        guard let first = Int32(exactly: start),
            let last = Int32(exactly: unit.distance(in: text, to: range.upperBound))
        else { return nil }
        self.init(startIndex: first, endIndex: last, content: content)
    }

    /// The range of a text that this entity covers, clamped to the text.
    ///
    /// - Parameters:
    ///   - text: The text of the message.
    ///   - unit: The unit in which to read the offsets.
    /// - Returns: The range; a bound inside a Unicode scalar is moved back to the start of the scalar. Nil if an
    ///   offset is absent or negative, or if the start is after the end.
    public func range(in text: String, counting unit: TextUnit) -> Range<String.Index>? {
        guard let startIndex, let endIndex, 0 <= startIndex, startIndex <= endIndex else { return nil }
        return unit.index(in: text, at: Int(startIndex))..<unit.index(in: text, at: Int(endIndex))
    }
}

extension TextUnit {
    fileprivate func distance(in text: String, to index: String.Index) -> Int {
        switch self {
        case .bytes: text.utf8.distance(from: text.startIndex, to: index)
        case .unicodeScalars: text.unicodeScalars.distance(from: text.startIndex, to: index)
        case .utf16: text.utf16.distance(from: text.startIndex, to: index)
        }
    }

    fileprivate func index(in text: String, at offset: Int) -> String.Index {
        let index: String.Index? =
            switch self {
            case .bytes: text.utf8.index(text.startIndex, offsetBy: offset, limitedBy: text.endIndex)
            case .unicodeScalars:
                text.unicodeScalars.index(text.startIndex, offsetBy: offset, limitedBy: text.endIndex)
            case .utf16: text.utf16.index(text.startIndex, offsetBy: offset, limitedBy: text.endIndex)
            }
        guard let index else { return text.endIndex }
        return text.unicodeScalars.index(atOrBefore: index)
    }
}

extension String.UnicodeScalarView {
    fileprivate func index(atOrBefore index: String.Index) -> String.Index {
        index == endIndex ? index : self.index(before: self.index(after: index))
    }
}
