import Synchronization
import XChatFiles

/// A store that knows which process holds a lease.
package protocol LeaseDirectory {
    /// The process that holds a lease; nil if none does, or if its number is not known.
    func leaseHolder(_ name: String) async -> Int32?
}

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
            // Names the holder to those who wait; the lock does not depend on it.
            try? file.overwrite(Array("\(ProcessID.own)\n".utf8))
            return FileLease(file)
        } catch {
            throw AccountError(error)
        }
    }

    /// The process that holds the lease; nil if none does, or if its number is not known.
    static func holder(_ path: String) -> Int32? {
        guard Files.exists(path), let file = try? Descriptor.reading(path), (try? file.tryLock()) == false else {
            return nil
        }
        guard let bytes = try? file.readAll(limit: 32) else { return nil }
        let digits = bytes.prefix { $0 != UInt8(ascii: "\n") }
        return String(validating: digits, as: UTF8.self).flatMap { Int32($0) }
    }

    /// Ends the lease; it also ends when the value goes away.
    func end() async {
        descriptor.withLock { $0 = nil }
    }
}
