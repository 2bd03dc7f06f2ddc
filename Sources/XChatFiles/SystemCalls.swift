import SystemPackage

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

// This file contains the system calls that swift-system does not have. Each one throws `Errno`, and is repeated if a
// signal interrupts it.

extension FileDescriptor {
    /// The option that creates a file without a name in a folder; nil if the system has no such option.
    static var unnamedFile: OpenOptions? {
        #if os(Linux) || os(Android)
            // Swift does not import the macro `O_TMPFILE`. Kernels without it refuse the call as an attempt to write to
            // a folder.
            return OpenOptions(rawValue: 0o20_000_000 | O_DIRECTORY)
        #else
            return nil
        #endif
    }

    /// Opens `/dev/null` in place of each closed standard stream.
    static func occupyStandardStreams() {
        for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) == -1 {
            // Opened in the opposite direction, so that reading or writing still fails.
            _ = try? open(FilePath("/dev/null"), number == STDIN_FILENO ? .writeOnly : .readOnly)
        }
    }

    /// Waits until the written bytes are on storage: `fsync`.
    func synchronize() throws(Errno) {
        try check { fsync(rawValue) }
    }

    /// Takes the exclusive lock of the open file, without waiting: `flock`.
    ///
    /// - Throws: `wouldBlock` if another open file holds the lock.
    func lock() throws(Errno) {
        try check { flock(rawValue, LOCK_EX | LOCK_NB) }
    }

    /// Waits until bytes can be read or the file has ended: `poll`.
    ///
    /// - Parameter milliseconds: The longest time to wait.
    /// - Returns: Whether bytes can be read or the file has ended; `false` if the time is over.
    /// - Throws: The error of the system.
    func waitForInput(milliseconds: Int32) throws(Errno) -> Bool {
        var entry = pollfd(fd: rawValue, events: Int16(POLLIN), revents: 0)
        var count: Int32 = 0
        try check {
            count = unsafe poll(&entry, 1, milliseconds)
            return count
        }
        return count > 0
    }

    /// Gives the open file a name, also if it has none yet: `linkat`.
    ///
    /// - Throws: `fileExists` if the name is taken.
    func link(as path: String) throws(Errno) {
        try check { unsafe linkat(AT_FDCWD, "/proc/self/fd/\(rawValue)", AT_FDCWD, path, AT_SYMLINK_FOLLOW) }
    }

    var isTerminal: Bool { isatty(rawValue) == 1 }

    /// The width of the terminal: `ioctl`; nil if the file is no terminal, or the terminal does not know its width.
    var columns: Int? {
        var size = winsize()
        guard unsafe ioctl(rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}

/// System calls that take paths.
///
/// The system reads a path only up to its first zero byte, and would use a different file. Callers refuse a path with a
/// zero byte, unless the function itself does.
enum Paths {
    /// Whether a path leads to a file or folder: `access`; false for a path with a zero byte.
    static func isReachable(_ path: String) -> Bool {
        guard !path.utf8.contains(0) else { return false }
        return unsafe access(path, F_OK) == 0
    }

    static func rename(_ path: String, to target: String) throws(Errno) {
        try check { systemRename(path, target) }
    }

    /// Gives a file a second name.
    static func link(_ path: String, as name: String) throws(Errno) {
        try check { systemLink(path, name) }
    }

    static func unlink(_ path: String) throws(Errno) {
        try check { systemUnlink(path) }
    }

    /// Makes a folder that only its owner can enter.
    static func makeFolder(_ path: String) throws(Errno) {
        try check { unsafe mkdir(path, 0o700) }
    }

    /// Lets only the owner read and write a file.
    static func makePrivate(_ path: String) throws(Errno) {
        try check { unsafe chmod(path, 0o600) }
    }

    /// The target of a symbolic link; nil if the path is not a link or contains a zero byte, or if the target is not
    /// UTF-8.
    static func linkTarget(_ path: String) -> String? {
        guard !path.utf8.contains(0) else { return nil }
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, count in
            count = unsafe UnsafeMutableRawBufferPointer(buffer).withMemoryRebound(to: CChar.self) { buffer in
                guard let start = buffer.baseAddress else { return 0 }
                return unsafe max(0, readlink(path, start, buffer.count))
            }
        }
        return bytes.isEmpty ? nil : String(validating: bytes, as: UTF8.self)
    }

    /// The names in a folder that are UTF-8, as all file names of this package are; empty if the folder cannot be read.
    static func names(in folder: String) -> [String] {
        guard let stream = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { start in
                unsafe String(validatingCString: UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self))
            }
            if let name { names.append(name) }
        }
        return names
    }

    /// The user that this process runs as.
    static var userID: UInt32 { geteuid() }
}

extension Stat {
    /// When the content was last changed, since 1970.
    var changeTime: (seconds: Int64, nanoseconds: Int64) {
        (Int64(st_mtim.tv_sec), Int64(st_mtim.tv_nsec))
    }
}

extension Errno {
    /// The error of the last system call of this thread that failed.
    static var lastError: Errno { Errno(rawValue: errno) }
}

private func check(_ call: () -> Int32) throws(Errno) {
    while call() < 0 {
        let error = Errno.lastError
        guard error == .interrupted else { throw error }
    }
}

// The system's functions, whose names the functions above would hide.
private func systemRename(_ path: String, _ target: String) -> Int32 { unsafe rename(path, target) }
private func systemLink(_ path: String, _ name: String) -> Int32 { unsafe link(path, name) }
private func systemUnlink(_ path: String) -> Int32 { unsafe unlink(path) }

/// The clock from which the system takes the times of files.
enum SystemClock {
    /// The time since 1970: `clock_gettime`.
    static var now: (seconds: Int64, nanoseconds: Int64) {
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &now)
        return (Int64(now.tv_sec), Int64(now.tv_nsec))
    }
}
