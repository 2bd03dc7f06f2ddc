import LibSodium
package import XChatEvents

/// Finds string members of a JSON object without parsing the rest, which may be malformed or large.
///
/// The scanner takes the text in pieces, and keeps one string of the outermost object at a time. Nested values are
/// skipped by counting brackets outside of strings, to any depth; text after the object is ignored. In a text that
/// ``JSONReader`` accepts, the scanner finds the same members as ``JSONReader``.
package struct JSONMemberScanner: ~Copyable {
    /// The longest string that is kept, in bytes.
    ///
    /// A longer name is ignored; a longer value is reported as an empty string.
    package static let maximumStringBytes = 1 << 16

    /// The members found so far, in the order of the text; a name that occurs twice is listed twice.
    package private(set) var found: [(name: WireString, value: JSONValue)] = []

    private enum Expected {
        /// The bracket that opens the object.
        case start
        case name
        case colon
        case value
        /// The comma, or the end of the object.
        case separator
        case nothing
    }

    private let names: Set<WireString>
    private var expected = Expected.start
    /// How many brackets are open inside the outermost object.
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    private var name: WireString?
    private let text = Text()

    /// The string that is being read, with its quotes; only the beginning of a string that is too long.
    ///
    /// It can be a private key. So it never moves to other memory, and is wiped.
    private final class Text {
        private var bytes: [UInt8] = []

        init() {
            bytes.reserveCapacity(maximumStringBytes + 1)
        }

        deinit {
            Sodium.wipe(&bytes)
        }

        func append(_ byte: UInt8) {
            if bytes.count <= maximumStringBytes { bytes.append(byte) }
        }

        /// The value of the string, nil if it is not JSON; removes the string.
        func take() -> JSONValue? {
            defer {
                Sodium.wipe(&bytes)
                bytes.removeAll(keepingCapacity: true)
            }
            return try? JSONReader.value(in: bytes)
        }
    }

    /// Creates a scanner for the members with these names.
    package init(names: Set<WireString>) {
        self.names = names
    }

    /// Scans the next piece of the text.
    package mutating func scan(_ piece: [UInt8]) {
        for byte in piece where expected != .nothing {
            if isInString {
                scanString(byte)
            } else {
                scanOutside(byte)
            }
        }
    }

    private mutating func scanString(_ byte: UInt8) {
        keep(byte)
        if isEscaped {
            isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
            isInString = false
            if depth == 0 { endString() }
        }
    }

    private mutating func keep(_ byte: UInt8) {
        if depth == 0 { text.append(byte) }
    }

    private mutating func endString() {
        let value = text.take()
        switch expected {
        case .name:
            name = if case .string(let name) = value { name } else { nil }
            expected = .colon
        case .value:
            if let name, names.contains(name) { found.append((name, value ?? .string(""))) }
            expected = .separator
        default:
            break
        }
    }

    private mutating func scanOutside(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""):
            isInString = true
            keep(byte)
        case UInt8(ascii: "{") where expected == .start:
            expected = .name
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            if depth == 0 {
                expected = .nothing
            } else {
                depth -= 1
                if depth == 0 { expected = .separator }
            }
        case UInt8(ascii: ":") where depth == 0 && expected == .colon:
            expected = .value
        case UInt8(ascii: ",") where depth == 0:
            expected = .name
            name = nil
        case 0x20, 0x09, 0x0A, 0x0D:
            break
        default:
            // A value that is not an object has no members.
            if expected == .start { expected = .nothing }
        }
    }
}
