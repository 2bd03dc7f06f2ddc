/// A stream of media that is encrypted or decrypted piece by piece.
package protocol MediaStream: ~Copyable {
    mutating func push(_ piece: [UInt8], appendingTo output: inout [UInt8]) throws(XChatError)
    mutating func finish(appendingTo output: inout [UInt8]) throws(XChatError)
}

extension MediaEncryptor: MediaStream {}
extension MediaDecryptor: MediaStream {}

extension MediaStream where Self: ~Copyable {
    /// Takes what was read next from a file; no bytes are the end of the file.
    package mutating func take(_ piece: [UInt8], appendingTo output: inout [UInt8]) throws(XChatError) {
        guard !piece.isEmpty else { return try finish(appendingTo: &output) }
        try push(piece, appendingTo: &output)
    }
}
