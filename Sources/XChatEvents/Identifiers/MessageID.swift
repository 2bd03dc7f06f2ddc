/// The ids that a sender gives to events.
public enum MessageID {
    /// A fresh id: a random UUID of version 4, in lower case.
    public static func random() -> WireString {
        // Two draws and not sixteen: each is a system call, and the sixteen were a quarter of sealing a message.
        var generator = SystemRandomNumberGenerator()
        let halves = [
            generator.next() & ~0xf000 | 0x4000,
            generator.next() & (.max >> 2) | 1 << 63,
        ]
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for position in 0..<32 {
            if [8, 12, 16, 20].contains(position) { text.append(UInt8(ascii: "-")) }
            let nibble = halves[position / 16] >> UInt64(60 - position % 16 * 4) & 15
            text.append(digits[Int(nibble)])
        }
        return WireString(String(decoding: text, as: UTF8.self))
    }
}
