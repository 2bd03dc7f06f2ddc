/// Makes a text safe to show.
///
/// The text is processed in pieces, such as an escape, or a letter with its combining marks. A text is shortened only
/// between two pieces, because otherwise it could end with a part of an escape.
struct SafeText {
    struct Options: OptionSet {
        let rawValue: Int
        /// LF and CRLF are line breaks; otherwise they are escaped.
        static let newlines = Options(rawValue: 1)
        /// A run of more than four spaces becomes its character and length, such as `\u{20}×200`.
        ///
        /// At the start of a text the limit is two, because the caller may print two spaces before it.
        static let collapsingSpaces = Options(rawValue: 2)
        /// Everything except printable ASCII is escaped, including letters.
        static let ascii = Options(rawValue: 4)
    }

    private static let longestRunOfSpaces = 4
    private static let longestRunAtStart = 2
    /// The most combining marks on a character.
    ///
    /// Eight marks are enough for every script; more marks would cover the lines above and below.
    private static let mostMarks = 8
    /// In a text that exceeds the limit, a run of spaces is counted only up to this length.
    private static let longestCountedRun = 4096

    /// The safe text; it ends in "…" if it was shortened.
    private(set) var shown = ""

    private let options: Options
    private let quotationMark: Unicode.Scalar?
    private let limit: Int
    private let scalars: [Unicode.Scalar]
    /// The last piece, which the next scalar may still change.
    private var piece = ""
    private var isShortened = false
    /// The last scalar, if it was shown unchanged; nil at the start of a line, and after a space or an escape.
    private var base: Unicode.Scalar?
    private var marks = 0
    private var joiner = ""

    /// Makes a text safe.
    ///
    /// - Parameters:
    ///   - text: Text of any origin.
    ///   - options: What to keep and what to escape.
    ///   - quotationMark: The mark that encloses the text. Marks and backslashes inside the text are escaped, so that
    ///     the next unescaped mark is the end of the text.
    ///   - limit: The most bytes to show. The running time does not depend on the length of the rest.
    init(_ text: String, _ options: Options, quotationMark: Unicode.Scalar? = nil, limit: Int = .max) {
        self.options = options
        self.quotationMark = quotationMark
        self.limit = limit
        let isTooLong = text.utf8.count > limit
        guard isTooLong || !Self.isPlain(text, quotationMark) else {
            scalars = []
            shown = text
            return
        }
        let all = text.unicodeScalars
        let considered = isTooLong ? all.prefix(limit + Self.longestCountedRun) : all[...]
        scalars = Array(considered)
        var position = 0
        while position < scalars.count, !isShortened { position = take(at: position) }
        endPiece()
        if considered.endIndex < all.endIndex, !isShortened { shown += "…" }
    }

    /// The safe text in quotation marks.
    static func quoted(
        _ text: String,
        _ options: Options,
        by mark: Unicode.Scalar = "\"",
        limit: Int = .max
    ) -> String {
        "\(mark)\(SafeText(text, options, quotationMark: mark, limit: limit).shown)\(mark)"
    }

    private mutating func endPiece() {
        guard !isShortened else { return }
        isShortened = piece.utf8.count > limit - shown.utf8.count
        shown += isShortened ? "…" : piece
        piece = ""
    }

    /// Whether the text can be shown unchanged, like most texts.
    private static func isPlain(_ text: String, _ quotationMark: Unicode.Scalar?) -> Bool {
        let mark = quotationMark.map { UInt8(ascii: $0) }
        // The caller may print two spaces before the text.
        var spaces = longestRunOfSpaces - longestRunAtStart
        for byte in text.utf8 {
            spaces = byte == 0x20 ? spaces + 1 : 0
            let needsEscape = mark != nil && (byte == mark || byte == UInt8(ascii: "\\"))
            guard 0x20...0x7E ~= byte, spaces <= longestRunOfSpaces, !needsEscape else { return false }
        }
        return true
    }

    /// Processes the scalars at a position and returns the position after them.
    private mutating func take(at position: Int) -> Int {
        let scalar = scalars[position]
        if options.contains(.newlines), let length = lineBreak(at: position) {
            append("\n", base: nil)
            return position + length
        }
        if options.contains(.ascii), !(0x20...0x7E ~= scalar.value) {
            append(scalar.escaped, base: nil)
            return position + 1
        }
        if scalar.isBlank { return takeSpaces(at: position) }
        if let end = endOfFlag(at: position) {
            append(String(scalars[position..<end]), base: scalar)
            return end
        }
        if scalar.isJoiner, isJoined(at: position) {
            joiner = String(scalar)
            return position + 1
        }
        if scalar.properties.isVariationSelector, let base, base.takesVariation(scalar) {
            attach(scalar)
        } else if scalar.isHidden || isQuoteSign(scalar) || scalar.isMark && !canTakeMark {
            append(scalar.escaped, base: nil)
        } else if scalar.isMark {
            marks += 1
            attach(scalar)
        } else {
            append(String(scalar), base: scalar)
        }
        return position + 1
    }

