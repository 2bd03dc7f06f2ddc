import Synchronization
import XChatEvents

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// How a file is built until it gets its name.
package enum FileConstruction: Sendable {
    /// Without a name, where that is possible.
    case unnamed
    /// Under a temporary name.
    case named
}

/// A file that is written completely before it appears under its name.
///
/// While it is written it has no name where the file system supports that (`O_TMPFILE` of Linux): the system discards it
/// with the process, whatever ends the process. Elsewhere, and for the instant in which it takes the place of another
/// file, it has a temporary name. What SIGKILL or a power failure leaves under such a name is deleted by the next process
/// that reads or writes a file in the folder: see ``TemporaryName``.
struct NewFile: ~Copyable {
    /// The file, open for writing.
    let descriptor: Descriptor
    private let target: String
    private let temporary: TemporaryName
    private let isUnnamed: Bool

    /// Opens an empty file that only its owner can read.
    ///
    /// - Parameters:
    ///   - target: The path that it is to get, without links.
    ///   - name: What error texts call it.
    ///   - construction: How it is built.
    /// - Throws: What the system says.
    init(_ target: String, named name: String, _ construction: FileConstruction) throws(AccountError) {
        guard !target.utf8.contains(0) else { throw AccountError("\(quoted(target)): not a file name") }
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
    ) throws(AccountError) -> Descriptor {
        if isUnnamed, let file = unnamedFile(in: Files.folder(of: target), named: name) { return file }
        isUnnamed = false
        return try temporary.makeFile(named: name)
    }

    /// A file without a name; nil where the system or the file system has none.
    private static func unnamedFile(in folder: String, named name: String) -> Descriptor? {
        #if os(Linux) || os(Android)
            // It gets its name through this folder.
            guard Files.exists("/proc/self/fd") else { return nil }
            // `O_TMPFILE` is a macro that Swift does not import. Old kernels take it for a folder that is to be written.
            let flags = 0o20_000_000 | O_DIRECTORY | O_WRONLY
            return try? Descriptor.open(folder, flags, named: name)
        #else
            return nil
        #endif
    }

    /// Deletes the temporary file, if there is one, when a signal ends the program.
    func remover() -> @Sendable () -> Void {
        { [temporary] in temporary.remove() }
    }

    /// Waits until the content is on the medium, and gives the file its name.
    ///
    /// - Parameter replaces: Whether it takes the place of a file that has the name; without that, such a file is an error.
    /// - Throws: What the system says. The other file is as it was then.
    consuming func publish(replaces: Bool) throws(AccountError) {
        try descriptor.synchronize()
        if replaces {
            if isUnnamed { try temporary.give(to: descriptor) }
            guard unsafe rename(temporary.path, target) == 0 else { throw .system(descriptor.name) }
            temporary.isGone()
        } else if isUnnamed {
            guard giveName(target, to: descriptor) else { throw .system(descriptor.name) }
        } else {
            try publishTemporary()
        }
        try Descriptor.reading(Files.folder(of: target)).synchronize()
    }

    /// Gives a file with a temporary name its own, unless another file has that.
    private borrowing func publishTemporary() throws(AccountError) {
        if unsafe link(temporary.path, target) == 0 { return temporary.remove() }
        guard errno != EEXIST else { throw .system(descriptor.name) }
        // Without hard links, an empty file reserves the name: a rename would replace whatever has it.
        _ = try Descriptor.open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, named: descriptor.name)
        guard unsafe rename(temporary.path, target) == 0 else {
            let error = AccountError.system(descriptor.name)
            _ = unsafe unlink(target)
            throw error
        }
        temporary.isGone()
    }
}

/// The name under which a file is built that cannot be built without one: `.NAME.xchat-new`.
///
/// Its writer holds a lock on the file. A file of this name that is not locked was left by a process that ended.
final class TemporaryName: Sendable {
    static let prefix = "."
    static let suffix = ".xchat-new"

    let path: String
    /// Whether this process made the file that has the name now.
    private let isOurs = Mutex(false)

    init(of target: String) {
        let folder = Files.folder(of: target)
        let name = target.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(target[target.utf8.index(after: $0)...]) }
        path = "\(folder)/\(Self.prefix)\(name ?? target)\(Self.suffix)"
    }

    /// Makes a file of this name.
    func makeFile(named name: String) throws(AccountError) -> Descriptor {
        try claim(named: name) { () throws(AccountError) -> Descriptor? in
            let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
            guard let file = try Descriptor.open(path, flags, named: name, nilFor: EEXIST) else { return nil }
            // Until it is locked, another process could take it for left over and delete it.
            guard file.tryLock(), file.isAt(path) else { return nil }
            return file
        }
    }

    /// Gives the name to a file that has none.
    func give(to file: borrowing Descriptor) throws(AccountError) {
        _ = file.tryLock()
        try claim(named: file.name) { () throws(AccountError) -> Void? in
            if giveName(path, to: file) { return () }
            guard errno == EEXIST else { throw .system(file.name) }
            return nil
        }
    }

    /// Tries until the name is free: what is left over is deleted, and another process that builds the file is waited for.
    private func claim<Value: ~Copyable>(
        named name: String,
        _ attempt: () throws(AccountError) -> Value?
    ) throws(AccountError) -> Value {
        let start = ContinuousClock.now
        while true {
            if let value = try attempt() {
                isOurs.withLock { $0 = true }
                return value
            }
            if Self.removeLeftover(path) { continue }
            guard ContinuousClock.now - start < .seconds(5) else {
                throw AccountError("\(quoted(name)): the temporary name \(quoted(path)) is taken by another process")
            }
            usleep(10_000)
        }
    }

    /// Deletes the file, if this process made it.
    func remove() {
        isOurs.withLock { isOurs in
            if isOurs { _ = unsafe unlink(path) }
            isOurs = false
        }
    }

    /// The file has another name by now.
    func isGone() {
        isOurs.withLock { $0 = false }
    }

    /// Deletes a file under a temporary name whose writer has ended.
    ///
    /// - Returns: Whether there is no such file any more.
    static func removeLeftover(_ path: String) -> Bool {
        // Not through a link, and not waiting for the writer of a pipe.
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK
        do {
            guard let file = try Descriptor.open(path, flags, nilFor: ENOENT) else { return true }
            guard file.isOwnRegularFile, file.tryLock(), file.isAt(path) else { return false }
            // The lock ends with the descriptor.
            return withExtendedLifetime(file) { _ in unsafe unlink(path) == 0 }
        } catch {
            return false
        }
    }
}

/// Gives a name to an open file; false, with `errno`, where that does not work.
private func giveName(_ path: String, to file: borrowing Descriptor) -> Bool {
    unsafe linkat(AT_FDCWD, "/proc/self/fd/\(file.number)", AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0
}
