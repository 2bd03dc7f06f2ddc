import LibSodium
import XChat
import XChatFiles

/// The controlling terminal, for questions to the user even if input and output are redirected.
struct Terminal: ~Copyable {
    private let device: Descriptor

    /// Opens the terminal; nil if the process has no controlling terminal.
    init?() {
        guard let device = Descriptor.terminal() else { return nil }
        self.device = device
    }

    /// Asks a question and reads the answer, one line.
    func ask(_ question: String) throws -> String {
        _ = try device.write(Array(question.utf8))
        return String(decoding: try readLine(), as: UTF8.self)
    }

    /// Asks for permission, which only the word "yes" gives.
    ///
    /// - Parameters:
    ///   - question: The question.
    ///   - alternative: What to do if there is no terminal.
    /// - Throws: If the answer is another one, or there is no terminal.
    static func confirm(_ question: String, orElse alternative: String) throws {
        guard let terminal = Terminal() else {
            throw CommandError("there is no terminal to ask on, so nothing was changed: \(alternative)")
        }
        guard try terminal.ask(question) == "yes" else { throw CommandError("not accepted; nothing was changed") }
    }

    /// Asks for a secret without showing it, and for a new one twice.
    ///
    /// - Parameters:
    ///   - question: The question.
    ///   - name: The name of the secret in errors.
    ///   - isNew: Whether the secret is a new one.
    /// - Returns: The secret, at least one byte.
    /// - Throws: If it is empty, the second one differs, or the user presses Ctrl-C.
    func secret(_ question: String, named name: String, isNew: Bool) throws -> SecretBytes {
        var secret = try askSecret(question)
        defer { Sodium.wipe(&secret) }
        guard !secret.isEmpty else {
            throw CommandError("the \(name) from the terminal is empty; run the command again")
        }
        if isNew {
            var again = try askSecret("The same again: ")
            defer { Sodium.wipe(&again) }
            guard Sodium.isEqual(secret.span, again.span) else {
                throw CommandError("the two \(name)s differ; run the command again")
            }
        }
        return try secretBytes(secret, named: name)
    }

    /// Asks for a secret and reads it without showing it.
    private func askSecret(_ question: String) throws -> [UInt8] {
        let secret = try device.withoutEcho {
            _ = try device.write(Array(question.utf8))
            let secret = try readLine(endingAt: Descriptor.interrupt)
            _ = try device.write([UInt8(ascii: "\n")])
            return secret
        }
        guard !secret.contains(Descriptor.interrupt) else { throw CommandError("interrupted") }
        return secret
    }

    private func readLine(endingAt end: UInt8? = nil) throws -> [UInt8] {
        var line: [UInt8] = []
        while let byte = try device.read(upTo: 1).first, byte != UInt8(ascii: "\n") {
            guard line.count < 4096 else {
                throw CommandError("the answer is longer than 4096 bytes; run the command again")
            }
            line.append(byte)
            if byte == end { break }
        }
        return line
    }
}

/// Copies bytes into secret memory; `name` names them in the error.
func secretBytes(_ bytes: [UInt8], named name: String) throws(CommandError) -> SecretBytes {
    do {
        return try SecretBytes(copying: bytes.span)
    } catch {
        throw CommandError("the \(name) cannot be held in memory: \(error)")
    }
}
