import Synchronization
import XChatHTTP

/// The calls of an account that are in progress: closing the account ends them.
final class OpenCalls: Sendable {
    private struct Call: Sendable {
        let cancel: @Sendable () -> Void
        let end: @Sendable () async -> Void
    }

    private struct State {
        var calls: [UInt64: Call] = [:]
        var last: UInt64 = 0
        var isClosed = false
    }

    private let state = Mutex(State())

    private static var closed: AccountError {
        AccountError(.closed, "the account is closed; open it again to use it")
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Throws if the account is closed.
    ///
    /// - Throws: `closed`.
    func check() throws(AccountError) {
        if isClosed { throw Self.closed }
    }

    /// Runs a call in a task that ``close()`` cancels.
    ///
    /// - Parameter body: The call.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws; `closed` after ``close()``, also for a call that it cancelled.
    func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let (number, task) = try state.withLock { state throws(AccountError) in
            guard !state.isClosed else { throw Self.closed }
            let task = Task { try await body() }
            state.last &+= 1
            state.calls[state.last] = Call(cancel: { task.cancel() }, end: { _ = await task.result })
            return (state.last, task)
        }
        let result = await withTaskCancellationHandler {
            await task.result
        } onCancel: {
            task.cancel()
        }
        let isClosed = state.withLock { state in
            state.calls[number] = nil
            return state.isClosed
        }
        if case .failure(let error) = result, isClosed, error.isCancellation { throw Self.closed }
        return try result.get()
    }

    /// Refuses all further calls, cancels those in progress and waits for their ends.
    func close() async {
        let calls = state.withLock { state in
            state.isClosed = true
            return Array(state.calls.values)
        }
        for call in calls { call.cancel() }
        for call in calls { await call.end() }
    }
}

extension Error {
    /// Whether a call ended because its task was cancelled.
    fileprivate var isCancellation: Bool {
        self is CancellationError || (self as? APIError)?.code == .cancelled
    }
}
