import XChatEvents

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What tells one content of a file from another: its number, size and time of change.
package struct FileVersion: Hashable, Sendable {
    let file: UInt64
    let size: Int64
    let seconds: Int64
    let nanoseconds: Int64
}

/// What the commands do with whole files.
package enum Files {
    /// The content of a file, refused beyond `limit` bytes.
    package static func read(_ path: String, limit: Int) throws(AccountError) -> [UInt8] {
        try Descriptor.reading(path).readAll(limit: limit)
    }

    /// Tells one content of a file from another, if each is written as a new file that replaces the old one.
    package static func version(_ path: String) -> FileVersion? {
        var status = stat()
        guard !path.utf8.contains(0), unsafe stat(path, &status) == 0 else { return nil }
        #if canImport(Darwin)
            let time = status.st_mtimespec
        #else
            let time = status.st_mtim
        #endif
        return FileVersion(
            file: UInt64(status.st_ino),
            size: Int64(status.st_size),
            seconds: Int64(time.tv_sec),
            nanoseconds: Int64(time.tv_nsec)
        )
    }

    /// Whether there is a file, or a link to one.
    package static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    /// The size of a regular file in bytes; anything else, a pipe or a folder, is an error.
    package static func size(_ path: String) throws(AccountError) -> Int {
        var status = stat()
        guard !path.utf8.contains(0), unsafe stat(path, &status) == 0 else { throw .system(path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw AccountError("\(quoted(path)): not a regular file") }
        return Int(status.st_size)
    }

    /// Makes a new file that only its owner can read; an existing one is left as it is, and that is an error.
    ///
    /// The file appears complete or not at all.
    package static func create(
        _ path: String,
        _ bytes: [UInt8],
        construction: FileConstruction = .unnamed
    ) throws(AccountError) {
        removeLeftovers(in: folder(of: path))
        // Asked again when the file gets its name; asking now saves the work and names the error.
        guard !exists(path) else { throw .existing(path) }
        let new = try NewFile(path, named: path, construction)
        guard try new.descriptor.write(bytes) else { throw .system(path) }
        try new.publish(replaces: false)
    }

    /// Puts a new file in the place of the old one in one step; only its owner can read it.
    ///
    /// Whoever reads meanwhile gets the old content or the new one, whole. A link is followed, not replaced.
    package static func replace(
        _ path: String,
        _ bytes: [UInt8],
        construction: FileConstruction = .unnamed
    ) throws(AccountError) {
        let target = resolved(path)
        removeLeftovers(in: folder(of: target))
        let new = try NewFile(target, named: path, construction)
        guard try new.descriptor.write(bytes) else { throw .system(path) }
        try new.publish(replaces: true)
    }

    /// Makes a file out of what `body` writes, which appears only once `body` has returned.
    ///
    /// - Parameters:
    ///   - path: The file; an existing one is an error, before anything is written.
    ///   - overwrites: Whether an existing regular file is replaced instead; a link is followed, not replaced.
    ///   - construction: How the file is built.
    ///   - body: Writes the content. While it does, SIGINT, SIGTERM and SIGHUP end the program and leave nothing behind.
    /// - Throws: What `body` throws, or what the system says; there is no file then.
    package static func write(
        _ path: String,
        overwrites: Bool,
        construction: FileConstruction = .unnamed,
        _ body: (borrowing Descriptor) throws -> Void
    ) throws {
        let target = try destination(path, overwrites: overwrites)
        removeLeftovers(in: folder(of: target))
        let new = try NewFile(target, named: path, construction)
        let remove = new.remover()
        let signals = SignalHandler { number in
            remove()
            _exit(128 + number)
        }
        defer { signals.cancel() }
        try body(new.descriptor)
        try new.publish(replaces: overwrites)
    }

    /// Deletes the file that a process left which ended while it was building this one.
    package static func removeLeftover(of path: String) {
        _ = TemporaryName.removeLeftover(TemporaryName(of: resolved(path)).path)
    }

    /// Deletes the files of a folder that processes left which ended while they were building them.
    private static func removeLeftovers(in folder: String) {
        guard let stream = unsafe opendir(folder) else { return }
        defer { unsafe closedir(stream) }
        var found: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { start in
                unsafe String(cString: UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self))
            }
            if name.hasPrefix(TemporaryName.prefix), name.hasSuffix(TemporaryName.suffix) { found.append(name) }
        }
        for name in found { _ = TemporaryName.removeLeftover("\(folder)/\(name)") }
    }

    /// The path that a new file is to have, without links where an existing one is replaced.
    ///
    /// - Throws: where there is a file that is not to be replaced, or something that is no regular file, such as a pipe.
    package static func destination(_ path: String, overwrites: Bool) throws(AccountError) -> String {
        guard exists(path) else { return path }
        guard overwrites else { throw AccountError("\(quoted(path)): there is such a file already") }
        _ = try size(path)
        return resolved(path)
    }

    /// Runs `body` while no other process of ours runs one for the same file.
    ///
    /// The folder is what is locked: the file itself is replaced, and a lock on it would go with the old one.
    package static func withLock<R>(
        on path: String,
        isWaiting: () -> Void = {},
        _ body: () throws -> R
    ) throws -> R {
        let folder = try Descriptor.open(folder(of: resolved(path)), O_RDONLY | O_DIRECTORY)
        try folder.lock(isWaiting: isWaiting)
        // The descriptor, and the lock with it, could end after its last use.
        return try withExtendedLifetime(folder) { _ in try body() }
    }

    /// Makes a folder, and those above it, for its owner alone; an existing one is left as it is.
    package static func makeFolder(_ path: String) throws(AccountError) {
        guard !exists(path) else { return }
        let parent = folder(of: path)
        if parent != path {
            try makeFolder(parent)
        }
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .system(path) }
    }

    /// The path without links; as given where there is no such file.
    package static func resolved(_ path: String) -> String {
        guard let start = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(start) }
        return unsafe String(cString: start)
    }

    static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
