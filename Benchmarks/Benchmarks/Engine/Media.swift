import Benchmark
import XChatEngine

/// Files in pushes of one length, into a buffer that is used again: memory is that of a push, not of the file.
func mediaBenchmarks() {
    let kibibyte = 1024
    let mebibyte = 1024 * kibibyte
    let cases = [
        ("1KiB-by-1KiB", kibibyte, kibibyte),
        ("1MiB-by-1B", mebibyte, 1),
        ("64MiB-by-1KiB", 64 * mebibyte, kibibyte),
        ("64MiB-by-64KiB", 64 * mebibyte, 64 * kibibyte),
        ("64MiB-by-16MiB", 64 * mebibyte, 16 * mebibyte),
        ("1GiB-by-64KiB", 1024 * mebibyte, 64 * kibibyte),
    ]
    for (name, total, push) in cases {
        Benchmark("media-encrypt-\(name)") { benchmark in
            let key = try ConversationKey.generate()
            let piece = [UInt8](repeating: 0x78, count: push)
            var output: [UInt8] = []
            benchmark.startMeasurement()
            for _ in benchmark.scaledIterations {
                var encryptor = try MediaEncryptor(key: key)
                for _ in 0..<total / push {
                    output.removeAll(keepingCapacity: true)
                    try encryptor.push(piece, appendingTo: &output)
                }
                try encryptor.finish(appendingTo: &output)
            }
            blackHole(output)
        }
    }
    // The whole stream is in memory: its length counts among the memory of these.
    for (name, total, push) in cases.dropLast() {
        Benchmark("media-decrypt-\(name)") { benchmark, input in
            var output: [UInt8] = []
            for _ in benchmark.scaledIterations {
                var decryptor = MediaDecryptor(key: input.key)
                let stream = input.stream.span
                var start = 0
                while start < stream.count {
                    let end = min(start + push, stream.count)
                    output.removeAll(keepingCapacity: true)
                    try decryptor.push(stream.extracting(start..<end), appendingTo: &output)
                    start = end
                }
                try decryptor.finish(appendingTo: &output)
            }
            blackHole(output)
        } setup: { () throws -> (key: ConversationKey, stream: [UInt8]) in
            let key = try ConversationKey.generate()
            var encryptor = try MediaEncryptor(key: key)
            var stream: [UInt8] = []
            stream.reserveCapacity(MediaEncryptor.encryptedSize(of: total) ?? 0)
            let piece = [UInt8](repeating: 0x78, count: min(total, mebibyte))
            for _ in 0..<total / piece.count { try encryptor.push(piece, appendingTo: &stream) }
            try encryptor.finish(appendingTo: &stream)
            return (key: key, stream: stream)
        }
    }
    Benchmark("media-encrypt-and-decrypt-1GiB-by-1MiB", configuration: .init(maxIterations: 2)) { benchmark in
        let key = try ConversationKey.generate()
        let piece = [UInt8](repeating: 0x78, count: mebibyte)
        var sealed: [UInt8] = []
        var opened: [UInt8] = []
        for _ in benchmark.scaledIterations {
            var encryptor = try MediaEncryptor(key: key)
            var decryptor = MediaDecryptor(key: key)
            for _ in 0..<1024 {
                sealed.removeAll(keepingCapacity: true)
                opened.removeAll(keepingCapacity: true)
                try encryptor.push(piece, appendingTo: &sealed)
                try decryptor.push(sealed, appendingTo: &opened)
            }
            sealed.removeAll(keepingCapacity: true)
            try encryptor.finish(appendingTo: &sealed)
            try decryptor.push(sealed, appendingTo: &opened)
            try decryptor.finish(appendingTo: &opened)
        }
        blackHole(opened)
    }
}
