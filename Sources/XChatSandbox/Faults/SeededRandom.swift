import Synchronization

/// Random numbers that can be repeated: the same seed gives the same faults for the same requests.
final class SeededRandom: Sendable {
    private let generator: Mutex<SplitMix64>

    init(seed: UInt64?) {
        generator = Mutex(SplitMix64(state: seed ?? UInt64.random(in: .min ... .max)))
    }

    /// A random number, evenly distributed in 0..<1.
    func next() -> Double {
        generator.withLock { Double.random(in: 0..<1, using: &$0) }
    }

    func happens(_ probability: Double) -> Bool {
        probability > 0 && next() < probability
    }
}

/// The SplitMix64 generator of Steele, Lea and Flood: small and seedable, and sufficient for test faults.
///
/// SplitMix64 is not cryptographically secure: never use it for keys or tokens.
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
