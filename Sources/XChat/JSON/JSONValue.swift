package import XChatEvents

/// A JSON value that keeps what it was given: the order of members, their exact bytes, the digits of numbers.
///
/// A session file carries members that this program does not know, and ids that Unicode would call equal though their
/// bytes differ. Foundation's JSON promises neither to keep the first nor to tell the second apart.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// A number in the digits in which it was written.
    case number(String)
    case string(WireString)
    case array([JSONValue])
    case object(JSONObject)
}

extension JSONValue {
    /// A string value.
    package static func string(_ text: String) -> JSONValue {
        .string(WireString(text))
    }

    /// A string value.
    package static func string(_ id: some Identifier) -> JSONValue {
        .string(id.text)
    }

    /// A whole number.
    package static func number(_ number: some BinaryInteger) -> JSONValue {
        .number(String(number))
    }

    /// A string, or `null` for nil.
    package init(_ text: (some WireText)?) {
        self = text.map { .string($0.text) } ?? .null
    }

    /// A whole number, or `null` for nil.
    package init<Number: BinaryInteger>(_ number: Number?) {
        self = number.map { .number($0) } ?? .null
    }

    /// A boolean, or `null` for nil.
    package init(_ bool: Bool?) {
        self = bool.map(JSONValue.bool) ?? .null
    }

    /// A list of strings.
    package init(_ texts: [some WireText]) {
        self = .array(texts.map { .string($0.text) })
    }

    /// What the value is, in the words of the JSON standard; for error texts.
    package var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int) { self = .number(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(nilLiteral: ()) { self = .null }

    package init(dictionaryLiteral elements: (WireString, JSONValue)...) {
        self = .object(JSONObject(elements))
    }
}

/// The members of a JSON object in their order, found by the bytes of their names.
package struct JSONObject: Hashable, Sendable {
    /// One member.
    package struct Member: Hashable, Sendable {
        package let key: WireString
        package var value: JSONValue
    }

    package private(set) var members: [Member] = []
    /// Where the members are; empty while there are few, because a table for each small object takes much memory.
    private var places: [WireString: Int] = [:]
    private static let fewMembers = 8

    package init(_ members: [(WireString, JSONValue)] = []) {
        for (key, value) in members {
            self[key] = value
        }
    }

    package var isEmpty: Bool { members.isEmpty }

    /// The value of a member; setting appends a new member or replaces the value in its place, `nil` removes it.
    package subscript(key: WireString) -> JSONValue? {
        get {
            place(of: key).map { members[$0].value }
        }
        set {
            switch (place(of: key), newValue) {
            case (let place?, let value?):
                members[place].value = value
            case (nil, let value?):
                members.append(Member(key: key, value: value))
                if members.count == Self.fewMembers + 1 {
                    indexMembers()
                } else if members.count > Self.fewMembers {
                    places[key] = members.count - 1
                }
            case (let place?, nil):
                members.remove(at: place)
                indexMembers()
            case (nil, nil):
                break
            }
        }
    }

    private func place(of key: WireString) -> Int? {
        members.count > Self.fewMembers ? places[key] : members.firstIndex { $0.key == key }
    }

    private mutating func indexMembers() {
        places = [:]
        guard members.count > Self.fewMembers else { return }
        for (place, member) in members.enumerated() {
            places[member.key] = place
        }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (WireString, JSONValue)...) { self.init(elements) }
}
