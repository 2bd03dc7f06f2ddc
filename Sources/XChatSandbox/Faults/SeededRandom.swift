import Synchronization

/// Random numbers that can be repeated: the same seed gives the same faults to the same requests.
final class SeededRandom: Sendable {
    private let generator: Mutex<SplitMix64>

    init(seed: UInt64?) {
        generator = Mutex(SplitMix64(state: seed ?? UInt64.random(in: .min ... .max)))
    }

    /// Evenly from 0 up to but not including 1.
    func next() -> Double {
        generator.withLock { Double.random(in: 0..<1, using: &$0) }
    }

    func happens(_ probability: Double) -> Bool {
        probability > 0 && next() < probability
    }
}

/// The generator of Steele, Lea and Flood: small, seedable, and good enough to roll dice with.
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
