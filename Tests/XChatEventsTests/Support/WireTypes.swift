import XChatEvents

/// Every type of the schema, found by walking from the roots.
enum WireTypes {
    static let structs: [any WireStruct.Type] = {
        var found: [String: any WireStruct.Type] = [:]
        for root: any WireStruct.Type in [
            Message.self, MessageEntryHolder.self, MessageEventSignature.self, GroupOpData.self,
        ] {
            collect(.structure(root), into: &found)
        }
        return found.sorted { $0.key < $1.key }.map(\.value)
    }()

    static let unions = structs.filter { $0.schema.isUnion }
    static let plainStructs = structs.filter { !$0.schema.isUnion }

    private static func collect(_ type: SchemaType, into found: inout [String: any WireStruct.Type]) {
        switch type {
        case .structure(let type):
            guard found.updateValue(type, forKey: type.schema.name) == nil else { return }
            for field in type.schema.fields { collect(field.type, into: &found) }
        case .list(let element): collect(element, into: &found)
        case .map(let key, let value):
            collect(key, into: &found)
            collect(value, into: &found)
        case .bool, .i32, .i64, .string, .binary, .enumeration:
            break
        }
    }
}
