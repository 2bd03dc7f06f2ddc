import LibSodium
import XChat
import XChatFiles

/// The PINs of a command: from the file that `XCHAT_PIN_FILE` names, else from the terminal without echo, else from
/// standard input; one on each line.
struct PINReader {
    /// The longest input: 4096 bytes.
    private static let maximumBytes = 4096

    /// Reads one PIN; at a terminal, a new PIN is asked for twice.
    static func one(isNew: Bool) throws -> Shared<SecretBytes> {
        guard try isOnTerminal() else {
            var lines = try lines(1)
            defer { wipe(&lines) }
            return Shared(try secretBytes(lines[0], named: "PIN"))
        }
        return try ask(isNew ? "New PIN of the key backup: " : "PIN of the key backup: ", isNew: isNew)
    }

    /// Reads the present PIN and the new one.
    static func change() throws -> (old: Shared<SecretBytes>, new: Shared<SecretBytes>) {
        guard try isOnTerminal() else {
            var lines = try lines(2)
            defer { wipe(&lines) }
            return (Shared(try secretBytes(lines[0], named: "PIN")), Shared(try secretBytes(lines[1], named: "PIN")))
        }
        let old = try ask("Present PIN of the key backup: ", isNew: false)
        return (old, try ask("New PIN of the key backup: ", isNew: true))
    }

    private static func isOnTerminal() throws -> Bool {
        try Environment.text("XCHAT_PIN_FILE") == nil && Descriptor.standardInput.isTerminal
    }

    private static func lines(_ count: Int) throws -> [[UInt8]] {
        let path = try Environment.text("XCHAT_PIN_FILE")
        var bytes =
            if let path {
                try withAccountErrors { () throws(FileError) in try Files.read(path, limit: maximumBytes) }
            } else {
                try withAccountErrors { try Descriptor.standardInput.readAll(limit: maximumBytes) }
            }
        defer { Sodium.wipe(&bytes) }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            Array(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
        }
        guard lines.count == count, lines.allSatisfy({ !$0.isEmpty }) else {
            wipe(&lines)
            let source = path.map { quoted($0) } ?? "standard input"
            throw CommandError(
                count == 1
                    ? "\(source) must be one line with the PIN"
                    : "\(source) must be two lines: the present PIN and the new one"
            )
        }
        return lines
    }

    private static func ask(_ question: String, isNew: Bool) throws -> Shared<SecretBytes> {
        guard let terminal = Terminal() else {
            throw CommandError(
                "there is no terminal on which to ask for the PIN: set XCHAT_PIN_FILE, or write the PIN to standard input"
            )
        }
        return Shared(try terminal.secret(question, named: "PIN", isNew: isNew))
    }

    private static func wipe(_ lines: inout [[UInt8]]) {
        for index in lines.indices { Sodium.wipe(&lines[index]) }
    }
}
