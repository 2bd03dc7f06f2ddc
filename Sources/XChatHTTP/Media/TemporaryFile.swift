import Synchronization
import XChatFiles

/// A file that is deleted unless it is published under its path.
///
/// Where the system can create a file without a name, no plaintext remains however the process ends: see ``NewFile``.
/// No call blocks a thread of Swift's concurrency pool.
final class TemporaryFile: Sendable {
    private let file: Mutex<NewFile?>
    private let overwrites: Bool

    private init(_ file: consuming NewFile, overwrites: Bool) {
        self.file = Mutex(file)
        self.overwrites = overwrites
    }

    /// Makes the file in the folder of its destination.
    ///
    /// - Throws: `file` if there is a file at the destination that must not be replaced, or if none can be created.
    static func make(for path: String, overwrites: Bool) async throws(APIError) -> TemporaryFile {
        try await blocking { () throws(APIError) in
            do throws(FileError) {
                let file = try NewFile(Files.destination(path, overwrites: overwrites), named: path)
                return TemporaryFile(file, overwrites: overwrites)
            } catch let error where error.isNameTaken {
                throw APIError(.file, "the destination exists already")
            } catch {
                throw APIError(.file, "no file can be created at the destination (\(error.reasonText))")
            }
        }
    }

    func write(_ bytes: [UInt8]) async throws(APIError) {
        try await blocking { () throws(APIError) in
            do throws(FileError) {
                try self.file.withLock { (file) throws(FileError) in try file?.descriptor.writeAll(bytes) }
            } catch {
                throw APIError(.file, "the file cannot be written (\(error.reasonText))")
            }
        }
    }

    /// Waits until the content is on the storage medium, and gives the file its name.
    func publish() async throws(APIError) {
        try await blocking { () throws(APIError) in
            do throws(FileError) {
                guard let file = self.file.withLock({ $0.take() }) else { return }
                try file.publish(replaces: self.overwrites)
            } catch {
                throw APIError(.file, "the file cannot be renamed to its destination (\(error.reasonText))")
            }
        }
    }
}
