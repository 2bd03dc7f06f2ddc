import Synchronization
import Testing
import XChatHTTP

@Suite(.timeLimit(.minutes(1)))
struct ConcurrentMapTests {
    private struct Refused: Error, Equatable {
        let number: Int
    }

    @Test("results are in the order of the elements", arguments: [0, 1, 7, 8, 9, 100])
    func order(_ count: Int) async {
        let results = await concurrentMap(Array(0..<count), atATime: 8) { number in
            // The first ones take longest.
            for _ in 0..<(count - number) { await Task.yield() }
            return number * 2
        }
        #expect(results == (0..<count).map { $0 * 2 })
    }

    @Test func `as many calls as the limit run at the same time, and never more`() async {
        let running = Mutex((now: 0, most: 0))
        _ = await concurrentMap(Array(0..<40), atATime: 4) { _ in
            running.withLock { running in
                running.now += 1
                running.most = max(running.most, running.now)
            }
            // Until the others have begun.
            try? await Task.sleep(for: .milliseconds(5))
            running.withLock { $0.now -= 1 }
        }
        #expect(running.withLock { $0.most } == 4)
    }

    @Test func `the first error is thrown, and no other call begins`() async {
        let begun = Mutex(0)
        await #expect(throws: Refused(number: 2)) {
            try await concurrentMap(Array(0..<100), atATime: 3) { number throws(Refused) in
                begun.withLock { $0 += 1 }
                guard number != 2 else { throw Refused(number: number) }
                // Cancelled when the other call fails.
                try? await Task.sleep(for: .seconds(40))
            }
        }
        #expect(begun.withLock { $0 } == 3)
    }
}
