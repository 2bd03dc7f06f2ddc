package import LibSodium
import XChat
import XChatFiles

/// The passphrase of the account file: from the file that `XCHAT_PASSPHRASE_FILE` names, else from `XCHAT_PASSPHRASE`,
/// else from the terminal without echo.
///
/// - Parameter isNew: Whether the passphrase is for a new account file: then it is asked for twice at a terminal.
/// - Returns: The passphrase, at least one byte.
/// - Throws: If it is missing or empty.
package func readPassphrase(isNew: Bool) throws -> SecretBytes {
    if let passphrase = try passphraseIfSet() { return passphrase }
    var bytes = try askTerminal(isNew: isNew)
    defer { Sodium.wipe(&bytes) }
    guard !bytes.isEmpty else { throw CommandError("the passphrase from the terminal is empty; run the command again") }
    do {
        return try SecretBytes(copying: bytes.span)
    } catch {
        throw CommandError("the passphrase cannot be held in memory: \(error)")
    }
}

private func askTerminal(isNew: Bool) throws -> [UInt8] {
    guard let terminal = Terminal() else {
        throw CommandError(
            "the account file needs its passphrase, and there is no terminal to ask on: "
                + "set XCHAT_PASSPHRASE_FILE or XCHAT_PASSPHRASE, or name a session file with --session"
        )
    }
    var first = try terminal.askSecret(
        isNew ? "New passphrase for the account file: " : "Passphrase of the account file: "
    )
    if isNew {
        var second = try terminal.askSecret("The same again: ")
        defer { Sodium.wipe(&second) }
        guard Sodium.isEqual(first.span, second.span) else {
            Sodium.wipe(&first)
            throw CommandError("the two passphrases differ; run the command again")
        }
    }
    return first
}
