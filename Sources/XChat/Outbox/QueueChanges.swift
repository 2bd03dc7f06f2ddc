import Synchronization
import XChatFiles

/// Tells when a queue may have changed: at once for changes of this process, within a short time for those of others.
///
/// Waiting runs no query: changes of other processes are found by the size and time of the store's files.
public final class QueueChanges: Sendable {
    private struct State {
        var version: UInt64 = 1
        /// Changes when messages that were handed out may have been dropped or put back.
        var edits: UInt64 = 1
        /// Changes when another process may have changed the queue.
        var elsewhere: UInt64 = 1
        var lastWaiter: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())
    private let hasChangedElsewhere: @Sendable () -> Bool
    /// How often the changes of other processes are looked for.
    package let interval: Duration

    /// Watches a queue.
    ///
    /// - Parameters:
    ///   - interval: How often `hasChangedElsewhere` is asked while something waits.
    ///   - hasChangedElsewhere: Whether another process may have changed the queue since the last call; must be quick.
    public init(
        interval: Duration = .milliseconds(250),
        hasChangedElsewhere: @escaping @Sendable () -> Bool = { false }
    ) {
        self.interval = interval
        self.hasChangedElsewhere = hasChangedElsewhere
    }

    /// A number that changes with the queue.
    public var version: UInt64 {
        look()
        return state.withLock { $0.version }
    }

    /// A number that changes when another process may have changed the queue.
    public var elsewhere: UInt64 {
        look()
        return state.withLock { $0.elsewhere }
    }

    private func look() {
        guard hasChangedElsewhere() else { return }
        state.withLock { $0.elsewhere &+= 1 }
        report()
    }

    /// A number that changes when queued messages may have been dropped, put back or replaced.
    public var edits: UInt64 { state.withLock { $0.edits } }

    /// Wakes everything that waits for a change.
    ///
    /// - Parameter isEdit: Whether messages that were handed out may have changed.
    public func report(isEdit: Bool = false) {
        let waiters = state.withLock { state in
            state.version &+= 1
            if isEdit { state.edits &+= 1 }
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until ``version`` differs from the given one, until some time has passed, or until the task is cancelled.
    ///
    /// - Parameters:
    ///   - version: The version that was seen.
    ///   - limit: How long to wait at most; nil to wait for a change only.
    public func wait(after version: UInt64, upTo limit: Duration?) async {
        let deadline = limit.map { ContinuousClock.now + $0 }
        while self.version == version, !Task.isCancelled {
            var pause = interval
            if let deadline {
                pause = min(pause, deadline - ContinuousClock.now)
                guard pause > .zero else { return }
            }
            await wait(after: version, pause)
        }
    }

    private func wait(after version: UInt64, _ pause: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.nextReport(after: version) }
            group.addTask { try? await Task.sleep(for: pause) }
            await group.next()
            group.cancelAll()
        }
    }

    private func nextReport(after version: UInt64) async {
        let id = state.withLock { state in
            state.lastWaiter &+= 1
            return state.lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard state.version == version, !Task.isCancelled else { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }
}

/// Notices changes of a file by its size and time of change.
final class FileWatch: Sendable {
    private struct State {
        var last: FileVersion?
        /// Whether the file had just changed when it was last looked at.
        ///
        /// File systems keep times in steps of some milliseconds, so a second change may have the same time as the
        /// first.
        var isUncertain = true
        /// Between ``beginOwnChange()`` and its end.
        var isOwnChange = false
    }

    private let path: String
    private let state = Mutex(State())

    init(_ path: String) {
        self.path = path
    }

    /// Whether the file may have changed since the last call, or since ``settle()``; false during a change of this
    /// process.
    func hasChanged() -> Bool {
        state.withLock { state in
            guard !state.isOwnChange else { return false }
            let version = Files.version(path)
            if version != state.last {
                state = State(last: version, isUncertain: true)
                return true
            }
            guard state.isUncertain, version.map({ $0.age > .milliseconds(50) }) ?? true else { return false }
            state.isUncertain = false
            return true
        }
    }

    /// This process is about to change the file, and no other one can; ``settle()`` or ``endOwnChange()`` must follow.
    func beginOwnChange() {
        state.withLock { $0.isOwnChange = true }
    }

    /// The change failed; the file may have changed anyway.
    func endOwnChange() {
        state.withLock { $0.isOwnChange = false }
    }

    /// Notes the present version of the file as seen, because this process changed it.
    func settle() {
        state.withLock { $0 = State(last: Files.version(path), isUncertain: true) }
    }
}
