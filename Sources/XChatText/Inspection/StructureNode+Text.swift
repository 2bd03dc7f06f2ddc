import XChat
import XChatEvents

/// The structure of an event as JSON, with all of its fields.
func structureJSON(_ node: StructureNode) -> JSONValue {
    var json = JSONObject()
    json["id"] = node.fieldID.map { .number($0) }
    json["name"] = node.name.map(JSONValue.string)
    json["type"] = .string(node.typeName)
    if node.isOfWrongType {
        json["wrong_type"] = true
    }
    switch node.content {
    case .bool(let value): json["value"] = .bool(value)
    case .integer(let value): json["value"] = .number(value)
    // JSON has no numbers for infinity and NaN.
    case .double(let value): json["value"] = value.isFinite ? .number("\(value)") : .string("\(value)")
    case .enumeration(let number, let name):
        json["value"] = .number(number)
        json["label"] = name.map(JSONValue.string)
    case .text(let text): json["value"] = .string(text)
    case .bytes(let bytes): json["base64"] = .string(Base64.encode(bytes))
    case .children(let children): json["children"] = .array(children.map(structureJSON))
    }
    return .object(json)
}

/// The structure of an event as an indented tree for people.
func structureText(_ node: StructureNode, depth: Int = 0) -> String {
    var line = String(repeating: "  ", count: depth)
    if let id = node.fieldID {
        line += "\(id) "
    }
    line += node.name.map { "\($0): \(node.typeName)" } ?? (node.fieldID == nil ? node.typeName : "?: \(node.typeName)")
    if node.isOfWrongType {
        line += " (not the type that X's schema has here)"
    }
    switch node.content {
    case .bool(let value): return line + " = \(value)\n"
    case .integer(let value): return line + " = \(value)\n"
    case .double(let value): return line + " = \(value)\n"
    case .enumeration(let number, let name): return line + " = \(number)\(name.map { " (\($0))" } ?? "")\n"
    case .text(let text): return line + " = \(quotedInFull(text))\n"
    case .bytes(let bytes): return line + " = \(bytes.count) bytes \(Base64.encode(bytes))\n"
    case .children(let children):
        return line + "\n" + children.map { structureText($0, depth: depth + 1) }.joined()
    }
}
