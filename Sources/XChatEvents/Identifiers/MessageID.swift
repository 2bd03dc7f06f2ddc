/// The id that the sender gives to an event.
public struct MessageID: Identifier, WireText {
    /// The text, as it is on the wire.
    public let text: WireString

    /// Wraps a text as it is, valid or not.
    public init(_ text: WireString) {
        self.text = text
    }

    /// The rule for a valid text.
    public static var rule: String {
        "1 to \(EventLimits.messageIDBytes) printable ASCII characters without a comma"
    }

    /// Whether the text has 1 to 64 printable ASCII characters, without a comma.
    public var isValid: Bool {
        guard !text.isEmpty, text.utf8.count <= EventLimits.messageIDBytes else { return false }
        return unsafe text.withContiguousBytes { bytes in
            unsafe bytes.allSatisfy { (0x20...0x7e).contains($0) && $0 != UInt8(ascii: ",") }
        }
    }

    /// Makes a new id: a random UUID of version 4, in lower case.
    public static func random() -> MessageID {
        // Two random numbers of 64 bits instead of sixteen bytes: each draw is a system call, and sixteen draws took
        // a quarter of the time to encrypt a message.
        var generator = SystemRandomNumberGenerator()
        let upper = generator.next() & ~0xf000 | 0x4000
        let lower = generator.next() & (.max >> 2) | 1 << 63
        return MessageID(
            unsafe String(unsafeUninitializedCapacity: 36) { text in
                var digits = 0
                for position in 0..<36 {
                    switch position {
                    case 8, 13, 18, 23: unsafe text.initializeElement(at: position, to: UInt8(ascii: "-"))
                    default:
                        let nibble = UInt8((digits < 16 ? upper : lower) >> UInt64(60 - digits % 16 * 4) & 15)
                        let digit = nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") - 10 + nibble
                        unsafe text.initializeElement(at: position, to: digit)
                        digits += 1
                    }
                }
                return 36
            }
        )
    }
}
