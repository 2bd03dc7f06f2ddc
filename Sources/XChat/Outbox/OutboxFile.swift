import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The file system's part of an outbox: a file that only its owner can read, and the lock beside it.
enum OutboxFile {
    /// Makes the file if there is none, and takes it from the eyes of others if there is one.
    ///
    /// SQLite gives its other files the mode of the first. An existing file is not opened here: closing it again would
    /// end the locks that SQLite holds on it in this process.
    static func prepare(_ path: String) throws(OutboxError) {
        guard !path.isEmpty, !path.utf8.contains(0) else { throw OutboxError(.inaccessible, "no file name") }
        let number = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if number >= 0 {
            _ = close(number)
            return
        }
        guard errno == EEXIST else { throw OutboxError(.inaccessible, "cannot be created (\(systemError()))") }
        var information = stat()
        guard unsafe stat(path, &information) == 0 else {
            throw OutboxError(.inaccessible, "cannot be read (\(systemError()))")
        }
        guard information.st_mode & S_IFMT == S_IFREG else { throw OutboxError(.inaccessible, "is no file") }
        if information.st_mode & 0o077 != 0, unsafe chmod(path, 0o600) != 0 {
            throw OutboxError(.inaccessible, "others can read it, and that cannot be changed (\(systemError()))")
        }
    }

    static func systemError() -> String {
        unsafe String(cString: strerror(errno))
    }
}

/// A lock between processes, which the system ends with the process that holds it.
final class OutboxLock: Sendable {
    private let path: String
    private let descriptor = Mutex<Int32?>(nil)

    init(path: String) {
        self.path = path
    }

    deinit {
        unlock()
    }

    func tryLock() throws(OutboxError) -> Bool {
        try descriptor.withLock { (descriptor) throws(OutboxError) in
            guard descriptor == nil else { return false }
            let number = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard number >= 0 else {
                throw OutboxError(.inaccessible, "the lock cannot be opened (\(OutboxFile.systemError()))")
            }
            guard flock(number, LOCK_EX | LOCK_NB) == 0 else {
                let reason = errno
                _ = close(number)
                guard reason == EWOULDBLOCK || reason == EINTR else {
                    throw OutboxError(.inaccessible, "the lock cannot be taken (error \(reason))")
                }
                return false
            }
            descriptor = number
            return true
        }
    }

    func unlock() {
        descriptor.withLock { descriptor in
            if let number = descriptor { _ = close(number) }
            descriptor = nil
        }
    }
}
