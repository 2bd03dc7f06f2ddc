import Synchronization
import Testing
import XChatEngine

struct ConcurrentTests {
    @Test("each element is mapped once, and the results are in order", arguments: [0, 1, 16, 17, 33, 1000])
    func order(_ count: Int) {
        let calls = Mutex(Array(repeating: 0, count: count))
        let results = concurrentMap(Array(0..<count)) { number in
            calls.withLock { $0[number] += 1 }
            return "\(number)"
        }
        #expect(results == (0..<count).map { "\($0)" })
        #expect(calls.withLock { $0.allSatisfy { $0 == 1 } })
    }
}
