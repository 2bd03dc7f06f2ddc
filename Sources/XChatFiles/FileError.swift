package import SystemPackage
import XChatEvents

/// Why an operation on a file failed.
package struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The rule that was broken, or the error of the system.
    package enum Reason: Hashable, Sendable {
        /// A system call failed.
        case system(Errno)
        /// The path contains a zero byte: the system would read the path only up to that byte.
        case invalidPath
        /// The path leads to a folder, a pipe or anything else that is not a regular file.
        case notRegular
        /// The file has more bytes than the caller allows.
        case tooLarge(limit: Int)
        /// Another process holds the lock of the file.
        case locked
        /// Another process holds the temporary name under which the file would be written.
        case temporaryNameTaken(String)
    }

    /// The file: its path, or a description such as "standard input".
    package let name: String
    /// Why it failed.
    package let reason: Reason

    package init(_ name: String, _ reason: Reason) {
        self.name = name
        self.reason = reason
    }

    /// Whether the file was not created because a file of that name exists.
    package var isNameTaken: Bool { reason == .system(.fileExists) }

    /// The error that the last system call reported in `errno`.
    static func lastSystemError(_ name: String) -> FileError {
        FileError(name, .system(.lastError))
    }

    /// The reason as a phrase, without the name of the file.
    package var reasonText: String {
        switch reason {
        case .system(let errno): errno.description
        case .invalidPath: "not a valid path: it contains a zero byte"
        case .notRegular: "not a regular file"
        case .tooLarge(let limit): "larger than \(limit) bytes"
        case .locked: "locked by another process; try again when that process has finished"
        case .temporaryNameTaken(let path):
            "another process writes it as \(quoted(path)); try again when that process has finished"
        }
    }

    /// The file in quotation marks, and the reason.
    package var description: String { "\(quoted(name)): \(reasonText)" }
}
