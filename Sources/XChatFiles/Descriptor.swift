package import SystemPackage

/// An open file with a single owner; it is closed when the value is destroyed.
///
/// `FileDescriptor` of swift-system is only a number. This type adds the ownership, and the name of the file for
/// errors.
package struct Descriptor: ~Copyable, Sendable {
    let file: FileDescriptor
    /// The name of the file in error texts.
    package let name: String
    private let isOwned: Bool

    /// The number of the open file, for system calls that this type does not have.
    ///
    /// Do not close it: this value closes it when it is destroyed.
    package var number: Int32 { file.rawValue }

    private init(_ file: FileDescriptor, name: String, isOwned: Bool) {
        self.file = file
        self.name = name
        self.isOwned = isOwned
    }

    deinit {
        if isOwned { try? file.close() }
    }

    package static var standardInput: Descriptor {
        Descriptor(.standardInput, name: "standard input", isOwned: false)
    }

    package static var standardOutput: Descriptor {
        Descriptor(.standardOutput, name: "standard output", isOwned: false)
    }

    package static var standardError: Descriptor {
        Descriptor(.standardError, name: "standard error", isOwned: false)
    }

    /// Opens closed standard streams, so that no file or socket that is opened later gets the descriptor 0, 1 or 2.
    ///
    /// Otherwise output would be written into that file.
    package static func occupyStandardStreams() { FileDescriptor.occupyStandardStreams() }

    /// The terminal of this process, for reading and writing; nil if the process has no terminal.
    package static func terminal() -> Descriptor? {
        guard let device = try? open("/dev/tty", .readWrite), device.isTerminal else { return nil }
        return device
    }

    /// Opens a file that is used only as a lock, and creates it if it does not exist.
    package static func lockFile(_ path: String) throws(FileError) -> Descriptor {
        try open(path, .readWrite, [.create, .noFollow])
    }

    /// Opens a file for reading.
    package static func reading(_ path: String) throws(FileError) -> Descriptor {
        try open(path, .readOnly)
    }

    /// Opens a file that child processes do not inherit.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - mode: Whether the file is read, written or both.
    ///   - options: The options of `open(2)`. A file that is created can be read and written by its owner only.
    ///   - name: The name of the file in error texts; by default the path.
    /// - Returns: The open file.
    /// - Throws: ``FileError``.
    package static func open(
        _ path: String,
        _ mode: FileDescriptor.AccessMode,
        _ options: FileDescriptor.OpenOptions = [],
        named name: String? = nil
    ) throws(FileError) -> Descriptor {
        let name = name ?? path
        // The system would read the path only up to its first zero byte, and open a different file.
        guard !path.utf8.contains(0) else { throw FileError(name, .invalidPath) }
        let file = try system(name) {
            try unsafe FileDescriptor.open(
                path,
                mode,
                options: options.union(.closeOnExec),
                permissions: .ownerReadWrite
            )
        }
        return Descriptor(file, name: name, isOwned: true)
    }

    /// Reads the next bytes.
    ///
    /// - Parameter count: The maximum number of bytes to read.
    /// - Returns: 1 to `count` bytes; empty at the end of the file.
    /// - Throws: ``FileError``.
    package func read(upTo count: Int) throws(FileError) -> [UInt8] {
        try system(name) {
            try unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                filled = unsafe try file.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
        }
    }

    /// Reads the next bytes, and waits for them only for a limited time.
    ///
    /// - Parameters:
    ///   - count: The maximum number of bytes to read.
    ///   - milliseconds: The longest time to wait.
    /// - Returns: As ``read(upTo:)``; nil if no bytes arrive in that time.
    /// - Throws: ``FileError``.
    package func read(upTo count: Int, waitingMilliseconds milliseconds: Int32) throws(FileError) -> [UInt8]? {
        guard try system(name, { try file.waitForInput(milliseconds: milliseconds) }) else { return nil }
        return try read(upTo: count)
    }

    /// Reads all bytes up to the end of the file.
    ///
    /// - Parameter limit: The maximum number of bytes to read.
    /// - Returns: The bytes.
    /// - Throws: ``FileError``: `tooLarge` for a file with more bytes.
    package func readAll(limit: Int) throws(FileError) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let chunk = try read(upTo: 1 << 16)
            guard !chunk.isEmpty else { return bytes }
            guard chunk.count <= limit - bytes.count else { throw FileError(name, .tooLarge(limit: limit)) }
            bytes += chunk
        }
    }

    /// Writes all of the bytes.
    ///
    /// - Returns: false if the reader of the pipe or socket has closed it.
    package func write(_ bytes: [UInt8]) throws(FileError) -> Bool {
        do {
            _ = try system(name) { try file.writeAll(bytes) }
            return true
        } catch let error where error.reason == .system(.brokenPipe) {
            return false
        }
    }

    /// Writes all of the bytes; a closed pipe or socket is an error.
    package func writeAll(_ bytes: [UInt8]) throws(FileError) {
        guard try write(bytes) else { throw FileError(name, .system(.brokenPipe)) }
    }

    /// Replaces the content of the file in place.
    ///
    /// If the process ends meanwhile, the file can be empty or incomplete. `Files.replace` avoids that.
    package func overwrite(_ bytes: [UInt8]) throws(FileError) {
        try system(name) {
            try file.resize(to: 0)
            try file.writeAll(toAbsoluteOffset: 0, bytes)
        }
    }

    /// Waits until the written bytes are on storage.
    package func synchronize() throws(FileError) {
        try system(name) { try file.synchronize() }
    }

    /// Waits for the exclusive lock of the file, which is held until the descriptor is closed.
    ///
    /// Processes of this package hold the lock only briefly. Another program can hold it forever, so the wait is
    /// limited.
    ///
    /// - Parameters:
    ///   - patience: The longest time to wait.
    ///   - isWaiting: Called once, after a second of waiting.
    /// - Throws: ``FileError``: `locked` if another open file still holds the lock.
    package func lock(patience: Duration = .seconds(30), isWaiting: () -> Void = {}) throws(FileError) {
        let start = ContinuousClock.now
        var hasReported = false
        while true {
            do {
                return try file.lock()
            } catch let error where error != .wouldBlock {
                throw FileError(name, .system(error))
            } catch {}
            let waited = ContinuousClock.now - start
            guard waited < patience else { throw FileError(name, .locked) }
            if waited > .seconds(1), !hasReported {
                isWaiting()
                hasReported = true
            }
            sleepBriefly()
        }
    }

    /// Tries to take the exclusive lock of the file without waiting; it is held until the descriptor is closed.
    ///
    /// - Returns: false if another open file holds the lock, in this process or another one.
    /// - Throws: The error of the system, also if the file system does not support locks.
    package func tryLock() throws(FileError) -> Bool {
        do {
            try file.lock()
            return true
        } catch let error where error == .wouldBlock {
            return false
        } catch {
            throw FileError(name, .system(error))
        }
    }

    /// Tries to take the exclusive lock as ``tryLock()`` does; returns true also if the file system does not support
    /// locks.
    func tryLockIfSupported() -> Bool {
        do throws(Errno) {
            try file.lock()
            return true
        } catch {
            return error != .wouldBlock
        }
    }

    /// Whether the open file is a regular file that belongs to the user of this process.
    var isOwnRegularFile: Bool {
        guard let status = try? file.stat() else { return false }
        return status.type == .regular && status.userID.rawValue == Paths.userID
    }

    /// Whether a path names this open file itself; false for a symbolic link to it.
    func isAt(_ path: String) -> Bool {
        guard let status = try? file.stat(), let other = try? unsafe Stat(path, followTargetSymlink: false) else {
            return false
        }
        return status.deviceID == other.deviceID && status.inode == other.inode
    }

    /// Whether users other than the owner have any permission on the file.
    package func isOpenToOthers() throws(FileError) -> Bool {
        try system(name) { try file.stat().isOpenToOthers }
    }

    package var isTerminal: Bool { file.isTerminal }

    /// The present width of the terminal in columns; nil if the file is no terminal, or the terminal does not know it.
    package var columns: Int? { file.columns }
}

extension Stat {
    var isOpenToOthers: Bool {
        !permissions.isDisjoint(with: [.groupReadWriteExecute, .otherReadWriteExecute])
    }
}

/// Runs system calls, and adds the name of the file to their error.
func system<Value: ~Copyable>(_ name: String, _ calls: () throws -> Value) throws(FileError) -> Value {
    do {
        return try calls()
    } catch let error as Errno {
        throw FileError(name, .system(error))
    } catch {
        // swift-system throws no other errors.
        throw FileError(name, .system(.ioError))
    }
}
