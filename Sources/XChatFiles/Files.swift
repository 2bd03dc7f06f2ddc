import SystemPackage

/// Identifies a version of a file by its inode number, its size and the time of its last change.
package struct FileVersion: Hashable, Sendable {
    let file: UInt64
    let size: Int64
    let seconds: Int64
    let nanoseconds: Int64

    /// How long ago the file was changed, by the clock of this machine.
    package var age: Duration {
        let now = SystemClock.now
        return .seconds(now.seconds - seconds) + .nanoseconds(now.nanoseconds - nanoseconds)
    }
}

/// Operations on whole files.
package enum Files {
    /// Reads a file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - limit: The maximum number of bytes to read.
    /// - Returns: The content.
    /// - Throws: ``FileError``: `tooLarge` for a file with more bytes.
    package static func read(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
        try Descriptor.reading(path).readAll(limit: limit)
    }

    /// The version of a file that is never overwritten, only replaced by a new file; nil if the file does not exist.
    package static func version(_ path: String) -> FileVersion? {
        guard let status = try? status(of: path) else { return nil }
        let (seconds, nanoseconds) = status.changeTime
        return FileVersion(
            file: UInt64(status.inode.rawValue),
            size: status.size,
            seconds: seconds,
            nanoseconds: nanoseconds
        )
    }

    /// Whether a file, or a link to an existing file, is at a path.
    package static func exists(_ path: String) -> Bool {
        Paths.isReachable(path)
    }

    /// The size of a regular file in bytes.
    ///
    /// - Throws: `notRegular` for a pipe, a folder and the like.
    package static func size(_ path: String) throws(FileError) -> Int {
        let status = try status(of: path)
        guard status.type == .regular else { throw FileError(path, .notRegular) }
        return Int(status.size)
    }

    private static func status(of path: String) throws(FileError) -> Stat {
        guard !path.utf8.contains(0) else { throw FileError(path, .invalidPath) }
        return try system(path) { try unsafe Stat(path) }
    }

    /// Creates a file that only its owner can read.
    ///
    /// The file appears with its whole content or not at all.
    ///
    /// - Throws: `fileExists` if a file of this name exists; that file is unchanged.
    package static func create(
        _ path: String,
        _ bytes: [UInt8],
        construction: FileConstruction = .unnamed
    ) throws(FileError) {
        // The check is repeated when the file gets its name. Here it only saves work.
        guard !exists(path) else { throw FileError(path, .system(.fileExists)) }
        let new = try NewFile(path, construction)
        try new.descriptor.writeAll(bytes)
        try new.publish(replaces: false)
    }

    /// Replaces a file in one step by a new one that only its owner can read.
    ///
    /// A reader sees either the whole old content or the whole new content. If the path is a link, the file it leads to
    /// is replaced.
    package static func replace(
        _ path: String,
        _ bytes: [UInt8],
        construction: FileConstruction = .unnamed
    ) throws(FileError) {
        let new = try NewFile(resolved(path), named: path, construction)
        try new.descriptor.writeAll(bytes)
        try new.publish(replaces: true)
    }

    /// Creates a file with the content that a function writes.
    ///
    /// The file appears when the function has returned. While the function runs, SIGINT, SIGTERM and SIGHUP end the
    /// program and leave no file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - overwrites: Whether an existing regular file (if the path is a link, the file it leads to) is replaced. If
    ///     false, an existing file is an error, which is thrown before anything is written.
    ///   - construction: How the file is written before it gets its final name.
    ///   - body: Writes the content.
    /// - Throws: ``FileError`` and the errors of `body`. After an error the file does not appear, except if only its
    ///   folder could not be written to storage: see ``NewFile/publish(replaces:)``.
    package static func write(
        _ path: String,
        overwrites: Bool,
        construction: FileConstruction = .unnamed,
        _ body: (borrowing Descriptor) throws -> Void
    ) throws {
        let target = try destination(path, overwrites: overwrites)
        let new = try NewFile(target, named: path, construction)
        let remove = new.remover()
        let signals = SignalHandler { number in
            remove()
            SignalHandler.exit(number)
        }
        defer { signals.cancel() }
        try body(new.descriptor)
        try new.publish(replaces: overwrites)
    }

    /// Creates an empty file that only its owner can read, or removes the permissions of other users from an existing
    /// file.
    ///
    /// For databases: SQLite gives its other files the permissions of the database file. An existing file is not
    /// opened, because closing it would release the locks that SQLite holds on it in this process.
    ///
    /// - Throws: `notRegular` for a folder, a pipe and the like.
    package static func makePrivate(_ path: String) throws(FileError) {
        do {
            _ = try Descriptor.open(path, .readWrite, [.create, .exclusiveCreate])
            return
        } catch let error where error.reason != .system(.fileExists) {
            throw error
        } catch {}
        let status = try status(of: path)
        guard status.type == .regular else { throw FileError(path, .notRegular) }
        if status.isOpenToOthers { try system(path) { try Paths.makePrivate(path) } }
    }

    /// Deletes the unfinished version of a file that an ended process left.
    package static func removeLeftover(of path: String) {
        _ = TemporaryName.removeLeftover(TemporaryName(of: resolved(path)).path)
    }

    /// The path at which to write a file: if an existing file is replaced, the path with its link resolved.
    ///
    /// - Throws: `fileExists` for an existing file that must not be replaced; `notRegular` for a pipe, a folder and the
    ///   like.
    package static func destination(_ path: String, overwrites: Bool) throws(FileError) -> String {
        guard exists(path) else { return path }
        guard overwrites else { throw FileError(path, .system(.fileExists)) }
        _ = try size(path)
        return resolved(path)
    }

    /// Runs `body` under a lock, so that only one process of this package at a time does this for the same file.
    ///
    /// The folder is locked, not the file: when the file is replaced, a lock on it would stay with the old file, and
    /// another process could lock the new one at the same time.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - isWaiting: Called once, after a second of waiting.
    ///   - body: Reads and replaces the file.
    /// - Returns: The result of `body`.
    /// - Throws: ``FileError`` and the errors of `body`.
    package static func withLock<R>(
        on path: String,
        isWaiting: () -> Void = {},
        _ body: () throws -> R
    ) throws -> R {
        let folder = try Descriptor.open(folder(of: resolved(path)), .readOnly, .directory)
        try folder.lock(isWaiting: isWaiting)
        // Otherwise the descriptor could be closed after its last use, before `body` ends, which would release the
        // lock.
        return try withExtendedLifetime(folder) { _ in try body() }
    }

    /// Creates a folder and its missing parents, accessible only to the owner; an existing folder is unchanged.
    package static func makeFolder(_ path: String) throws(FileError) {
        guard !path.utf8.contains(0) else { throw FileError(path, .invalidPath) }
        guard !exists(path) else { return }
        let parent = folder(of: path)
        if parent != path {
            try makeFolder(parent)
        }
        do {
            try Paths.makeFolder(path)
        } catch let error where error != .fileExists {
            throw FileError(path, .system(error))
        } catch {}
    }

    /// The path of the file that a symbolic link leads to; unchanged if the path is not a link or leads to no file.
    ///
    /// Only the last part of the path is resolved here. The system resolves the rest, by its own rules: `..` after a
    /// link leads out of the folder of the link's target. A path that was relative stays relative, because the names
    /// above the current folder need not be UTF-8.
    package static func resolved(_ path: String) -> String {
        guard exists(path) else { return path }
        var resolved = path
        // Linux follows 40 links; `exists` found no cycle.
        for _ in 0..<40 {
            guard let target = Paths.linkTarget(resolved) else { return resolved }
            resolved = target.utf8.first == UInt8(ascii: "/") ? target : "\(folder(of: resolved))/\(target)"
        }
        return path
    }

    /// The path up to its last slash; `.` for a path without a slash.
    package static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The part of a path after its last slash.
    package static func name(of path: String) -> String {
        path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[path.utf8.index(after: $0)...]) } ?? path
    }
}
