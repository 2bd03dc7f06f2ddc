package import XChatEvents

/// A JSON value that preserves the order of members, the exact bytes of strings, and the digits of numbers.
///
/// A session file may have members that this program does not know, and ids that are equivalent under Unicode although
/// their bytes differ. Foundation's JSON guarantees neither to preserve the former nor to distinguish the latter.
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

    /// The type of the value, for error texts.
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

/// The members of a JSON object in their order.
///
/// Names are compared byte by byte.
package struct JSONObject: Hashable, Sendable {
    /// One member.
    package struct Member: Hashable, Sendable {
        package let key: WireString
        package var value: JSONValue
    }

    package private(set) var members: [Member] = []
    /// The index of each member by its name.
    ///
    /// The dictionary is empty while there are at most 8 members, because a table for each small object would take much
    /// memory.
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
