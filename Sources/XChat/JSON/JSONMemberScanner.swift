import LibSodium
package import XChatEvents

/// Finds string members of a JSON object without reading the rest: what else the text holds may be broken or large.
///
/// It takes the text in pieces, keeps only the strings of the outermost object, and forgets them when it goes on.
/// Values of other members are skipped by their brackets and quotes alone, to any depth, and what follows the object is
/// ignored. For a text that ``JSONReader`` reads it finds what that finds.
package struct JSONMemberScanner: ~Copyable {
    /// The longest string that is kept; a longer one is no member that is looked for.
    package static let maximumStringBytes = 1 << 16

    /// What was found, in the order in which it was found; a name that is there twice is in the list twice.
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
    /// The string that is being read with its quotes, or the start of it.
    private var text: [UInt8] = []

    /// Looks for the members of these names.
    package init(names: Set<WireString>) {
        self.names = names
    }

    deinit {
        var text = text
        Sodium.wipe(&text)
    }

    /// Goes on with the next piece of the text.
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
        if depth == 0, text.count <= Self.maximumStringBytes { text.append(byte) }
    }

    private mutating func endString() {
        let value = try? JSONReader.value(in: text)
        Sodium.wipe(&text)
        text = []
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
            // Something else than an object has no members.
            if expected == .start { expected = .nothing }
        }
    }
}
