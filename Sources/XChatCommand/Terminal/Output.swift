import XChatFiles

/// Results go to standard output, everything else to standard error.
package enum Output {
    /// Prints one line of the result.
    ///
    /// - Throws: `BrokenPipe` when nobody reads any more.
    package static func result(_ line: String) throws {
        guard try Descriptor.standardOutput.write(Array(line.utf8) + [UInt8(ascii: "\n")]) else { throw BrokenPipe() }
    }

    /// Prints bytes of the result as they are.
    package static func result(_ bytes: [UInt8]) throws {
        guard try Descriptor.standardOutput.write(bytes) else { throw BrokenPipe() }
    }

    /// Tells the person something that is not the result.
    package static func note(_ text: String) {
        // Nothing can be told about a standard error that does not take text.
        _ = try? Descriptor.standardError.write(Array((text + "\n").utf8))
    }

    /// Tells the person what may be wrong.
    package static func warning(_ text: String) {
        note("xchat: warning: \(text)")
    }
}

/// The reader of standard output went away; the program ends quietly.
struct BrokenPipe: Error {}
