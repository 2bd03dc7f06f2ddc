import Synchronization

/// How often something happened; requests are handled on several threads.
final class Counter: Sendable {
    private let count = Mutex(0)

    /// Counts one more, unless there were as many.
    func next(upTo limit: Int) -> Bool {
        count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
    }
}
