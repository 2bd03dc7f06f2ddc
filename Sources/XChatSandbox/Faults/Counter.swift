import Synchronization

/// A counter that several threads may use.
final class Counter: Sendable {
    private let count = Mutex(0)

    /// Adds one, unless the limit is reached.
    ///
    /// Returns whether it added one.
    func next(upTo limit: Int) -> Bool {
        count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
    }
}
