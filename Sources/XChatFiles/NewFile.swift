import Synchronization
import SystemPackage

/// How a file is written before it gets its final name.
package enum FileConstruction: CaseIterable, Sendable {
    /// Without a name, if the system and the file system allow it.
    case unnamed
    /// Under a temporary name.
    case named
}

/// A file that appears under its name only when it is complete.
///
/// Until then the file has no name if the file system supports that (`O_TMPFILE` of Linux), and the system deletes it
/// when the process ends. On other file systems, and briefly while it replaces another file, the file has a temporary
/// name. A file that SIGKILL or a power loss leaves under a temporary name is deleted by the next process that reads or
/// writes a file in the folder: see ``TemporaryName``.
package struct NewFile: ~Copyable {
    /// The file, open for writing.
    package let descriptor: Descriptor
    private let target: String
    private let temporary: TemporaryName
    private let isUnnamed: Bool

    /// Deletes unfinished files that ended processes left in the folder, and opens an empty file that only its owner
    /// can read.
    ///
    /// - Parameters:
    ///   - target: The path that the file will get. If it is a link, the link is replaced.
    ///   - name: The name of the file in error texts; by default the path.
    ///   - construction: How the file is written before it gets its final name.
    /// - Throws: ``FileError`` if no file can be created in the folder.
    package init(
        _ target: String,
        named name: String? = nil,
        _ construction: FileConstruction = .unnamed
    ) throws(FileError) {
        let name = name ?? target
        guard !target.utf8.contains(0) else { throw FileError(name, .invalidPath) }
        TemporaryName.removeLeftovers(in: Files.folder(of: target))
        let temporary = TemporaryName(of: target)
        var isUnnamed = construction == .unnamed
        let file = try Self.file(target, temporary, named: name, &isUnnamed)
        self.target = target
        self.temporary = temporary
        self.isUnnamed = isUnnamed
        descriptor = file
    }

    deinit {
        temporary.remove()
    }

    private static func file(
        _ target: String,
        _ temporary: TemporaryName,
        named name: String,
        _ isUnnamed: inout Bool
    ) throws(FileError) -> Descriptor {
        if isUnnamed, let file = unnamedFile(in: Files.folder(of: target), named: name) { return file }
        isUnnamed = false
        return try temporary.makeFile(named: name)
    }

    /// Opens a file without a name; nil if the system or the file system does not support that.
    private static func unnamedFile(in folder: String, named name: String) -> Descriptor? {
        // The file gets its name later through its entry in /proc/self/fd.
        guard let option = FileDescriptor.unnamedFile, Files.exists("/proc/self/fd") else { return nil }
        return try? Descriptor.open(folder, .writeOnly, option, named: name)
    }

    /// Returns a function that deletes the temporary file if it exists, to be called when a signal ends the program.
    func remover() -> @Sendable () -> Void {
        { [temporary] in temporary.remove() }
    }

    /// Waits until the content is on storage, gives the file its name, and waits until the folder is on storage.
    ///
    /// - Parameter replaces: Whether an existing file of that name is replaced.
    /// - Throws: `fileExists` for an existing file that is not replaced. After an error the file does not appear, and
    ///   an existing file is unchanged, except if only the folder could not be written to storage: then the file has
    ///   its name already, but a power loss can undo that.
    package consuming func publish(replaces: Bool) throws(FileError) {
        try descriptor.synchronize()
        // Opened first, so that the file does not appear if the folder cannot be opened.
        let folder = try Descriptor.reading(Files.folder(of: target))
        if replaces {
            if isUnnamed { try temporary.give(to: descriptor) }
            let (path, target) = (temporary.path, target)
            try system(descriptor.name) { try Paths.rename(path, to: target) }
            temporary.isGone()
        } else if isUnnamed {
            let (file, target) = (descriptor.file, target)
            try system(descriptor.name) { try file.link(as: target) }
        } else {
            try publishTemporary()
        }
        try folder.synchronize()
    }

    /// Renames the temporary file to its final name, unless another file has that name.
    private borrowing func publishTemporary() throws(FileError) {
        do {
            try Paths.link(temporary.path, as: target)
            return temporary.remove()
        } catch let error where error == .fileExists {
            throw FileError(descriptor.name, .system(error))
        } catch {}
        // The file system has no hard links. An empty file reserves the name, because a rename would replace any file.
        _ = try Descriptor.open(
            target,
            .writeOnly,
            [.create, .exclusiveCreate, .noFollow],
            named: descriptor.name
        )
        do {
            try Paths.rename(temporary.path, to: target)
        } catch {
            try? Paths.unlink(target)
            throw FileError(descriptor.name, .system(error))
        }
        temporary.isGone()
    }
}

