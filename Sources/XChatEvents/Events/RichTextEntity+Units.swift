/// What the offsets of an entity count.
///
/// X's SDK calls them byte offsets and passes them through; clients were seen to write Unicode scalars. The three agree
/// for ASCII only, and nothing on the wire says which one was meant.
public enum TextUnit: Hashable, Sendable, CaseIterable {
    /// Bytes of UTF-8.
    case bytes
    /// Unicode scalars.
    case unicodeScalars
    /// Code units of UTF-16.
    case utf16
}

extension RichTextEntity {
    /// An entity over a range of a text; nil where the text is so long that an offset does not fit 32 bits.
    ///
    /// - Parameters:
    ///   - range: The range; it ends before its upper bound.
    ///   - text: The text that the range is of.
    ///   - unit: What to count in.
    ///   - content: What the range is; nil leaves it out.
    public init?(_ range: Range<String.Index>, of text: String, in unit: TextUnit, content: RichTextContent?) {
        let start = unit.distance(in: text, to: range.lowerBound)
        guard let first = Int32(exactly: start),
            let last = Int32(exactly: unit.distance(in: text, to: range.upperBound))
        else { return nil }
        self.init(startIndex: first, endIndex: last, content: content)
    }

    /// The range of a text that this entity is over, cut to the text.
    ///
    /// - Parameters:
    ///   - text: The text of the message.
    ///   - unit: What the offsets are taken to count.
    /// - Returns: The range, its bounds moved back to the beginning of a Unicode scalar where they lie inside of one;
    ///   nil where an offset is missing or negative, or they are reversed.
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
