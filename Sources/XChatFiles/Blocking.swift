import Dispatch

/// The threads on which calls of this package wait for the system.
private let threads = DispatchQueue(label: "swift-xchat files", attributes: .concurrent)

/// Runs a function that blocks or computes for a long time on a thread outside of Swift's cooperative thread pool.
///
/// The pool has one thread for each core: a few calls that wait there for a disk, a lock or a terminal would stop every
/// task of the process. Cancelling the task does not interrupt the function, so long work should be divided into
/// several calls.
///
/// - Parameter body: The function.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws.
package func blocking<Value: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () throws(Failure) -> Value
) async throws(Failure) -> Value {
    let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
        threads.async {
            continuation.resume(returning: Result { () throws(Failure) in try body() })
        }
    }
    return try result.get()
}
