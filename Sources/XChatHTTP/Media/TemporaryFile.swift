import XChatFiles

/// A file that is deleted unless it is published under its path.
///
/// Where the system can create a file without a name, no plaintext remains however the process ends: see ``NewFile``.
final class TemporaryFile {
    private var file: NewFile?
    private let overwrites: Bool

    init(for path: String, overwrites: Bool) throws(APIError) {
        self.overwrites = overwrites
        do {
            file = try NewFile(Files.destination(path, overwrites: overwrites), named: path)
        } catch let error where error.isNameTaken {
            throw APIError(.file, "the destination exists already")
        } catch {
            throw APIError(.file, "no file can be created at the destination (\(error.reasonText))")
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
    func publish() throws(APIError) {
        do {
            guard let file = file.take() else { return }
            try file.publish(replaces: overwrites)
        } catch {
            throw APIError(.file, "the file cannot be renamed to its destination (\(error.reasonText))")
        }
    }
}
