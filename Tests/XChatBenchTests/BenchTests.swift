import Testing
import XChat
import XChatEngine
import XChatEvents

@testable import XChatBench

/// The output of a measurement.
///
/// No test measures times.
struct BenchTests {
    /// Each case once, with the smallest input.
    private static let least = BenchEffort(secondsPerCase: 0, seconds: 0, batchCount: 20)

    private static let names = [
        "seal_text_32", "seal_text_1k", "seal_text_10k", "open_text_1k", "verify", "wrap_key", "unwrap_key",
        "key_change_100", "batch_open_10k", "stream_seal", "stream_open",
    ]

    @Test func `every operation has a row in both suites: its time, its floor and what follows`() throws {
        let cases = try BenchCases.all(Self.least)
        let names = cases.rows.map(\.name)
        for name in Self.names {
            #expect(names.contains(name))
            #expect(names.contains("sodium_" + name))
        }
        #expect(Set(names).count == names.count)

        for row in cases.rows {
            let place = try JSONLocation(parsing: Array(row.json.line.utf8), document: row.name)
            let keys = try place.members().map(\.key)
            #expect(keys == ["name", "median_ns", "floor_ns", "ratio_to_floor", "per_second"])
            #expect(try place.required("name").string() == WireString(row.name))
            let median = try place.required("median_ns").integer(Int.self)
            let floor = try place.required("floor_ns").integer(Int.self)
            #expect(median > 0 && floor > 0)
            let ratio = try #require(Double(place.required("ratio_to_floor").value.line))
            let perSecond = try #require(Double(place.required("per_second").value.line))
            // Within the error of rounding to whole nanoseconds and thousandths.
            #expect(abs(ratio - Double(median) / Double(floor)) < 0.002)
            #expect(abs(perSecond * Double(median) / 1e9 - 1) < 0.002)
        }

        let table = cases.table.split(separator: "\n")
        #expect(table.count == cases.rows.count + 2)
        for (line, row) in zip(table.dropFirst(2), cases.rows) { #expect(line.hasPrefix(row.name + " ")) }
    }

    @Test func `when the time is up, each case is measured once more and not again`() throws {
        var calls = 0
        var floorCalls = 0
        _ = try Stopwatch(end: .now).measure {
            calls += 1
            work()
        } floor: {
            floorCalls += 1
            work()
        }
        // Once to see how long it takes, once to measure it.
        #expect(calls == 2)
        #expect(floorCalls == 2)
    }

    @Test func `a failing operation is not measured`() {
        #expect(throws: BarePrimitiveFailed.self) {
            try Stopwatch(end: .now).measure {
                try require(false)
            } floor: {
                work()
            }
        }
        #expect(throws: BarePrimitiveFailed.self) {
            try Stopwatch(end: .now).measure {
                work()
            } floor: {
                try require(false)
            }
        }
    }

    @Test func `a quick run keeps half of its minute for preparation and for the last samples`() {
        #expect(BenchEffort.quick.seconds <= 30)
        #expect(BenchEffort.quick.batchCount == 10_000)
    }

    /// Longer than the time below which several calls are measured together.
    private func work() {
        let end = ContinuousClock.now + .microseconds(50)
        while ContinuousClock.now < end {}
    }
}
