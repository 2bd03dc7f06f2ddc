import Synchronization
import XChatFiles

/// A lease as a lock on a file; the system ends it with the process.
final class FileLease: StoreLease {
    private let descriptor: Mutex<Descriptor?>

    private init(_ descriptor: consuming Descriptor) {
        self.descriptor = Mutex(descriptor)
    }

    /// Takes the lease if it is free.
    ///
    /// Two leases on one file exclude each other in one process too: each has an open file of its own.
    static func take(_ path: String) throws(AccountError) -> FileLease? {
        do throws(FileError) {
            let file = try Descriptor.lockFile(path)
            guard try file.tryLock() else { return nil }
            return FileLease(file)
        } catch {
            throw AccountError(error)
        }
    }

    /// Ends the lease; it also ends when the value goes away.
    func end() async {
        descriptor.withLock { $0 = nil }
    }
}