/// The temporary name of a file that is being written: `.NAME.xchat-new`.
///
/// The writer holds a lock on the file. If a file with a temporary name is not locked, its writer has ended, and other
/// processes may delete the file.
final class TemporaryName: Sendable {
    static let prefix = "."
    static let suffix = ".xchat-new"

    let path: String
    /// Whether this process created the file that has the name now.
    private let isOurs = Mutex(false)

    init(of target: String) {
        let folder = Files.folder(of: target)
        path = "\(folder)/\(Self.prefix)\(Files.name(of: target))\(Self.suffix)"
    }

    /// Creates a file with this name.
    func makeFile(named name: String) throws(FileError) -> Descriptor {
        try claim(named: name) { () throws(FileError) -> Descriptor? in
            do throws(FileError) {
                let file = try Descriptor.open(
                    path,
                    .writeOnly,
                    [.create, .exclusiveCreate, .noFollow],
                    named: name
                )
                // Until the file is locked, another process could regard it as a leftover and delete it.
                guard file.tryLockIfSupported(), file.isAt(path) else { return nil }
                return file
            } catch let error where error.reason == .system(.fileExists) {
                return nil
            }
        }
    }

    /// Gives the name to a file that has none.
    func give(to file: borrowing Descriptor) throws(FileError) {
        _ = file.tryLockIfSupported()
        let (open, name) = (file.file, file.name)
        try claim(named: name) { () throws(FileError) -> Void? in
            do throws(Errno) {
                try open.link(as: path)
                return ()
            } catch let error where error == .fileExists {
                return nil
            } catch {
                throw FileError(name, .system(error))
            }
        }
    }

    /// Retries `attempt` until the name is free: deletes a leftover, and waits up to 5 s for a process that writes the
    /// same file.
    private func claim<Value: ~Copyable>(
        named name: String,
        _ attempt: () throws(FileError) -> Value?
    ) throws(FileError) -> Value {
        let start = ContinuousClock.now
        while true {
            if let value = try attempt() {
                isOurs.withLock { $0 = true }
                return value
            }
            if Self.removeLeftover(path) { continue }
            guard ContinuousClock.now - start < .seconds(5) else { throw FileError(name, .temporaryNameTaken(path)) }
            sleepBriefly()
        }
    }

    /// Deletes the file if this process created it.
    func remove() {
        isOurs.withLock { isOurs in
            if isOurs { try? Paths.unlink(path) }
            isOurs = false
        }
    }

    /// Records that the file has another name now.
    func isGone() {
        isOurs.withLock { $0 = false }
    }

    /// Deletes the unfinished files in a folder whose writers have ended.
    static func removeLeftovers(in folder: String) {
        for name in Paths.names(in: folder) where name.hasPrefix(prefix) && name.hasSuffix(suffix) {
            _ = removeLeftover("\(folder)/\(name)")
        }
    }

    /// Deletes a file with a temporary name if its writer has ended.
    ///
    /// - Returns: Whether there is no such file now.
    static func removeLeftover(_ path: String) -> Bool {
        do {
            // These options do not follow a link, and do not wait for the writer of a pipe.
            let file = try Descriptor.open(path, .readOnly, [.noFollow, .nonBlocking])
            guard file.isOwnRegularFile, file.tryLockIfSupported(), file.isAt(path) else { return false }
            // The lock ends with the descriptor.
            return withExtendedLifetime(file) { _ in (try? Paths.unlink(path)) != nil }
        } catch {
            return error.reason == .system(.noSuchFileOrDirectory)
        }
    }
}
