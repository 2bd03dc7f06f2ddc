// generated from xchat.thrift by script/generate-events; change the IDL, not this file

extension GroupOpData {
    /// Decodes the value from its Thrift encoding.
    ///
    /// - Throws: `malformed` or `tooLarge`, with the field and the byte where reading stopped.
    public init(decoding bytes: [UInt8]) throws(EventError) {
        self = try Self.decoded(from: bytes)
    }

    /// The Thrift encoding of the value, fields in ascending order.
    ///
    /// - Precondition: no text, bytes or list in the value is as long as 2 GiB, which Thrift cannot say.
    public func encoded() -> [UInt8] {
        wireBytes()
    }
}

extension MessageCreateEvent {
    /// Decodes the value from its Thrift encoding.
    ///
    /// - Throws: `malformed` or `tooLarge`, with the field and the byte where reading stopped.
    public init(decoding bytes: [UInt8]) throws(EventError) {
        self = try Self.decoded(from: bytes)
    }

    /// The Thrift encoding of the value, fields in ascending order.
    ///
    /// - Precondition: no text, bytes or list in the value is as long as 2 GiB, which Thrift cannot say.
    public func encoded() -> [UInt8] {
        wireBytes()
    }
}

extension ConversationKeyChangeEvent {
    /// Decodes the value from its Thrift encoding.
    ///
    /// - Throws: `malformed` or `tooLarge`, with the field and the byte where reading stopped.
    public init(decoding bytes: [UInt8]) throws(EventError) {
        self = try Self.decoded(from: bytes)
    }

    /// The Thrift encoding of the value, fields in ascending order.
    ///
    /// - Precondition: no text, bytes or list in the value is as long as 2 GiB, which Thrift cannot say.
    public func encoded() -> [UInt8] {
        wireBytes()
    }
}

extension MessageEventDetail {
    /// Decodes the value from its Thrift encoding.
    ///
    /// - Throws: `malformed` or `tooLarge`, with the field and the byte where reading stopped.
    public init(decoding bytes: [UInt8]) throws(EventError) {
        self = try Self.decoded(from: bytes)
    }

    /// The Thrift encoding of the value, fields in ascending order.
    ///
    /// - Precondition: no text, bytes or list in the value is as long as 2 GiB, which Thrift cannot say.
    public func encoded() -> [UInt8] {
        wireBytes()
    }
}

extension MessageEventSignature {
    /// Decodes the value from its Thrift encoding.
    ///
    /// - Throws: `malformed` or `tooLarge`, with the field and the byte where reading stopped.
    public init(decoding bytes: [UInt8]) throws(EventError) {
        self = try Self.decoded(from: bytes)
    }

    /// The Thrift encoding of the value, fields in ascending order.
    ///
    /// - Precondition: no text, bytes or list in the value is as long as 2 GiB, which Thrift cannot say.
    public func encoded() -> [UInt8] {
        wireBytes()
    }
}

extension MessageEvent {
    /// Decodes the value from its Thrift encoding.
    ///
    /// - Throws: `malformed` or `tooLarge`, with the field and the byte where reading stopped.
    public init(decoding bytes: [UInt8]) throws(EventError) {
        self = try Self.decoded(from: bytes)
    }

    /// The Thrift encoding of the value, fields in ascending order.
    ///
    /// - Precondition: no text, bytes or list in the value is as long as 2 GiB, which Thrift cannot say.
    public func encoded() -> [UInt8] {
        wireBytes()
    }
}

extension Message {
    /// Decodes the value from its Thrift encoding.
    ///
    /// - Throws: `malformed` or `tooLarge`, with the field and the byte where reading stopped.
    package init(decoding bytes: [UInt8]) throws(EventError) {
        self = try Self.decoded(from: bytes)
    }

    /// The Thrift encoding of the value, fields in ascending order.
    ///
    /// - Precondition: no text, bytes or list in the value is as long as 2 GiB, which Thrift cannot say.
    package func encoded() -> [UInt8] {
        wireBytes()
    }
}

extension MessageEntryHolder {
    /// Decodes the value from its Thrift encoding.
    ///
    /// - Throws: `malformed` or `tooLarge`, with the field and the byte where reading stopped.
    public init(decoding bytes: [UInt8]) throws(EventError) {
        self = try Self.decoded(from: bytes)
    }

    /// The Thrift encoding of the value, fields in ascending order.
    ///
    /// - Precondition: no text, bytes or list in the value is as long as 2 GiB, which Thrift cannot say.
    public func encoded() -> [UInt8] {
        wireBytes()
    }
}
