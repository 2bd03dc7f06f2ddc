// generated from xchat.thrift by script/generate-events; change the IDL, not this file

extension GroupOpData {
    /// Decodes the value from its Thrift encoding.
    ///
    /// - Throws: `malformed` or `tooLarge`, with the field and the byte offset of the failure.
    public init(decoding bytes: [UInt8]) throws(EventError) {
        self = try Self.decoded(from: bytes)
    }

    /// The Thrift encoding of the value, fields in ascending order.
    ///
    /// - Precondition: every text, byte string and list has fewer than 2^31 bytes or elements, Thrift's limit.
    public func encoded() -> [UInt8] {
        wireBytes()
    }
}

extension MessageCreateEvent {
    /// Decodes the value from its Thrift encoding.
    ///
    /// - Throws: `malformed` or `tooLarge`, with the field and the byte offset of the failure.
    public init(decoding bytes: [UInt8]) throws(EventError) {
        self = try Self.decoded(from: bytes)
    }

    /// The Thrift encoding of the value, fields in ascending order.
    ///
    /// - Precondition: every text, byte string and list has fewer than 2^31 bytes or elements, Thrift's limit.
    public func encoded() -> [UInt8] {
        wireBytes()
    }
}

extension ConversationKeyChangeEvent {
    /// Decodes the value from its Thrift encoding.
    ///
    /// - Throws: `malformed` or `tooLarge`, with the field and the byte offset of the failure.
    public init(decoding bytes: [UInt8]) throws(EventError) {
        self = try Self.decoded(from: bytes)
    }

    /// The Thrift encoding of the value, fields in ascending order.
    ///
    /// - Precondition: every text, byte string and list has fewer than 2^31 bytes or elements, Thrift's limit.
    public func encoded() -> [UInt8] {
        wireBytes()
    }
}

extension MessageEventDetail {
    /// Decodes the value from its Thrift encoding.
    ///
    /// - Throws: `malformed` or `tooLarge`, with the field and the byte offset of the failure.
    public init(decoding bytes: [UInt8]) throws(EventError) {
        self = try Self.decoded(from: bytes)
    }

    /// The Thrift encoding of the value, fields in ascending order.
    ///
    /// - Precondition: every text, byte string and list has fewer than 2^31 bytes or elements, Thrift's limit.
    public func encoded() -> [UInt8] {
        wireBytes()
    }
}

extension MessageEventSignature {
    /// Decodes the value from its Thrift encoding.
    ///
    /// - Throws: `malformed` or `tooLarge`, with the field and the byte offset of the failure.
    public init(decoding bytes: [UInt8]) throws(EventError) {
        self = try Self.decoded(from: bytes)
    }

    /// The Thrift encoding of the value, fields in ascending order.
    ///
    /// - Precondition: every text, byte string and list has fewer than 2^31 bytes or elements, Thrift's limit.
    public func encoded() -> [UInt8] {
        wireBytes()
    }
}

extension MessageEvent {
    /// Decodes the value from its Thrift encoding.
    ///
    /// - Throws: `malformed` or `tooLarge`, with the field and the byte offset of the failure.
    public init(decoding bytes: [UInt8]) throws(EventError) {
        self = try Self.decoded(from: bytes)
    }

    /// The Thrift encoding of the value, fields in ascending order.
    ///
    /// - Precondition: every text, byte string and list has fewer than 2^31 bytes or elements, Thrift's limit.
    public func encoded() -> [UInt8] {
        wireBytes()
    }
}

extension Message {
    /// Decodes the value from its Thrift encoding.
    ///
    /// - Throws: `malformed` or `tooLarge`, with the field and the byte offset of the failure.
    package init(decoding bytes: [UInt8]) throws(EventError) {
        self = try Self.decoded(from: bytes)
    }

    /// The Thrift encoding of the value, fields in ascending order.
    ///
    /// - Precondition: every text, byte string and list has fewer than 2^31 bytes or elements, Thrift's limit.
    package func encoded() -> [UInt8] {
        wireBytes()
    }
}

extension MessageEntryHolder {
    /// Decodes the value from its Thrift encoding.
    ///
    /// - Throws: `malformed` or `tooLarge`, with the field and the byte offset of the failure.
    public init(decoding bytes: [UInt8]) throws(EventError) {
        self = try Self.decoded(from: bytes)
    }

    /// The Thrift encoding of the value, fields in ascending order.
    ///
    /// - Precondition: every text, byte string and list has fewer than 2^31 bytes or elements, Thrift's limit.
    public func encoded() -> [UInt8] {
        wireBytes()
    }
}
