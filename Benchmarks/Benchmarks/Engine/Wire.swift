import Benchmark
import Fixtures
import XChatEngine
import XChatEvents

/// Thrift and base64, a thousand times in a row: one is too short for the clock.
func wireBenchmarks() {
    let thousand = Benchmark.Configuration(scalingFactor: .kilo)
    Benchmark("thrift-decode-1KB", configuration: thousand) { benchmark, bytes in
        for _ in benchmark.scaledIterations { blackHole(try MessageEvent(decoding: bytes)) }
    } setup: {
        try People(.xchat).message(text(1024)).event.encoded()
    }
    Benchmark("thrift-encode-1KB", configuration: thousand) { benchmark, event in
        for _ in benchmark.scaledIterations { blackHole(event.encoded()) }
    } setup: {
        try People(.xchat).message(text(1024)).event
    }
    let bytes = [UInt8](repeating: 0xa5, count: 65_536)
    Benchmark("base64-encode-64KiB") { benchmark in
        for _ in benchmark.scaledIterations { blackHole(Base64.encode(bytes)) }
    }
    let encoded = Base64.encode(bytes)
    Benchmark("base64-decode-64KiB") { benchmark in
        for _ in benchmark.scaledIterations { blackHole(try Base64.decode(encoded)) }
    }
}
