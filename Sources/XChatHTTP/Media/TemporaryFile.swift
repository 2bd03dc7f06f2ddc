import Synchronization
import XChatFiles

/// A file that is deleted unless it is published under its path.
///
/// If the system can create files without a name, no plaintext remains, no matter how the process ends: see
/// ``NewFile``.
///
/// No call blocks a thread of Swift's cooperative thread pool.
final class TemporaryFile: Sendable {
    private let file: Mutex<NewFile?>
    private let overwrites: Bool

    private init(_ file: consuming NewFile, overwrites: Bool) {
        self.file = Mutex(file)
        self.overwrites = overwrites
    }

    /// Makes the file in the folder of its destination.
    ///
    /// - Throws: `file` if the destination exists and must not be replaced, or if the file cannot be created.
    static func make(for path: String, overwrites: Bool) async throws(APIError) -> TemporaryFile {
        try await blocking { () throws(APIError) in
            do throws(FileError) {
                let file = try NewFile(Files.destination(path, overwrites: overwrites), named: path)
                return TemporaryFile(file, overwrites: overwrites)
            } catch let error where error.isNameTaken {
                throw APIError(.file, "the destination exists already; choose another path, or allow it to be replaced")
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

    /// Makes the content survive a power loss, and then gives the file its name.
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
