import Dispatch
import Synchronization

/// Runs a body for each index below `count` on up to `cores` threads, and returns when all calls have returned.
///
/// This is the only place where the package spreads work over processor cores: `concurrentMap` of the engine builds on
/// it.
package func concurrently(_ count: Int, cores: Int, _ body: @Sendable (Int) -> Void) {
    // Each thread takes the next index when it is free. A thread whose core is busy with other work then takes fewer.
    let next = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: min(count, cores)) { _ in
        while true {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < count else { return }
            body(index)
        }
    }
}
