import Testing
import ThriftBinary
import XChatEvents

/// What parsing keeps in memory, counted over the parsed values.
///
/// The smallest elements are the worst ones: an empty struct is one byte on the wire and hundreds in an array.
@Suite("Memory of parsed events")
struct MemoryTests {
    /// A value whose lists and maps, down to a depth, have a number of elements each; everything else is left out.
    private static func write(_ type: SchemaType, count: Int, depth: Int, to writer: inout ThriftWriter) {
        switch type {
        case .bool: writer.bool(false)
        case .i32, .enumeration: writer.i32(0)
        case .i64: writer.i64(0)
        case .string: writer.string("")
        case .binary: writer.binary([])
        case .structure(let type):
            let schema = type.schema
            for field in schema.fields {
                let isFirst = field.id == schema.fields.first?.id
                let isWanted = field.isRequired || (depth > 0 && field.type.isCollection)
                guard schema.isUnion ? isFirst : isWanted else { continue }
                writer.field(field.type.wireType, id: field.id)
                write(field.type, count: count, depth: depth, to: &writer)
            }
            writer.stop()
        case .list(let element):
            let elements = depth > 0 ? count : 0
            writer.listHead(of: element.wireType, count: elements)
            for _ in 0..<elements { write(element, count: count, depth: depth - 1, to: &writer) }
        case .map(let key, let value):
            let entries = depth > 0 ? count : 0
            writer.mapHead(key: key.wireType, value: value.wireType, count: entries)
            for index in 0..<entries {
                switch key {
                case .i32: writer.i32(Int32(index))
                case .i64: writer.i64(Int64(index))
                default: writer.string("\(index)")
                }
                write(value, count: count, depth: depth - 1, to: &writer)
            }
        }
    }

    @Test(
        "a struct of any type takes at most 8 times its bytes and 1 MiB",
        arguments: [(10_000, 1), (100, 2), (21, 3)]
    )
    func structs(_ count: Int, _ depth: Int) {
        var (taken, refused) = (0, 0)
        for type in WireTypes.structs {
            var writer = ThriftWriter()
            Self.write(.structure(type), count: count, depth: depth, to: &writer)
            let bytes = writer.bytes
            do {
                let memory = heapBytes(of: try type.decoded(from: bytes))
                #expect(memory <= ThriftLimits.memoryBytes(input: bytes.count), "\(type): \(memory), \(bytes.count)")
                taken += 1
            } catch {
                #expect(error.code == .tooLarge, "\(type): \(error)")
                refused += 1
            }
        }
        #expect(taken > 50 && (refused > 0 || depth > 1), "\(taken), \(refused)")
    }

    @Test func `a list of events without contents is refused before it is allocated`() {
        var writer = ThriftWriter()
        writer.field(.list, id: 1)
        writer.listHead(of: .structure, count: 10_000)
        for _ in 0..<10_000 { writer.stop() }
        writer.stop()
        let error = #expect(throws: EventError.self) { try BatchedMessageEvents.decoded(from: writer.bytes) }
        #expect(error?.code == .tooLarge)
        #expect(error?.reason == "needs more memory than 8 times the input plus 1 MiB")
    }

    @Test func `a key change with 10,000 participants is parsed`() throws {
        let keys = (0..<10_000).map { index in
            ConversationParticipantKey(
                userID: UserID("\(1_000_000_000_000_000_000 + index)"),
                encryptedConversationKey: WireString(String(repeating: "k", count: 152)),
                publicKeyVersion: "1795759661041"
            )
        }
        let change = ConversationKeyChangeEvent(conversationKeyVersion: "1", conversationParticipantKeys: keys)
        let event = MessageEvent(senderID: "1", detail: .conversationKeyChangeEvent(change))
        #expect(try MessageEvent(decoding: event.encoded()) == event)
        #expect(throws: Never.self) { try StructureNode(describing: event.encoded(), as: MessageEvent.self) }
        #expect(event.limitViolation == nil)
    }

    @Test(
        "an addition to a group of 10,000 is parsed, whatever the length of the ids",
        arguments: [1, 1_000_000, 1_000_000_000_000_000_000]
    )
    func addition(_ first: Int) throws {
        let people = (0..<9_999).map { UserID("\(first + $0)") }
        let addition = GroupMemberAddChange(
            memberIDs: ["9"],
            currentMemberIDs: people,
            currentAdminIDs: people,
            currentPendingMemberIDs: people
        )
        let change = GroupChangeEvent(groupChange: .groupMemberAdd(addition))
        let event = MessageEvent(senderID: "1", detail: .groupChangeEvent(change))
        #expect(try MessageEvent(decoding: event.encoded()) == event)
        #expect(throws: Never.self) { try StructureNode(describing: event.encoded(), as: MessageEvent.self) }
    }
}

extension SchemaType {
    fileprivate var isCollection: Bool {
        switch self {
        case .list, .map: true
        default: false
        }
    }
}

/// A value that keeps its contents in an allocation of its own.
private protocol Allocating {
    /// Bytes of that allocation.
    var allocatedBytes: Int { get }
    /// Whether what it contains may have allocations too.
    var hasContents: Bool { get }
}

/// What the allocator makes of a request: its header, and a multiple of 16.
private func block(_ bytes: Int) -> Int { (bytes + 8 + 15) / 16 * 16 }

extension Array: Allocating {
    fileprivate var allocatedBytes: Int { capacity == 0 ? 0 : block(32 + capacity * MemoryLayout<Element>.stride) }
    fileprivate var hasContents: Bool { !(Element.self is UInt8.Type) }
}

extension Dictionary: Allocating {
    fileprivate var allocatedBytes: Int {
        guard !isEmpty else { return 0 }
        // Three quarters of the places are used at most, and their number is a power of two.
        var places = 1
        while places * 3 < count * 4 { places *= 2 }
        let (key, value) = (MemoryLayout<Key>.stride, MemoryLayout<Value>.stride)
        return block(64 + places * (key + value) + places / 8)
    }
    fileprivate var hasContents: Bool { true }
}

extension String: Allocating {
    fileprivate var allocatedBytes: Int { utf8.count <= 15 ? 0 : block(32 + utf8.count + 1) }
    fileprivate var hasContents: Bool { false }
}

/// Bytes that a value keeps outside of itself.
private func heapBytes(of value: Any) -> Int {
    let mirror = Mirror(reflecting: value)
    // An optional array would pass for an array, and then contain it.
    if mirror.displayStyle == .optional { return mirror.children.first.map { heapBytes(of: $0.value) } ?? 0 }
    let allocating = value as? any Allocating
    let own = allocating?.allocatedBytes ?? 0
    guard allocating?.hasContents != false else { return own }
    return mirror.children.reduce(own) { $0 + heapBytes(of: $1.value) }
}
