#if TESTABLE
    import Dispatch
    import Synchronization

    import class Foundation.FileManager
    import struct Foundation.UUID

    /// Runs asynchronous code and waits for it; not on a thread of Swift's concurrency pool.
    func blocking<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let box = Box<Value>()
        let done = DispatchSemaphore(value: 0)
        Task {
            let result: Result<Value, any Error>
            do {
                result = .success(try await body())
            } catch {
                result = .failure(error)
            }
            box.result.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        guard let result = box.result.withLock({ $0 }) else { throw FuzzFailure("a task ended without a result") }
        return try result.get()
    }

    private final class Box<Value: Sendable>: Sendable {
        let result = Mutex<Result<Value, any Error>?>(nil)
    }

    /// A folder of this process, which `script/fuzz` and the system remove.
    enum ScratchFolder {
        static let path = Result {
            let url = FileManager.default.temporaryDirectory.appending(path: "xchat-fuzzing-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            return url.path
        }
    }
#endif
