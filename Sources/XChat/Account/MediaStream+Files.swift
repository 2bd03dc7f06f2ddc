package import XChatEngine
package import XChatFiles

extension MediaStream where Self: ~Copyable {
    /// Encrypts or decrypts a file to its end; memory use does not grow with its size.
    ///
    /// - Parameters:
    ///   - source: The file.
    ///   - emit: Receives the output in order. What it receives has authenticated, but only the end of the call shows
    ///     that it is the whole file.
    /// - Throws: `XChatError` of the stream; ``FileError``; what `emit` throws.
    package mutating func read(_ source: borrowing Descriptor, emit: (_ output: [UInt8]) throws -> Void) throws {
        var output: [UInt8] = []
        var isAtEnd = false
        while !isAtEnd {
            let piece = try source.read(upTo: 1 << 20)
            isAtEnd = piece.isEmpty
            output.removeAll(keepingCapacity: true)
            do {
                try take(piece, appendingTo: &output)
            } catch {
                // The bytes before the frame that does not authenticate are authentic.
                if !isAtEnd { try emit(output) }
                throw error
            }
            try emit(output)
        }
    }
}
