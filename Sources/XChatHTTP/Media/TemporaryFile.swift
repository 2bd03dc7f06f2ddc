import Foundation
import XChatFiles

/// A file that is deleted unless it is renamed to its destination.
///
/// Where the system can create a file without a name, no plaintext remains however the process ends: see ``NewFile``.
final class TemporaryFile {
    private var file: NewFile?

    init(beside destination: URL) throws(APIError) {
        do {
            file = try NewFile(destination.path)
        } catch {
            throw APIError(.file, "no file can be created in the folder of the destination (\(error.reasonText))")
        }
    }

    func write(_ bytes: [UInt8]) throws(APIError) {
        do {
            try file?.descriptor.writeAll(bytes)
        } catch {
            throw APIError(.file, "the file cannot be written (\(error.reasonText))")
        }
    }

    /// Waits until the content is on the storage medium, and gives the file its name.
    func rename(to destination: URL, overwrites: Bool) throws(APIError) {
        do {
            guard let file = file.take() else { return }
            try file.publish(replaces: overwrites)
        } catch {
            throw APIError(.file, "the file cannot be renamed to its destination (\(error.reasonText))")
        }
    }
}
