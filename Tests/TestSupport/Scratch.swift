import Foundation

/// A folder for one test, removed with everything in it when the test lets go of it.
package final class Scratch: Sendable {
    package let path: String

    package init() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "xchat-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The path of a file of this name.
    package func file(_ name: String) -> String {
        path + "/" + name
    }

    /// Writes a file and returns its path.
    @discardableResult
    package func write(_ name: String, _ content: some Sequence<UInt8>, mode: Int = 0o600) throws -> String {
        let path = file(name)
        try Data(content).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    @discardableResult
    package func write(_ name: String, _ text: String, mode: Int = 0o600) throws -> String {
        try write(name, text.utf8, mode: mode)
    }

    package func read(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: file(name))))
    }

    /// The names in the folder.
    package func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }

    /// The files in the folder, by name.
    package func contents() throws -> [String: [UInt8]] {
        try Self.contents(of: path)
    }

    /// The files in a folder, by name.
    ///
    /// SQLite deletes the log of a database when its last user lets go of it, which can happen meanwhile. The folder is
    /// then read again, because the database has changed too.
    package static func contents(of folder: String) throws -> [String: [UInt8]] {
        var attempts = 0
        while true {
            do {
                return try FileManager.default.contentsOfDirectory(atPath: folder).reduce(into: [:]) { contents, name in
                    contents[name] = Array(try Data(contentsOf: URL(filePath: folder + "/" + name)))
                }
            } catch let error as CocoaError where error.code == .fileReadNoSuchFile && attempts < 10 {
                attempts += 1
            }
        }
    }

    package func permissions(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: file(name))[.posixPermissions] as? Int
    }
}