    private mutating func append(_ piece: String, base: Unicode.Scalar?) {
        endPiece()
        self.piece = joiner + piece
        joiner = ""
        marks = 0
        self.base = base
    }

    /// Adds a scalar that modifies the one before it and must stay with it.
    private mutating func attach(_ scalar: Unicode.Scalar) {
        piece += joiner + String(scalar)
        joiner = ""
        base = scalar
    }

    private var canTakeMark: Bool { base != nil && marks < Self.mostMarks }

    private func isQuoteSign(_ scalar: Unicode.Scalar) -> Bool {
        quotationMark.map { scalar == $0 || scalar == "\\" } ?? false
    }

    private func lineBreak(at position: Int) -> Int? {
        if scalars[position] == "\n" { return 1 }
        guard scalars[position] == "\r", position + 1 < scalars.count else { return nil }
        return scalars[position + 1] == "\n" ? 2 : nil
    }

    private mutating func takeSpaces(at start: Int) -> Int {
        let run = scalars[start...].prefix { $0.isBlank }
        let longest = start == 0 ? Self.longestRunAtStart : Self.longestRunOfSpaces
        if run.count <= longest || !options.contains(.collapsingSpaces) {
            for space in run { append(String(space), base: nil) }
            return run.endIndex
        }
        var position = start
        while position < run.endIndex {
            let same = run[position...].prefix { $0 == run[position] }
            append(same.count == 1 ? run[position].escaped : "\(run[position].escaped)×\(same.count)", base: nil)
            position = same.endIndex
        }
        return position
    }

    /// The end of a region's flag that starts at a position, such as Scotland's: a black flag, tags, and the cancel tag
    /// U+E007F.
    ///
    /// Nil if there is no flag.
    private func endOfFlag(at start: Int) -> Int? {
        guard scalars[start] == "\u{1F3F4}" else { return nil }
        let tags = scalars[(start + 1)...].prefix(7).prefix { $0.isTagOfRegion }
        guard 3...6 ~= tags.count, tags.endIndex < scalars.count else { return nil }
        return scalars[tags.endIndex] == "\u{E007F}" ? tags.endIndex + 1 : nil
    }

    /// Whether a joiner is between two emoji or two letters that it shapes.
    private func isJoined(at position: Int) -> Bool {
        guard let before = base, position + 1 < scalars.count else { return false }
        let next = scalars[position + 1]
        if before.isEmojiPart { return next.isPictograph && scalars[position] == "\u{200D}" }
        return before.isShapedByJoiners && next.isShapedByJoiners && !(next.isMark && marks >= Self.mostMarks)
    }
}

extension Unicode.Scalar {
    fileprivate var escaped: String { "\\u{\(String(value, radix: 16, uppercase: true))}" }

    /// Whether the scalar takes up space but is invisible.
    fileprivate var isBlank: Bool { properties.generalCategory == .spaceSeparator || self == "\u{2800}" }

    /// Whether the scalar is invisible, or affects the text around it or the terminal.
    fileprivate var isHidden: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .format: true
        default: properties.isDefaultIgnorableCodePoint
        }
    }

    fileprivate var isMark: Bool {
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: true
        default: false
        }
    }

    fileprivate var isJoiner: Bool { self == "\u{200C}" || self == "\u{200D}" }

    /// Whether the scalar is an emoji.
    ///
    /// Unicode's `Emoji` property is not sufficient: digits have it too.
    fileprivate var isPictograph: Bool { properties.isEmoji && value > 0xFF }

    fileprivate var isEmojiPart: Bool { isPictograph || self == "\u{FE0F}" }

    /// Whether the scalar is a letter or mark of a script in which joiners change the shape of letters: Arabic, the
    /// scripts of India, and those in the blocks next to them.
    fileprivate var isShapedByJoiners: Bool {
        switch value {
        case 0x0600...0x1CFF, 0xA800...0xABFF, 0xFB50...0xFDFF, 0x11000...0x11FFF:
            isMark || properties.isAlphabetic
        default: false
        }
    }

    fileprivate var isTagOfRegion: Bool { 0xE0030...0xE0039 ~= value || 0xE0061...0xE007A ~= value }

    /// Whether a variation selector has an effect on this scalar.
    fileprivate func takesVariation(_ selector: Unicode.Scalar) -> Bool {
        guard !properties.isVariationSelector else { return false }
        if selector == "\u{FE0E}" || selector == "\u{FE0F}" { return properties.isEmoji }
        return properties.isIdeographic || 0x1800...0x18AF ~= value
    }
}

extension String {
    fileprivate init(_ scalars: ArraySlice<Unicode.Scalar>) {
        self.init(String.UnicodeScalarView(scalars))
    }
}
