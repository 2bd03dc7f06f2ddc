import Benchmark
import Fixtures
import XChatEngine
import XChatEvents

/// Sealing goes from a text to the body of the request, opening and verifying begin at base64.
func messageBenchmarks() {
    for suite in [SuiteName.xchat, .sodium] {
        for (size, count) in [("32B", 32), ("1KB", 1024), ("10KB", 10_240)] {
            let text = text(count)
            Benchmark("seal-\(size)-\(suite)") { benchmark, people in
                for _ in benchmark.scaledIterations { blackHole(try people.message(text)) }
            } setup: {
                try People(suite)
            }
            Benchmark("open-\(size)-\(suite)") { benchmark, input in
                var bob = input.people.bob
                for _ in benchmark.scaledIterations { blackHole(try bob.open(try MessageEvent(base64: input.line))) }
            } setup: { () throws -> (people: People, line: String) in
                let people = try People(suite)
                return (people: people, line: try people.line(text))
            }
        }
        Benchmark("verify-1KB-\(suite)") { benchmark, input in
            for _ in benchmark.scaledIterations { try input.people.bob.verify(try MessageEvent(base64: input.line)) }
        } setup: { () throws -> (people: People, line: String) in
            let people = try People(suite)
            return (people: people, line: try people.line(text(1024)))
        }
    }
}
