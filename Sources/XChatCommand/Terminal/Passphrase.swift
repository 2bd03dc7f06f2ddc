package import LibSodium
import XChat
import XChatFiles

/// The longest passphrase: 4096 bytes.
private let maximumPassphraseBytes = 4096

/// The passphrase of the key store: from the file that `XCHAT_PASSPHRASE_FILE` names, else from `XCHAT_PASSPHRASE`, else
/// from the terminal without echo.
///
/// - Parameter isNew: Whether a key store is being made: then the terminal asks twice.
/// - Returns: The passphrase, at least one byte.
/// - Throws: when there is none, or it is empty.
package func readPassphrase(isNew: Bool) throws -> SecretBytes {
    var bytes: [UInt8]
    let source: String
    if let path = try Environment.text("XCHAT_PASSPHRASE_FILE") {
        bytes = try Files.read(path, limit: maximumPassphraseBytes)
        removeNewline(&bytes)
        source = quoted(path)
    } else if let variable = Environment.bytes("XCHAT_PASSPHRASE") {
        bytes = variable
        source = "XCHAT_PASSPHRASE"
    } else {
        bytes = try askTerminal(isNew: isNew)
        source = "the terminal"
    }
    defer { Sodium.wipe(&bytes) }
    guard !bytes.isEmpty else { throw CommandError("the passphrase from \(source) is empty") }
    do {
        return try SecretBytes(copying: bytes.span)
    } catch {
        throw CommandError("the passphrase cannot be kept: \(error)")
    }
}

private func askTerminal(isNew: Bool) throws -> [UInt8] {
    guard let terminal = Terminal() else {
        throw CommandError(
            "the key store needs its passphrase, and there is no terminal to ask on: "
                + "set XCHAT_PASSPHRASE_FILE or XCHAT_PASSPHRASE, or name a session file with --session"
        )
    }
    var first = try terminal.askSecret(isNew ? "New passphrase for the key store: " : "Passphrase of the key store: ")
    if isNew {
        var second = try terminal.askSecret("The same again: ")
        defer { Sodium.wipe(&second) }
        guard Sodium.isEqual(first.span, second.span) else {
            Sodium.wipe(&first)
            throw CommandError("the two passphrases differ")
        }
    }
    return first
}

/// An editor ends a file with a newline that is no part of the passphrase.
private func removeNewline(_ bytes: inout [UInt8]) {
    if bytes.last == UInt8(ascii: "\n") {
        bytes.removeLast()
        if bytes.last == UInt8(ascii: "\r") {
            bytes.removeLast()
        }
    }
}
