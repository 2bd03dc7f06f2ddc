import XChatEvents

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// An open file that is closed when its one owner goes away.
package struct Descriptor: ~Copyable {
    /// The number by which the system knows the file.
    package let number: Int32
    /// What error texts call it.
    package let name: String
    private let isOwned: Bool

    private init(number: Int32, name: String, isOwned: Bool) {
        self.number = number
        self.name = name
        self.isOwned = isOwned
    }

    deinit {
        if isOwned {
            _ = close(number)
        }
    }

    package static var standardInput: Descriptor {
        Descriptor(number: STDIN_FILENO, name: "standard input", isOwned: false)
    }

    package static var standardOutput: Descriptor {
        Descriptor(number: STDOUT_FILENO, name: "standard output", isOwned: false)
    }

    package static var standardError: Descriptor {
        Descriptor(number: STDERR_FILENO, name: "standard error", isOwned: false)
    }

    /// Opens a file to be read.
    package static func reading(_ path: String) throws(AccountError) -> Descriptor {
        try open(path, O_RDONLY)
    }

    /// Opens a file; `flags` are those of `open(2)`, and a new file is for its owner alone.
    ///
    /// Error texts call it `name`, where the path would say nothing to anybody.
    package static func open(
        _ path: String,
        _ flags: Int32,
        named name: String? = nil
    ) throws(AccountError) -> Descriptor {
        guard let file = try open(path, flags, named: name, nilFor: 0) else { throw .system(name ?? path) }
        return file
    }

    /// Opens a file as ``open(_:_:named:)`` does; nil where the system reports one kind of error.
    static func open(
        _ path: String,
        _ flags: Int32,
        named name: String? = nil,
        nilFor tolerated: Int32
    ) throws(AccountError) -> Descriptor? {
        let name = name ?? path
        // The system would read a path only up to its first NUL, and so open another file than the one named.
        guard !path.utf8.contains(0) else { throw AccountError("\(quoted(path)): not a file name") }
        let number = retrying { platformOpen(path, flags | O_CLOEXEC, 0o600) }
        guard number >= 0 else {
            guard errno == tolerated else { throw .system(name) }
            return nil
        }
        return Descriptor(number: number, name: name, isOwned: true)
    }

    /// The next bytes, at most `count`; empty at the end.
    package func read(upTo count: Int) throws(AccountError) -> [UInt8] {
        var status = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            status = retrying { unsafe platformRead(number, buffer.baseAddress, count) }
            filled = max(0, status)
        }
        guard status >= 0 else { throw .system(name) }
        return bytes
    }

    /// All bytes to the end, refused beyond `limit`.
    package func readAll(limit: Int) throws(AccountError) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let chunk = try read(upTo: 1 << 16)
            guard !chunk.isEmpty else { return bytes }
            guard chunk.count <= limit - bytes.count else {
                throw AccountError("\(quoted(name)): larger than \(limit) bytes")
            }
            bytes += chunk
        }
    }

    /// Writes all of the bytes.
    ///
    /// - Returns: false when the reader at the other end has gone away.
    package func write(_ bytes: [UInt8]) throws(AccountError) -> Bool {
        var written = 0
        while written < bytes.count {
            let status = unsafe bytes.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[written...])
                return retrying { unsafe platformWrite(number, rest.baseAddress, rest.count) }
            }
            guard status >= 0 else {
                if errno == EPIPE {
                    return false
                }
                throw .system(name)
            }
            written += status
        }
        return true
    }

    /// Waits until what was written is on the medium.
    package func synchronize() throws(AccountError) {
        guard fsync(number) == 0 else { throw .system(name) }
    }

    /// Waits for the right to be the only one that holds this lock; it ends with the descriptor.
    ///
    /// Ours are held for a moment. Somebody else's may be held for ever, and so is told after a second and not waited for
    /// longer than `patience`.
    package func lock(patience: Duration = .seconds(30), isWaiting: () -> Void = {}) throws(AccountError) {
        let start = ContinuousClock.now
        var isTold = false
        while retrying({ flock(number, LOCK_EX | LOCK_NB) }) != 0 {
            guard errno == EWOULDBLOCK else { throw .system(name) }
            let waited = ContinuousClock.now - start
            guard waited < patience else { throw AccountError("\(quoted(name)): another process has it locked") }
            if waited > .seconds(1), !isTold {
                isWaiting()
                isTold = true
            }
            usleep(10_000)
        }
    }

    /// Takes the lock if that is possible at once; it ends with the descriptor.
    ///
    /// - Returns: Also true where the file system has no locks.
    func tryLock() -> Bool {
        retrying { flock(number, LOCK_EX | LOCK_NB) } == 0 || errno != EWOULDBLOCK
    }

    /// Whether it is a regular file of the user who runs this process.
    var isOwnRegularFile: Bool {
        var status = stat()
        return unsafe fstat(number, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_uid == geteuid()
    }

    /// Whether a path leads to this very file.
    func isAt(_ path: String) -> Bool {
        var (status, other) = (stat(), stat())
        return unsafe fstat(number, &status) == 0 && lstat(path, &other) == 0
            && status.st_dev == other.st_dev && status.st_ino == other.st_ino
    }

    /// The permission bits.
    func permissions() throws(AccountError) -> mode_t {
        var status = stat()
        guard unsafe fstat(number, &status) == 0 else { throw .system(name) }
        return status.st_mode & 0o777
    }

    package var isTerminal: Bool {
        isatty(number) == 1
    }
}

extension AccountError {
    /// The failure of making a file whose name is taken.
    static func existing(_ path: String) -> AccountError {
        AccountError("\(quoted(path)): \(unsafe String(cString: strerror(EEXIST)))")
    }

    /// The failure that the system just reported in `errno`, about a file.
    package static func system(_ path: String) -> AccountError {
        let reason = unsafe String(cString: strerror(errno))
        return AccountError("\(quoted(path)): \(reason)")
    }
}

/// A call that a signal interrupts is made again.
private func retrying<Status: SignedInteger>(_ call: () -> Status) -> Status {
    while true {
        let status = call()
        if status >= 0 || errno != EINTR {
            return status
        }
    }
}

// The names of the system's functions, out of reach of the methods that are named like them.
private func platformOpen(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 {
    unsafe open(path, flags, mode)
}

private func platformRead(_ number: Int32, _ start: UnsafeMutablePointer<UInt8>?, _ count: Int) -> Int {
    unsafe read(number, start, count)
}

private func platformWrite(_ number: Int32, _ start: UnsafeRawPointer?, _ count: Int) -> Int {
    unsafe write(number, start, count)
}
