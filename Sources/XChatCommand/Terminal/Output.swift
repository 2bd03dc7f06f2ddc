import XChat
import XChatFiles

/// Results go to standard output, everything else to standard error.
package enum Output {
    /// Prints one line of the result.
    ///
    /// - Throws: `BrokenPipe` when the reader has closed the pipe.
    package static func result(_ line: String) throws {
        guard try Descriptor.standardOutput.write(Array(line.utf8) + [UInt8(ascii: "\n")]) else { throw BrokenPipe() }
    }

    /// Prints one line of the result.
    static func result(json: JSONValue) throws { try result(json.line) }

    /// Prints the result of a change that is made already, at the server or in the state.
    ///
    /// - Parameters:
    ///   - what: The change, as a sentence without its period.
    ///   - json: The result.
    /// - Throws: ``CommandError`` with the result if standard output cannot be written: a user who saw only a failure
    ///   would repeat the change.
    static func result(of what: String, _ json: JSONValue) throws {
        do {
            try result(json.line)
        } catch {
            let reason = (error as? FileError)?.reasonText ?? "its reader has closed it"
            throw CommandError(
                "\(what), so do not repeat it, but standard output cannot be written (\(reason)): \(json.line)"
            )
        }
    }

    /// Prints bytes of the result as they are.
    package static func result(_ bytes: [UInt8]) throws {
        guard try Descriptor.standardOutput.write(bytes) else { throw BrokenPipe() }
    }

    /// Prints a line that is not part of the result to standard error.
    package static func note(_ text: String) {
        // A failure of standard error cannot be reported.
        _ = try? Descriptor.standardError.write(Array((text + "\n").utf8))
    }

    /// Prints a warning to standard error.
    package static func warning(_ text: String) {
        note("xchat: warning: \(text)")
    }
}

/// The reader has closed standard output; the program ends without a message.
struct BrokenPipe: Error {}
