extension MessageEvent {
    /// The maximum size of an event's base64 text in bytes: 16 MiB, far more than X's clients send.
    public static let maximumEncodedBytes = 16 * 1024 * 1024

    /// Decodes an event from its base64 text, as the API serves it.
    ///
    /// - Throws: `tooLarge` if the text is longer than ``maximumEncodedBytes``; `malformed` with an offset in the text
    ///   if that is not base64; otherwise the error of decoding the bytes, with the field and an offset in the bytes.
    public init(base64 text: Span<UInt8>) throws(EventError) {
        guard text.count <= Self.maximumEncodedBytes else {
            throw EventError(
                .tooLarge,
                offset: Self.maximumEncodedBytes,
                reason: "the event has more than \(Self.maximumEncodedBytes) bytes of base64"
            )
        }
        try self.init(decoding: Base64.decode(text))
    }

    /// Decodes an event from its base64 text, like ``init(base64:)-(Span<UInt8>)``.
    ///
    /// - Throws: `tooLarge` or `malformed`.
    public init(base64 text: String) throws(EventError) {
        let bytes = Array(text.utf8)
        try self.init(base64: bytes.span)
    }

    /// Decodes an event from its base64 text, like ``init(base64:)-(Span<UInt8>)``.
    ///
    /// - Throws: `tooLarge` or `malformed`.
    public init(base64 text: WireString) throws(EventError) {
        try self.init(base64: text.string)
    }
}
