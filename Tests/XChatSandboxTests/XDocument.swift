import Foundation

@testable import XChatSandbox

/// X's OpenAPI document, if it is next to this package: every answer that a test meets is compared with it.
///
/// The comparison is stricter than the document in one point: the document hardly ever forbids members that it does not
/// name. Here they are forbidden, except for those listed in ``undeclared``.
struct XDocument: Sendable {
    /// A JSON value.
    enum Value: Decodable, Hashable, Sendable {
        case null
        case bool(Bool)
        case number(Double)
        case string(String)
        case list([Value])
        case object([String: Value])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let value = try? container.decode(Bool.self) {
                self = .bool(value)
            } else if let value = try? container.decode(Double.self) {
                self = .number(value)
            } else if let value = try? container.decode(String.self) {
                self = .string(value)
            } else if let value = try? container.decode([Value].self) {
                self = .list(value)
            } else {
                self = .object(try container.decode([String: Value].self))
            }
        }

        init(_ data: Data) throws { self = try JSONDecoder().decode(Self.self, from: data) }

        subscript(_ name: String) -> Value? {
            if case .object(let members) = self { members[name] } else { nil }
        }

        var text: String? {
            if case .string(let text) = self { text } else { nil }
        }
    }

    struct Operation: Sendable {
        let id: String
        let method: String
        /// The parts of a path such as `/2/chat/conversations/{id}`.
        let template: [Substring]
        let responses: Value
    }

    static let shared: XDocument? = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let path = root.appending(path: "../shared/spec/openapi-chat.json").standardizedFileURL
        guard let data = try? Data(contentsOf: path) else {
            print("skipped: no OpenAPI document at \(path.path), so no answer of the sandbox is checked against it")
            return nil
        }
        return try? XDocument(data)
    }()

    /// All operations except those of webhooks, which the sandbox does not serve.
    let operations: [Operation]
    private let schemas: Value

    init(_ data: Data) throws {
        let document = try Value(data)
        schemas = document["components"]?["schemas"] ?? .null
        var operations: [Operation] = []
        if case .object(let paths) = document["paths"] {
            for (path, methods) in paths where !path.hasPrefix("/2/webhooks") {
                for method in ["get", "post", "put", "delete"] {
                    guard let operation = methods[method], let id = operation["operationId"]?.text else { continue }
                    operations.append(
                        Operation(
                            id: id,
                            method: method,
                            template: path.split(separator: "/", omittingEmptySubsequences: false),
                            responses: operation["responses"] ?? .null
                        )
                    )
                }
            }
        }
        // Paths with fewer parameters are tried first.
        self.operations = operations.sorted {
            $0.template.count { $0.hasPrefix("{") } < $1.template.count { $0.hasPrefix("{") }
        }
    }

    func operation(_ method: String, _ path: String) -> Operation? {
        let parts = path.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false)
        return operations.first { operation in
            operation.method == method && operation.template.count == parts.count
                && zip(operation.template, parts).allSatisfy { $0.hasPrefix("{") && !$1.isEmpty || $0 == $1 }
        }
    }

    // MARK: Exceptions

    /// Members of answers that the document does not name, with the reasons.
    static let undeclared: [(operation: String, member: String)] = [
        // The document says that members are added by an answer that is a post.
        ("addChatGroupMembers", "data.conversation_key_change_sequence_id"),
        ("addChatGroupMembers", "data.current_member_ids"),
        // The document accepts a pagination_token here, but no answer contains one.
        ("getActivitySubscriptions", "meta"),
        // The document has no payloads of chat events; X's guide shows them.
        ("activityStream", "data.payload.*"),
        // In the document a rate limit has only a code and a message. The answer has these, and the members that X's
        // other documents name.
        ("*", "type"), ("*", "title"), ("*", "detail"), ("*", "status"), ("*", "connection_issue"),
    ]

    /// Members of a history in its old shape.
    static let formerNames = ["created_at_msec", "previous_sequence_id", "sequence_id"]

    // MARK: Checking

    /// The differences of an answer from the document; empty if it matches.
    func violations(
        _ method: String,
        _ path: String,
        _ answer: Router.Answer,
        _ faults: SandboxFaults
    ) -> [String] {
        var (status, body) = (answer.status, answer.body)
        let operation = operation(method, path)
        // These variants differ from the document, because X's servers do.
        if [502, 503].contains(status), answer.type == "text/html" { return [] }
        // X's document has no pages and no operations for sign-in.
        let file = String(path.prefix { $0 != "?" })
        if Routes.pages.contains(file) || ["", "//"].contains(file) || path.hasPrefix("/2/oauth2/") { return [] }
        // This part of X's document has no routes of users.
        if path.hasPrefix("/2/users"), !path.contains("/public_keys"), status == 200 { return [] }
        if status >= 400, faults.errors == .codes { return [] }
        if faults.errors == .twitter {
            body = Data(String(decoding: body, as: UTF8.self).replacing("api.twitter.com", with: "api.x.com").utf8)
        }
        if operation?.id == "addChatGroupMembers", faults.members == .bare, status < 300 { return [] }
        if operation?.id == "sendChatMessage", faults.sendStatus == 200, status == 200 { status = 201 }

        let place = "\(operation?.id ?? path) \(status)"
        var violations: [String] = []
        if faults.rateLimit != nil, status < 500, operation != nil {
            for name in ["limit", "remaining", "reset"] where answer.header("x-rate-limit-\(name)") == nil {
                violations.append("x-rate-limit-\(name) is missing")
            }
        }
        // An unknown operation is answered like an operation that fails.
        let responses = operation?.responses ?? operations.first?.responses
        let response = responses?[String(status)] ?? (status >= 400 ? responses?["default"] : nil)
        guard let type = answer.type, let schema = response?["content"]?[type]?["schema"] else {
            return ["\(place): \(answer.type ?? "no type") is not a type of an answer"]
        }
        if type == "application/octet-stream" { return violations.map { "\(place): \($0)" } }
        var bodies = [body]
        if operation?.id == "activityStream", status == 200 {
            bodies = body.split(separator: UInt8(ascii: "\n")).map { Data($0.filter { $0 != UInt8(ascii: "\r") }) }
                .filter { !$0.isEmpty }
            // The other form has a member that does not match the document: a UUID instead of digits.
            if faults.activity != .full { return violations }
        }
        var allowed = Self.undeclared.filter { $0.operation == operation?.id || $0.operation == "*" && status >= 400 }
            .map(\.member)
        if faults.history == .old { allowed += Self.formerNames.map { "data[].\($0)" } }
        for body in bodies {
            guard let value = try? Value(body) else {
                violations.append("the body is no JSON")
                continue
            }
            violations += check(value, schema, at: "", allowing: allowed)
        }
        return violations.map { "\(place): \($0)" }
    }

    private static let known: Set = [
        "type", "nullable", "properties", "required", "additionalProperties", "items", "enum", "pattern", "format",
        "minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "oneOf", "anyOf", "$ref",
        "discriminator", "description", "example",
    ]

    /// Checks a value against a JSON Schema, for the keywords that the document uses.
    ///
    /// Undeclared members are differences if a list of the allowed members is given.
    private func check(_ value: Value, _ schema: Value, at place: String, allowing: [String]?) -> [String] {
        guard case .object(let words) = schema else { return ["\(place): the schema is invalid"] }
        if let name = words["$ref"]?.text?.split(separator: "/").last {
            guard let schema = schemas[String(name)] else { return ["\(place): no schema \(name)"] }
            return check(value, schema, at: place, allowing: allowing)
        }
        if value == .null, words["nullable"] == .bool(true) { return [] }
        var found = words.keys.filter { !Self.known.contains($0) }.map { "\(place): unknown word \($0)" }
        found += checkType(value, words, at: place)
        found += checkBounds(value, words, at: place)
        if case .list(let schemas) = words["oneOf"] {
            let fitting = schemas.filter { check(value, $0, at: place, allowing: nil).isEmpty }
            if fitting.count == 1 {
                found += check(value, fitting[0], at: place, allowing: allowing)
            } else {
                found.append("\(place): fits \(fitting.count) of the schemas instead of one")
            }
        }
        if case .list(let schemas) = words["anyOf"],
            !schemas.contains(where: { check(value, $0, at: place, allowing: allowing).isEmpty })
        {
            found.append("\(place): fits no schema")
        }
        if case .list(let elements) = value, let schema = words["items"] {
            found += elements.flatMap { check($0, schema, at: place + "[]", allowing: allowing) }
        }
        if case .object(let members) = value {
            found += checkMembers(members, words, at: place, allowing: allowing)
        }
        return found
    }

    private func checkMembers(
        _ members: [String: Value],
        _ words: [String: Value],
        at place: String,
        allowing: [String]?
    ) -> [String] {
        var found: [String] = []
        if case .list(let names) = words["required"] {
            found += names.compactMap(\.text).filter { members[$0] == nil }.map { "\(place): \($0) is missing" }
        }
        for (name, member) in members {
            let path = place.isEmpty ? name : "\(place).\(name)"
            if let schema = words["properties"]?[name] {
                found += check(member, schema, at: path, allowing: allowing)
            } else if let schema = words["additionalProperties"], schema != .bool(true) {
                if schema == .bool(false) {
                    found.append("\(path) must not be there")
                } else {
                    found += check(member, schema, at: path, allowing: allowing)
                }
            } else if words["properties"] != nil, let allowing, !allowing.contains(path),
                !allowing.contains("\(place).*")
            {
                found.append("\(path) is not named in the document")
            }
        }
        return found
    }

    private func checkType(_ value: Value, _ words: [String: Value], at place: String) -> [String] {
        var found: [String] = []
        let isType =
            switch (words["type"]?.text, value) {
            case (nil, _), ("object", .object), ("array", .list), ("string", .string), ("boolean", .bool),
                ("number", .number):
                true
            case ("integer", .number(let number)): number.rounded() == number
            default: false
            }
        if !isType { found.append("\(place): is no \(words["type"]?.text ?? "")") }
        if case .list(let values) = words["enum"], !values.contains(value) {
            found.append("\(place): is not one of the values")
        }
        switch (words["format"]?.text, value) {
        case ("date-time", .string(let text)):
            if text.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/) == nil {
                found.append("\(place): is no time")
            }
        case ("int32", .number(let number)):
            if Int32(exactly: number) == nil { found.append("\(place): is no int32") }
        case (nil, _), ("int64", _), ("double", _), ("byte", _), ("binary", _), ("int32", _), ("date-time", _): break
        default: found.append("\(place): unknown format")
        }
        return found
    }

    private func checkBounds(_ value: Value, _ words: [String: Value], at place: String) -> [String] {
        func outside(_ size: Double, _ least: String, _ most: String) -> Bool {
            if case .number(let bound) = words[least], size < bound { return true }
            if case .number(let bound) = words[most], size > bound { return true }
            return false
        }
        switch value {
        case .string(let text):
            var found = outside(Double(text.unicodeScalars.count), "minLength", "maxLength") ? ["\(place): length"] : []
            if let pattern = words["pattern"]?.text, (try? Regex(pattern).firstMatch(in: text)) == nil {
                found.append("\(place): does not match \(pattern)")
            }
            return found
        case .number(let number): return outside(number, "minimum", "maximum") ? ["\(place): out of bounds"] : []
        case .list(let list): return outside(Double(list.count), "minItems", "maxItems") ? ["\(place): count"] : []
        default: return []
        }
    }
}
