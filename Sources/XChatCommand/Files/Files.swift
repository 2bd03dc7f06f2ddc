#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What the commands do with whole files.
package enum Files {
    /// The content of a file, refused beyond `limit` bytes.
    package static func read(_ path: String, limit: Int) throws(CommandError) -> [UInt8] {
        try Descriptor.reading(path).readAll(limit: limit)
    }

    /// Whether there is a file, or a link to one.
    package static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    /// The size of a regular file in bytes; anything else, a pipe or a folder, is an error.
    package static func size(_ path: String) throws(CommandError) -> Int {
        var status = stat()
        guard !path.utf8.contains(0), unsafe stat(path, &status) == 0 else { throw .system(path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw CommandError("\(quoted(path)): not a regular file") }
        return Int(status.st_size)
    }

    /// Makes a new file that only its owner can read; an existing one is left as it is, and that is an error.
    package static func create(_ path: String, _ bytes: [UInt8]) throws(CommandError) {
        try create(path, bytes, named: path)
    }

    private static func create(_ path: String, _ bytes: [UInt8], named name: String) throws(CommandError) {
        let file = try Descriptor.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, named: name)
        do throws(CommandError) {
            try fill(file, bytes)
        } catch {
            _ = unsafe unlink(path)
            throw error
        }
    }

    /// Puts a new file in the place of the old one in one step; only its owner can read it.
    ///
    /// Whoever reads meanwhile gets the old content or the new one, whole. A link is followed, not replaced.
    package static func replace(_ path: String, _ bytes: [UInt8]) throws(CommandError) {
        let target = resolved(path)
        let temporary = "\(target).\(getpid()).new"
        _ = unsafe unlink(temporary)  // What a process that was killed left behind.
        try create(temporary, bytes, named: path)
        guard unsafe rename(temporary, target) == 0 else {
            let error = CommandError.system(path)
            _ = unsafe unlink(temporary)
            throw error
        }
        try Descriptor.reading(folder(of: target)).synchronize()
    }

    /// Makes a file out of what `body` writes, which appears only once `body` has returned.
    ///
    /// - Parameters:
    ///   - path: The file; an existing one is an error, before anything is written.
    ///   - overwrites: Whether an existing regular file is replaced instead; a link is followed, not replaced.
    ///   - body: Writes the content. While it does, SIGINT, SIGTERM and SIGHUP end the program and leave nothing behind.
    /// - Throws: What `body` throws, or what the system says; there is no file then.
    package static func write(
        _ path: String,
        overwrites: Bool,
        _ body: (borrowing Descriptor) throws -> Void
    ) throws {
        let target = try destination(path, overwrites: overwrites)
        let temporary = "\(target).\(getpid()).part"
        _ = unsafe unlink(temporary)  // What a process that was killed left behind.
        let signals = SignalHandler { number in
            _ = unsafe unlink(temporary)
            _exit(128 + number)
        }
        defer { signals.cancel() }
        let file = try Descriptor.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, named: path)
        do {
            try body(file)
            try file.synchronize()
            // A link fails where a file has appeared meanwhile; a rename would replace it.
            let status = unsafe overwrites ? rename(temporary, target) : link(temporary, target)
            guard status == 0 else { throw CommandError.system(path) }
        } catch {
            _ = unsafe unlink(temporary)
            throw error
        }
        if !overwrites { _ = unsafe unlink(temporary) }
        try Descriptor.reading(folder(of: target)).synchronize()
    }

    /// The path that a new file is to have, without links where an existing one is replaced.
    ///
    /// - Throws: where there is a file that is not to be replaced, or something that is no regular file, such as a pipe.
    static func destination(_ path: String, overwrites: Bool) throws(CommandError) -> String {
        guard exists(path) else { return path }
        guard overwrites else { throw CommandError("\(quoted(path)): there is such a file; --force replaces it") }
        _ = try size(path)
        return resolved(path)
    }

    /// Runs `body` while no other process of ours runs one for the same file.
    ///
    /// The folder is what is locked: the file itself is replaced, and a lock on it would go with the old one.
    package static func withLock<R>(on path: String, _ body: () throws -> R) throws -> R {
        let folder = try Descriptor.open(folder(of: resolved(path)), O_RDONLY | O_DIRECTORY)
        try folder.lock()
        // The descriptor, and the lock with it, could end after its last use.
        return try withExtendedLifetime(folder) { _ in try body() }
    }

    /// Makes a folder, and those above it, for its owner alone; an existing one is left as it is.
    package static func makeFolder(_ path: String) throws(CommandError) {
        guard !exists(path) else { return }
        let parent = folder(of: path)
        if parent != path {
            try makeFolder(parent)
        }
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .system(path) }
    }

    /// The path without links; as given where there is no such file.
    static func resolved(_ path: String) -> String {
        guard let start = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(start) }
        return unsafe String(cString: start)
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func fill(_ file: borrowing Descriptor, _ bytes: [UInt8]) throws(CommandError) {
        guard try file.write(bytes) else { throw .system(file.name) }
        try file.synchronize()
    }
}
