/// The ids that a sender gives to events.
public enum MessageID {
    /// A fresh id: a random UUID of version 4, in lower case.
    public static func random() -> WireString {
        // Two draws and not sixteen: each is a system call, and the sixteen were a quarter of sealing a message.
        var generator = SystemRandomNumberGenerator()
        let upper = generator.next() & ~0xf000 | 0x4000
        let lower = generator.next() & (.max >> 2) | 1 << 63
        return WireString(
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
