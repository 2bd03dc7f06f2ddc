import Benchmark
import LibSodium

/// The wrapper around libsodium alone.
func sodiumBenchmarks() {
    let message = [UInt8](repeating: 0x78, count: 1024)
    let thousand = Benchmark.Configuration(scalingFactor: .kilo)
    Benchmark("secretbox-seal-1KB", configuration: thousand) { benchmark, key in
        for _ in benchmark.scaledIterations { blackHole(try SecretBox.seal(message.span, key: key.span)) }
    } setup: {
        try Sodium.randomBytes(count: SecretBox.keyByteCount)
    }
    Benchmark("secretbox-open-1KB", configuration: thousand) { benchmark, input in
        for _ in benchmark.scaledIterations { blackHole(try SecretBox.open(input.box.span, key: input.key.span)) }
    } setup: { () throws -> (key: [UInt8], box: [UInt8]) in
        let key = try Sodium.randomBytes(count: SecretBox.keyByteCount)
        return (key: key, box: try SecretBox.seal(message.span, key: key.span))
    }
    Benchmark("ed25519-sign-1KB") { benchmark in
        let pair = try Sign.keyPair()
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations {
            let signature = try pair.secretKey.withBytes { (key) throws(SodiumError) in
                try Sign.signature(for: message.span, secretKey: key)
            }
            blackHole(signature)
        }
    }
    Benchmark("ed25519-verify-1KB") { benchmark, input in
        for _ in benchmark.scaledIterations {
            blackHole(Sign.isValid(input.signature.span, for: message.span, publicKey: input.publicKey.span))
        }
    } setup: { () throws -> (publicKey: [UInt8], signature: [UInt8]) in
        let pair = try Sign.keyPair()
        let signature = try pair.secretKey.withBytes { (key) throws(SodiumError) in
            try Sign.signature(for: message.span, secretKey: key)
        }
        return (publicKey: pair.publicKey, signature: signature)
    }
}
