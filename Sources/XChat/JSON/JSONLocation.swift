package import XChatEvents

/// A value in a JSON document together with its place, so that every error can name it.
package struct JSONLocation {
    package let value: JSONValue
    /// The document and the path to the value in it: `"alice.json": signing_keys[0].public_key`.
    package let name: String
    private let isRoot: Bool

    /// The value of a whole document.
    package init(root: JSONValue, document: String) {
        value = root
        name = document
        isRoot = true
    }

    private init(_ value: JSONValue, name: String) {
        self.value = value
        self.name = name
        isRoot = false
    }

    /// Reads a document that holds one JSON value.
    package init(parsing bytes: [UInt8], document: String) throws(AccountError) {
        do {
            self.init(root: try JSONReader.value(in: bytes), document: document)
        } catch {
            throw AccountError("\(document): \(error)")
        }
    }

    /// An error about this place.
    package func error(_ text: String) -> AccountError {
        AccountError("\(name): \(text)")
    }

    private func mismatch(_ expected: String) -> AccountError {
        error("expected \(expected), found \(value.typeName)")
    }

    private func inside(_ step: String) -> String {
        isRoot ? "\(name): \(step)" : name + step
    }

    package func object() throws(AccountError) -> JSONObject {
        guard case .object(let object) = value else { throw mismatch("an object") }
        return object
    }

    package func string() throws(AccountError) -> WireString {
        guard case .string(let string) = value else { throw mismatch("a string") }
        return string
    }

    /// A string that is an id or a version; it is not validated.
    package func id<ID: Identifier>() throws(AccountError) -> ID {
        ID(try string())
    }

    package func bool() throws(AccountError) -> Bool {
        guard case .bool(let bool) = value else { throw mismatch("true or false") }
        return bool
    }

    /// A whole number, written without a fraction or an exponent.
    package func integer<Number: FixedWidthInteger>(_ type: Number.Type) throws(AccountError) -> Number {
        guard case .number(let digits) = value else { throw mismatch("a number") }
        guard let number = Number(digits) else {
            throw error("expected a whole number from \(Number.min) to \(Number.max)")
        }
        return number
    }

    package func elements() throws(AccountError) -> [JSONLocation] {
        guard case .array(let elements) = value else { throw mismatch("an array") }
        return elements.enumerated().map { JSONLocation($1, name: inside("[\($0)]")) }
    }

    /// All members of an object in their order.
    package func members() throws(AccountError) -> [(key: WireString, place: JSONLocation)] {
        try object().members.map { ($0.key, place(of: $0.key, $0.value)) }
    }

    /// A member of an object; nil if it is absent or `null`.
    package func member(_ key: WireString) throws(AccountError) -> JSONLocation? {
        guard let value = try object()[key], value != .null else { return nil }
        return place(of: key, value)
    }

    /// A member of an object; throws if it is absent or `null`.
    package func required(_ key: WireString) throws(AccountError) -> JSONLocation {
        guard let member = try member(key) else { throw error("the member \(quoted(key.string)) is missing") }
        return member
    }

    private func place(of key: WireString, _ value: JSONValue) -> JSONLocation {
        let isPlain = key.utf8.allSatisfy { UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || $0 == UInt8(ascii: "_") }
        let step = isPlain && !key.utf8.isEmpty ? (isRoot ? key.string : ".\(key.string)") : "[\(quoted(key.string))]"
        return JSONLocation(value, name: inside(step))
    }
}
