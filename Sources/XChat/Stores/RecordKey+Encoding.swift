import XChatEngine
import XChatEvents

extension RecordKey {
    /// The kind of the record.
    public var kind: Kind {
        switch self {
        case .account: .account
        case .signIn: .signIn
        case .user: .user
        case .conversation: .conversation
        case .consumer: .consumer
        case .cursor: .cursor
        case .seen: .seen
        case .reply: .reply
        case .handle: .handle
        case .founding: .founding
        case .creation: .creation
        case .walk: .walk
        case .walkEvents: .walkEvents
        case .walkKeys: .walkKeys
        }
    }

    /// The key as bytes, the same for equal keys only: the kind, then each part after its length (4 bytes, big-endian).
    package var encoded: [UInt8] {
        var bytes = [kind.rawValue]
        switch self {
        case .account, .signIn: break
        case .user(let id): append(id.utf8, to: &bytes)
        case .conversation(let id), .creation(let id): append(id.text.utf8, to: &bytes)
        case .consumer(let name): append(name.utf8, to: &bytes)
        case .cursor(let consumer, let conversation), .walk(let consumer, let conversation):
            append(consumer.utf8, to: &bytes)
            append(conversation.text.utf8, to: &bytes)
        case .seen(let consumer, let conversation, let list, let record):
            append(consumer.utf8, to: &bytes)
            append(conversation.text.utf8, to: &bytes)
            bytes.append(list.rawValue)
            bytes.append(bigEndian: record)
        case .walkEvents(let consumer, let conversation, let record),
            .walkKeys(let consumer, let conversation, let record):
            append(consumer.utf8, to: &bytes)
            append(conversation.text.utf8, to: &bytes)
            bytes.append(bigEndian: record)
        case .reply(let consumer, let digest, let call):
            append(consumer.utf8, to: &bytes)
            append(digest.bytes, to: &bytes)
            append(call.utf8, to: &bytes)
        case .handle(let name): append(name.utf8, to: &bytes)
        case .founding(let digest): append(digest.bytes, to: &bytes)
        }
        return bytes
    }

    /// Decodes the bytes of ``encoded``; nil for other bytes.
    package init?(encoded bytes: [UInt8]) {
        guard let first = bytes.first, let kind = Kind(rawValue: first) else { return nil }
        var reader = ByteReader(bytes[1...])
        func text() -> String? {
            guard let part = reader.part() else { return nil }
            return String(validating: part, as: UTF8.self)
        }
        func digest() -> EventDigest? { reader.part().flatMap { EventDigest(stored: Array($0)) } }
        func conversation() -> ConversationID? { text().map { ConversationID(canonicalizing: WireString($0)) } }
        let key: RecordKey?
        switch kind {
        case .account: key = .account
        case .signIn: key = .signIn
        case .user: key = text().map { .user(UserID($0)) }
        case .conversation: key = conversation().map { .conversation($0) }
        case .consumer: key = text().map { .consumer($0) }
        case .cursor:
            guard let consumer = text(), let id = conversation() else { return nil }
            key = .cursor(consumer: consumer, id)
        case .walk:
            guard let consumer = text(), let id = conversation() else { return nil }
            key = .walk(consumer: consumer, id)
        case .seen:
            guard let consumer = text(), let id = conversation(),
                let list = reader.number(UInt8.self).flatMap({ SeenList(rawValue: $0) }),
                let record = reader.number(UInt64.self)
            else { return nil }
            key = .seen(consumer: consumer, id, list, record: record)
        case .walkEvents, .walkKeys:
            guard let consumer = text(), let id = conversation(), let record = reader.number(UInt64.self) else {
                return nil
            }
            key =
                kind == .walkEvents
                ? .walkEvents(consumer: consumer, id, record: record)
                : .walkKeys(consumer: consumer, id, record: record)
        case .reply:
            guard let consumer = text(), let digest = digest(), let call = text() else { return nil }
            key = .reply(consumer: consumer, digest, call: call)
        case .handle: key = text().map { .handle($0) }
        case .founding: key = digest().map { .founding($0) }
        case .creation: key = conversation().map { .creation($0) }
        }
        guard let key, reader.isAtEnd, key.encoded == bytes else { return nil }
        self = key
    }

    // Names are compared as UTF-8 bytes: two spellings that Swift takes for the same text are different keys.

    /// Whether two keys are the same, byte for byte.
    public static func == (left: RecordKey, right: RecordKey) -> Bool {
        switch (left, right) {
        // The keys that one operation can have thousands of; ids compare their bytes.
        case (.user(let left), .user(let right)): left == right
        case (.conversation(let left), .conversation(let right)): left == right
        default: left.kind == right.kind && left.encoded == right.encoded
        }
    }

    /// Feeds the bytes of the key into a hasher.
    public func hash(into hasher: inout Hasher) {
        switch self {
        case .user(let id): hasher.combine(id)
        case .conversation(let id): hasher.combine(id)
        default: hasher.combine(encoded)
        }
    }
}

private func append(_ part: some Collection<UInt8>, to bytes: inout [UInt8]) {
    bytes.append(bigEndian: UInt32(clamping: part.count))
    bytes += part
}

extension [UInt8] {
    /// Appends a number, most significant byte first.
    mutating func append(bigEndian number: some FixedWidthInteger & UnsignedInteger) {
        for shift in stride(from: number.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }
}

/// Reads numbers and parts that were written with their lengths.
struct ByteReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    /// Everything that was not read yet.
    var remainder: ArraySlice<UInt8> { rest }

    /// The next bytes; nil if fewer are left.
    mutating func bytes(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    /// The next number, most significant byte first.
    mutating func number<Number: FixedWidthInteger & UnsignedInteger>(_: Number.Type = Number.self) -> Number? {
        bytes(Number.bitWidth / 8)?.reduce(0) { $0 << 8 | Number($1) }
    }

    /// The next bytes after their length of 4 bytes.
    mutating func part() -> ArraySlice<UInt8>? {
        guard let count = number(UInt32.self) else { return nil }
        return bytes(Int(count))
    }
}
