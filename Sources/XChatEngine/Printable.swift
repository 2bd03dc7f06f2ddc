package import XChatEvents

/// An id or version for an error message: at most 48 bytes, anything but printable ASCII replaced.
///
/// Ids come from outside. In a message for people they must not carry control or bidirectional characters.
package func printable(_ text: WireString) -> String {
    let limit = 48
    var result = ""
    for byte in text.utf8.prefix(limit) {
        result.unicodeScalars.append(0x20..<0x7f ~= byte ? Unicode.Scalar(byte) : "?")
    }
    return "'\(result)\(text.utf8.count > limit ? "…" : "")'"
}
