import SystemPackage

/// A regular file that is open for reading; later changes of its path have no effect on it.
package final class RegularFile: Sendable {
    /// The size when the file was opened.
    package let byteCount: Int
    private let descriptor: Descriptor

    /// Opens a file.
    ///
    /// - Parameter path: The file; the path is resolved only once.
    /// - Throws: ``FileError``: `notRegular` for a pipe, a folder and the like.
    package init(_ path: String) throws(FileError) {
        // Without the option, opening a pipe waits for its writer.
        let descriptor = try Descriptor.open(path, .readOnly, .nonBlocking)
        let file = descriptor.file
        let status = try system(path) { try file.stat() }
        guard status.type == .regular else { throw FileError(path, .notRegular) }
        byteCount = Int(status.size)
        self.descriptor = descriptor
    }

    /// Reads bytes at a position.
    ///
    /// - Parameters:
    ///   - count: The maximum number of bytes to read.
    ///   - offset: The position of the first byte.
    /// - Returns: 1 to `count` bytes; empty at the end of the file.
    /// - Throws: ``FileError``.
    package func read(upTo count: Int, at offset: Int) throws(FileError) -> [UInt8] {
        let file = descriptor.file
        return try system(descriptor.name) {
            try unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                filled = unsafe try file.read(
                    fromAbsoluteOffset: Int64(offset),
                    into: UnsafeMutableRawBufferPointer(buffer)
                )
            }
        }
    }
}
