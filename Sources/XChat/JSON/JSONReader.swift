import XChatEvents

/// Why a text is not JSON, or not JSON that ``JSONReader`` accepts.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong at that place.
    package enum Reason: String, Sendable {
        case unexpectedEnd = "the text ends too early"
        case unexpectedByte = "a character that is not allowed here"
        case trailingBytes = "more text after the value"
        case invalidNumber = "not a JSON number"
        case invalidEscape = "an unknown escape"
        case loneSurrogate = "half of a surrogate pair"
        case invalidUTF8 = "not UTF-8"
        case controlCharacter = "a control character inside a string"
        case duplicateMember = "a member that occurs twice"
        case tooDeep = "nested too deeply"
    }

    package let reason: Reason
    /// The line, counted from 1.
    package let line: Int
    /// The position of the byte in its line, in bytes, counted from 1.
    package let column: Int

    package var description: String {
        "line \(line), column \(column): \(reason.rawValue)"
    }
}

/// Reads one strict JSON text (RFC 8259): no duplicate members, no lone surrogates, no invalid UTF-8, nothing after the
/// value.
package struct JSONReader {
    /// The greatest nesting depth of arrays and objects: 64.
    ///
    /// Deeper nesting is refused, because parsing is recursive and could overflow the stack.
    package static let maximumDepth = 64

    private let bytes: [UInt8]
    private var offset = 0
    private var depth = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Parses bytes that contain exactly one value.
    package static func value(in bytes: [UInt8]) throws(JSONError) -> JSONValue {
        var reader = JSONReader(bytes)
        let value = try reader.readValue()
        reader.skipWhitespace()
        guard reader.next == nil else { throw reader.error(.trailingBytes) }
        return value
    }

    private var next: UInt8? {
        offset < bytes.count ? bytes[offset] : nil
    }

    private func error(_ reason: JSONError.Reason) -> JSONError {
        error(reason, at: offset)
    }

    private func error(_ reason: JSONError.Reason, at place: Int) -> JSONError {
        let before = bytes.prefix(place)
        let lineStart = (before.lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        return JSONError(reason: reason, line: line, column: place - lineStart + 1)
    }

    private mutating func skipWhitespace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
            offset += 1
        }
    }

    private mutating func take(_ byte: UInt8) throws(JSONError) {
        guard let found = next else { throw error(.unexpectedEnd) }
        guard found == byte else { throw error(.unexpectedByte) }
        offset += 1
    }

    private mutating func readValue() throws(JSONError) -> JSONValue {
        skipWhitespace()
        guard let byte = next else { throw error(.unexpectedEnd) }
        switch byte {
        case UInt8(ascii: "{"): return .object(try readObject())
        case UInt8(ascii: "["): return .array(try readArray())
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "t"): return try readWord("true", .bool(true))
        case UInt8(ascii: "f"): return try readWord("false", .bool(false))
        case UInt8(ascii: "n"): return try readWord("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try readNumber())
        default: throw error(.unexpectedByte)
        }
    }

    private mutating func readWord(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for byte in "\(word)".utf8 {
            try take(byte)
        }
        return value
    }

    private mutating func open() throws(JSONError) {
        guard depth < Self.maximumDepth else { throw error(.tooDeep) }
        depth += 1
        offset += 1
        skipWhitespace()
    }

    private mutating func close() {
        depth -= 1
        offset += 1
    }

    /// Reads what follows an element: true after a comma, false at the end of the container.
    private mutating func anotherFollows(before end: UInt8) throws(JSONError) -> Bool {
        skipWhitespace()
        if next == end {
            return false
        }
        try take(UInt8(ascii: ","))
        skipWhitespace()
        return true
    }

    private mutating func readArray() throws(JSONError) -> [JSONValue] {
        let end = UInt8(ascii: "]")
        var elements: [JSONValue] = []
        try open()
        if next != end {
            repeat {
                elements.append(try readValue())
            } while try anotherFollows(before: end)
        }
        close()
        return elements
    }

    private mutating func readObject() throws(JSONError) -> JSONObject {
        let end = UInt8(ascii: "}")
        var object = JSONObject()
        try open()
        if next != end {
            repeat {
                let place = offset
                let key = try readString()
                guard object[key] == nil else { throw error(.duplicateMember, at: place) }
                skipWhitespace()
                try take(UInt8(ascii: ":"))
                object[key] = try readValue()
            } while try anotherFollows(before: end)
        }
        close()
        return object
    }

    private mutating func skipDigits() throws(JSONError) {
        guard let first = next, isDigit(first) else { throw error(.invalidNumber) }
        while let byte = next, isDigit(byte) {
            offset += 1
        }
    }

    private mutating func readNumber() throws(JSONError) -> String {
        let start = offset
        if next == UInt8(ascii: "-") {
            offset += 1
        }
        if next == UInt8(ascii: "0") {
            offset += 1
            if let byte = next, isDigit(byte) {
                throw error(.invalidNumber)
            }
        } else {
            try skipDigits()
        }
        if next == UInt8(ascii: ".") {
            offset += 1
            try skipDigits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            offset += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") {
                offset += 1
            }
            try skipDigits()
        }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    private mutating func readString() throws(JSONError) -> WireString {
        let start = offset
        try take(UInt8(ascii: "\""))
        var content: [UInt8] = []
        while true {
            guard let byte = next else { throw error(.unexpectedEnd) }
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                guard let text = String(validating: content, as: UTF8.self) else {
                    throw error(.invalidUTF8, at: start)
                }
                return WireString(text)
            case UInt8(ascii: "\\"):
                content.append(contentsOf: try readEscape())
            case 0x00..<0x20:
                throw error(.controlCharacter)
            default:
                content.append(byte)
                offset += 1
            }
        }
    }

    private mutating func readEscape() throws(JSONError) -> [UInt8] {
        let start = offset
        offset += 1
        guard let letter = next else { throw error(.unexpectedEnd) }
        offset += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [letter]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): break
        default: throw error(.invalidEscape, at: start)
        }
        let unit = try readHexDigits()
        if let scalar = Unicode.Scalar(unit) {
            return Array(scalar.utf8)
        }
        guard unit < 0xDC00, next == UInt8(ascii: "\\") else { throw error(.loneSurrogate, at: start) }
        offset += 1
        guard next == UInt8(ascii: "u") else { throw error(.loneSurrogate, at: start) }
        offset += 1
        let low = try readHexDigits()
        guard (0xDC00...0xDFFF).contains(low) else { throw error(.loneSurrogate, at: start) }
        guard let scalar = Unicode.Scalar(0x10000 + (UInt32(unit - 0xD800) << 10 | UInt32(low - 0xDC00))) else {
            throw error(.loneSurrogate, at: start)
        }
        return Array(scalar.utf8)
    }

    private mutating func readHexDigits() throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = next else { throw error(.unexpectedEnd) }
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw error(.invalidEscape)
            }
            unit = unit << 4 | UInt16(digit)
            offset += 1
        }
        return unit
    }

    private func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
