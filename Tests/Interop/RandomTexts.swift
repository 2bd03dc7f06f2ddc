import Foundation

/// Texts of every sort that a text field can hold, the same ones again for the same seed.
struct RandomTexts {
    /// Tells a failing run how to come back: set it in the environment variable `INTEROP_SEED`.
    let seed: UInt64
    private var generator: SplitMix64

    /// The seed that the environment names, if it names one.
    static var namedSeed: UInt64? {
        ProcessInfo.processInfo.environment["INTEROP_SEED"].flatMap { UInt64($0) }
    }

    init() {
        seed = Self.namedSeed ?? UInt64.random(in: .min ... .max)
        generator = SplitMix64(seed: seed)
    }

    /// The texts that are always among them, since each has broken a parser before.
    private static let known = [
        "", "a", "\u{0}", "a\u{0}b", ",", ",\u{301}", "null", "\n", "\r\n", "\u{85}\u{2028}\u{2029}", "\u{FEFF}",
        "\"\\/",
        "\u{E9}", "e\u{301}", "👍", "👩‍👩‍👧‍👦🏳️‍🌈", "שלום, עולם", "مرحبا بالعالم", "\u{202E}gnp.exe\u{202C}", "\u{FFFF}\u{10FFFF}",
        String(repeating: "x", count: 65536), String(repeating: "é", count: 32768),
        String(repeating: "😀", count: 16384), String(repeating: "\u{0}", count: 65536),
    ]

    /// Letters, and then what is not: right-to-left scripts, combining marks, emoji, and any scalar at all.
    private static let scripts: [ClosedRange<UInt32>] = [
        0x20...0x7E, 0x00...0x1F, 0xA1...0x24F, 0x300...0x36F, 0x590...0x6FF, 0x2000...0x206F, 0x4E00...0x9FFF,
        0x1F300...0x1FAFF, 0x00...0x10FFFF,
    ]

    /// - Parameter count: How many texts, at least as many as there are known ones.
    /// - Returns: The known texts, and random ones of up to 300 scalars.
    mutating func take(_ count: Int) -> [String] {
        var texts = Self.known
        while texts.count < count {
            let script = Self.scripts[Int.random(in: Self.scripts.indices, using: &generator)]
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...300, using: &generator) {
                // Surrogates are no scalars and come out as nil.
                if let scalar = Unicode.Scalar(UInt32.random(in: script, using: &generator)) { text.append(scalar) }
            }
            texts.append(String(text))
        }
        return texts
    }

    /// - Parameter range: Where the number lies.
    /// - Returns: The next number of the sequence.
    mutating func number(in range: Range<Int>) -> Int {
        Int.random(in: range, using: &generator)
    }
}

/// The generator of Steele, Lea and Flood (2014): small, and the same on every platform.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
