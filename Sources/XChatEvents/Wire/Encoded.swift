package import ThriftBinary

/// A struct kept as the bytes that it came as, and decoded only when asked for.
///
/// An embedded event keeps its unknown fields this way, and a ratchet tree that is broken spoils nothing but itself.
/// The bytes are known to have the shape of a struct, within the limits of every parse; what they say is not looked at.
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

    /// The event.
    ///
    /// - Throws: `malformed` or `tooLarge`, counted from the start of ``bytes``.
    public func decoded() throws(EventError) -> MessageEvent {
        try MessageEvent(decoding: bytes)
    }
}

extension Encoded<GroupOpData> {
    /// Keeps a ratchet tree.
    public init(_ tree: GroupOpData) {
        self.init(bytes: tree.encoded())
    }

    /// The ratchet tree.
    ///
    /// - Throws: `malformed` or `tooLarge`, counted from the start of ``bytes``.
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
