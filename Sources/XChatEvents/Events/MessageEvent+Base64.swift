extension MessageEvent {
    /// The most base64 text that is looked at as one event: 16 MiB, far above anything that X's clients send.
    public static let maximumEncodedBytes = 16 * 1024 * 1024

    /// Decodes an event from its base64 text, as the API serves it.
    ///
    /// - Throws: `tooLarge` beyond ``maximumEncodedBytes``, `malformed` with the offset in the text where that is not
    ///   base64, else with the field and the offset in the decoded bytes.
    public init(base64 text: Span<UInt8>) throws(EventError) {
        guard text.count <= Self.maximumEncodedBytes else {
            throw EventError(
                .tooLarge,
                offset: Self.maximumEncodedBytes,
                reason: "an event of more than \(Self.maximumEncodedBytes) bytes of base64"
            )
        }
        try self.init(decoding: Base64.decode(text))
    }

    /// Decodes an event from its base64 text, as ``init(base64:)-(Span<UInt8>)``.
    ///
    /// - Throws: `tooLarge` or `malformed`.
    public init(base64 text: String) throws(EventError) {
        let bytes = Array(text.utf8)
        try self.init(base64: bytes.span)
    }

    /// Decodes an event from its base64 text, as ``init(base64:)-(Span<UInt8>)``.
    ///
    /// - Throws: `tooLarge` or `malformed`.
    public init(base64 text: WireString) throws(EventError) {
        try self.init(base64: text.string)
    }
}
