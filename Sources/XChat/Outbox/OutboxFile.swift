import Synchronization
import XChatFiles

/// The file of an outbox.
enum OutboxFile {
    /// Creates the file for its owner alone, or takes permissions of others from an existing one.
    static func prepare(_ path: String) throws(OutboxError) {
        do {
            try Files.makePrivate(path)
        } catch {
            throw OutboxError(.inaccessible, error.reasonText)
        }
    }
}

/// A lock between processes.
///
/// The system releases it when the process that holds it ends.
final class OutboxLock: Sendable {
    private let path: String
    private let file = Mutex<Descriptor?>(nil)

    init(path: String) {
        self.path = path
    }

    /// Takes the lock without waiting.
    ///
    /// - Returns: false if it is held, by this process or by another one.
    func tryLock() throws(OutboxError) -> Bool {
        try file.withLock { (file) throws(OutboxError) in
            guard file == nil else { return false }
            do throws(FileError) {
                let opened = try Descriptor.lockFile(path)
                guard try opened.tryLock() else { return false }
                file = .some(opened)
                return true
            } catch {
                throw OutboxError(.inaccessible, "the lock cannot be taken (\(error.reasonText))")
            }
        }
    }

    func unlock() {
        file.withLock { $0 = nil }
    }
}
