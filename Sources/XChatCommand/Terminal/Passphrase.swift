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
    guard let terminal = Terminal() else {
        throw CommandError(
            "the account file needs its passphrase, and there is no terminal to ask on: "
                + "set XCHAT_PASSPHRASE_FILE or XCHAT_PASSPHRASE, or name a session file with --session"
        )
    }
    let question = isNew ? "New passphrase for the account file: " : "Passphrase of the account file: "
    return try terminal.secret(question, named: "passphrase", isNew: isNew)
}
