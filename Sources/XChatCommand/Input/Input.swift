import XChat
package import XChatFiles

/// The largest message text, draft or JSON event that is read from a file or from standard input: 16 MiB.
package let maximumInputBytes = 16 << 20

/// A file to read from; `-` is standard input.
package func openInput(_ path: String) throws(FileError) -> Descriptor {
    path == "-" ? .standardInput : try .reading(path)
}

/// All of standard input as a text, unchanged.
///
/// - Throws: If it is larger than ``maximumInputBytes`` or not UTF-8.
package func readStandardInputText() throws -> String {
    let bytes = try Descriptor.standardInput.readAll(limit: maximumInputBytes)
    guard let text = String(validating: bytes, as: UTF8.self) else {
        throw CommandError("standard input: the text is not UTF-8; convert it to UTF-8 first")
    }
    return text
}
