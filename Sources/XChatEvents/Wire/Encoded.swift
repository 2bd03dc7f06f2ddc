package import ThriftBinary

/// A struct that is kept as received bytes and decoded on request.
///
/// So an embedded event keeps its unknown fields, and a malformed ratchet tree does not make the event around it
/// unreadable. When an event is decoded, these bytes are checked to be one struct within the usual limits; the values
/// of the fields are not checked.
public struct Encoded<Value: Sendable>: Hashable, Sendable {
    /// The encoding, written out as it is.
    public let bytes: [UInt8]

    /// Keeps an encoding.
    ///
    /// - Parameter bytes: one encoded struct, not checked here.
    public init(bytes: [UInt8]) {
        self.bytes = bytes
    }
}

extension Encoded<MessageEvent> {
    /// Keeps an event.
    public init(_ event: MessageEvent) {
        self.init(bytes: event.encoded())
    }

    /// Decodes the event.
    ///
    /// - Throws: `malformed` or `tooLarge`, with an offset from the start of ``bytes``.
    public func decoded() throws(EventError) -> MessageEvent {
        try MessageEvent(decoding: bytes)
    }
}

extension Encoded<GroupOpData> {
    /// Keeps a ratchet tree.
    public init(_ tree: GroupOpData) {
        self.init(bytes: tree.encoded())
    }

    /// Decodes the ratchet tree.
    ///
    /// - Throws: `malformed` or `tooLarge`, with an offset from the start of ``bytes``.
    public func decoded() throws(EventError) -> GroupOpData {
        try GroupOpData(decoding: bytes)
    }
}

extension Encoded: WireCoding {
    package static var wireType: ThriftType { .structure }

    package static func read(from reader: inout ThriftReader) throws(ThriftError) -> Self {
        Self(bytes: try reader.opaque(.structure))
    }

    package static func write(_ value: Self, to writer: inout ThriftWriter) {
        writer.encoded(value.bytes)
    }
}
