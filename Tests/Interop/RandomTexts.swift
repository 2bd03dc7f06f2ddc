import Foundation

/// Random texts of all kinds that a text field can contain; the same seed gives the same texts.
struct RandomTexts {
    /// The seed of this run; to repeat a failing run, set the environment variable `INTEROP_SEED` to it.
    let seed: UInt64
    private var generator: SplitMix64

    /// The seed in the environment; nil if the variable is not set.
    static var namedSeed: UInt64? {
        ProcessInfo.processInfo.environment["INTEROP_SEED"].flatMap { UInt64($0) }
    }

    init() {
        seed = Self.namedSeed ?? UInt64.random(in: .min ... .max)
        generator = SplitMix64(seed: seed)
    }

    /// Texts that every run contains: each of them is known to break parsers.
    private static let known = [
        "", "a", "\u{0}", "a\u{0}b", ",", ",\u{301}", "null", "\n", "\r\n", "\u{85}\u{2028}\u{2029}", "\u{FEFF}",
        "\"\\/",
        "\u{E9}", "e\u{301}", "👍", "👩‍👩‍👧‍👦🏳️‍🌈", "שלום, עולם", "مرحبا بالعالم", "\u{202E}gnp.exe\u{202C}", "\u{FFFF}\u{10FFFF}",
        String(repeating: "x", count: 65536), String(repeating: "é", count: 32768),
        String(repeating: "😀", count: 16384), String(repeating: "\u{0}", count: 65536),
    ]

    /// Ranges of scalars: letters, control characters, combining marks, right-to-left scripts, emoji, and all scalars.
    private static let scripts: [ClosedRange<UInt32>] = [
        0x20...0x7E, 0x00...0x1F, 0xA1...0x24F, 0x300...0x36F, 0x590...0x6FF, 0x2000...0x206F, 0x4E00...0x9FFF,
        0x1F300...0x1FAFF, 0x00...0x10FFFF,
    ]

    /// - Parameter count: The number of texts, at least that of the known ones.
    /// - Returns: The known texts, and random ones of up to 300 scalars.
    mutating func take(_ count: Int) -> [String] {
        var texts = Self.known
        while texts.count < count {
            let script = Self.scripts[Int.random(in: Self.scripts.indices, using: &generator)]
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...300, using: &generator) {
                // Surrogates are not scalars: for them the initializer returns nil.
                if let scalar = Unicode.Scalar(UInt32.random(in: script, using: &generator)) { text.append(scalar) }
            }
            texts.append(String(text))
        }
        return texts
    }

    /// - Parameter range: The possible numbers.
    /// - Returns: The next number of the sequence.
    mutating func number(in range: Range<Int>) -> Int {
        Int.random(in: range, using: &generator)
    }
}

/// The SplitMix64 generator of Steele, Lea and Flood (2014): small, and the same on every platform.
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
