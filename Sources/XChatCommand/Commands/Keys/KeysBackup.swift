import ArgumentParser
import LibSodium
import XChat
import XChatBackup
import XChatEngine
import XChatEvents
import XChatHTTP

/// The options that name a key backup.
struct BackupOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The id of the user to whom the token belongs. (default: the user of the account, else XCHAT_USER)",
            valueName: "id"
        ),
        transform: userID
    )
    var user: UserID?

    @Option(
        help: ArgumentHelp(
            "The public key version that the backup belongs to. (default: that of the account, else the newest)",
            valueName: "version"
        ),
        transform: registeredVersion
    )
    var keyVersion: KeyVersion?

    @Flag(help: "Accept other servers, or other public keys of them, than the backup was used with before.")
    var acceptRealms = false

    @OptionGroup
    var account: AccountOptions

    /// A backup at its realms, with the registered key that it belongs to.
    struct Backup {
        let userID: UserID
        let key: RegisteredKey
        let facts: BackupFacts?
        let client: KeyBackup
        let pins: RealmPins
        /// The account, opened if it exists, so that the passphrase is asked for only once.
        let configuration: Account.Configuration

        /// Pins the realms after they were used, if there is an account that can store the pins.
        ///
        /// A failure is only a warning: the realms have already done their work, and its result must be reported.
        func pinRealms(in account: Account.Configuration) async {
            do {
                try await Account.pinBackupRealms(pins.publicKeys, account)
            } catch {
                Output.warning("the realms cannot be pinned; the next use compares with earlier pins, if any: \(error)")
            }
        }

        /// Reports a backup that was stored.
        func report(_ receipt: BackupReceipt) async throws {
            await pinRealms(in: configuration)
            receipt.noteIfIncomplete()
            try Output.result(of: "the new PIN is in force", receipt.json(key.publicKeyVersion))
        }
    }

    /// Finds the backup: asks the server for its configuration and compares the realms with those that are pinned.
    ///
    /// With `isRestoring`, the private keys are missing here, which decides the advice of an error.
    func backup(isRestoring: Bool) async throws -> Backup {
        let account = try await self.account.configuration().openedIfPresent()
        let facts = try await Account.backupFacts(account)
        let userID = try chosenUser(user, of: facts, "to whom the token belongs")
        let client = try await self.account.client(account)
        let version = keyVersion ?? facts?.keyVersion
        let (key, json) = try await client.keyWithBackup(of: userID, version: version, isRestoring: isRestoring)
        let configuration = try BackupConfiguration(json: json)
        return Backup(
            userID: userID,
            key: key,
            facts: facts,
            client: try KeyBackup(
                configuration,
                pins: acceptRealms ? nil : facts?.realms.map { RealmPins(publicKeys: $0) }
            ),
            pins: configuration.pins,
            configuration: account
        )
    }
}

extension ChatClient {
    /// The key of a backup and its configuration; an error also names the command that helps.
    fileprivate func keyWithBackup(
        of user: UserID,
        version: KeyVersion?,
        isRestoring: Bool
    ) async throws -> (key: RegisteredKey, configuration: [UInt8]) {
        do {
            return try await keyWithBackup(of: user, version: version)
        } catch let error as AccountError {
            let advice =
                if isRestoring {
                    "xchat keys import, with a copy of the keys; or, without a copy, xchat keys generate"
                } else if error.code == .notRegistered {
                    "xchat keys register"
                } else {
                    "xchat keys export --out FILE"
                }
            throw CommandError("\(error.message): \(advice)")
        }
    }
}

extension BackupReceipt {
    /// The receipt as a result, with the version of the keys.
    fileprivate func json(_ version: KeyVersion) -> JSONValue {
        [
            "public_key_version": .string(version), "realms": .number(realms), "wanted_realms": .number(wantedRealms),
        ]
    }

    fileprivate func noteIfIncomplete() {
        guard realms < wantedRealms else { return }
        Output.warning(
            "the backup is valid, with this PIN, but only \(realms) of \(wantedRealms) realms hold it: "
                + "run \"xchat keys backup\" with the same PIN again later"
        )
    }
}

extension BackupOptions {
    /// Finds the backup and runs an operation on it, and also prints an error of the realms as a JSON result, for
    /// scripts.
    func withBackup(isRestoring: Bool = false, _ operation: (Backup) async throws -> Void) async throws {
        do {
            try await operation(try await backup(isRestoring: isRestoring))
        } catch let error as BackupError {
            var object: JSONObject = ["error": .string(error.code.rawValue)]
            if let remaining = error.guessesRemaining { object["guesses_remaining"] = .number(remaining) }
            if error.mayHaveSpentGuess { object["may_have_spent_guess"] = .bool(true) }
            switch error.registration {
            case .previous: object["in_force"] = "previous"
            case .neither: object["in_force"] = "none"
            case .unknown: object["in_force"] = "unknown"
            case nil: break
            }
            try Output.result(json: .object(object))
            throw CommandError(error.detail + advice(error))
        }
    }
}

/// Runs an operation at the realms, which a signal cancels; the error then says what the realms may have done.
private func interruptible<Value: Sendable>(
    _ body: sending @escaping @isolated(any) () async throws -> Value
) async throws -> Value {
    let outcome = try await untilSignal { () async throws -> Result<Value, BackupError> in
        do {
            return .success(try await body())
        } catch let error as BackupError {
            return .failure(error)
        }
    }
    guard let outcome else { throw CommandError("interrupted") }
    return try outcome.get()
}

private func advice(_ error: BackupError) -> String {
    if error.code == .realmsChanged {
        return
            "; stop here, unless X announced the change: then accept the realms that it serves now with --accept-realms"
    }
    return switch error.registration {
    case .previous: "; an earlier backup, if there was one, is still valid, with its PIN"
    case .neither: "; neither the old nor the new backup is complete: run \"xchat keys backup\" again"
    case .unknown: "; it is not known which PIN is valid: run \"xchat keys backup\" again before anything else"
    case nil: ""
    }
}

struct KeysBackup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Back up the private keys under a PIN.",
        discussion: """
            Encrypts the keys under the PIN and splits them over the servers ("realms") that X names for this \
            version of the public keys. A limited number of wrong PINs in a row locks the backup for good. An \
            earlier backup is replaced. Prints {"public_key_version": "…", "realms": 3, "wanted_realms": 3}, or \
            {"error": "…"} and exits with 1.

            The PIN is read from the file that XCHAT_PIN_FILE names, else from the terminal, else from standard \
            input.

            Example:
              xchat keys backup --session alice.json < pin.txt
            """
    )

    @OptionGroup
    var options: BackupOptions

    func run() async throws {
        try await options.withBackup { backup in
            guard let keys = backup.facts?.privateKeys else {
                throw CommandError("the state has no private keys to back up; use the state that has them")
            }
            try check(keys, areThoseOf: backup.key, "the private keys here")
            let pin = try PINReader.one(isNew: true)
            let secret = try keys.withExport { (blob) throws(XChatError) in
                do {
                    return Shared(try SecretBytes(copying: blob))
                } catch {
                    throw XChatError(.unsupported, "the private keys cannot be held in memory: \(error)")
                }
            }
            let client = backup.client
            let receipt = try await interruptible { try await client.store(secret.value, pin: pin.value) }
            try await backup.report(receipt)
        }
    }
}

struct KeysRestore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Restore the private keys from their backup.",
        discussion: """
            The keys are saved in the account, which is created if it does not exist; with --session, in that file. \
            Prints {"user_id": "…", "public_key_version": "…"}. A wrong PIN prints {"error": "invalid_pin", \
            "guesses_remaining": N} and exits with 1.

            The PIN is read as for "keys backup". Each realm counts a guess, and starts again at 0 after the right \
            PIN.

            Example:
              xchat keys restore --user 1111 --session restored.json < pin.txt
            """
    )

    @OptionGroup
    var options: BackupOptions

    func run() async throws {
        try await options.withBackup(isRestoring: true) { backup in
            // Checked first, because otherwise a guess would be spent on keys that the account cannot store.
            if let known = backup.facts?.privateKeys, !known.isPair(of: backup.key) {
                throw CommandError(
                    "the account has other private keys than those of version "
                        + "\(safeField(backup.key.publicKeyVersion)); nothing was changed: restore into a new file, with --session or --home"
                )
            }
            let pin = try PINReader.one(isNew: false)
            let client = backup.client
            let secret = try await interruptible { Shared(try await client.recover(pin: pin.value)) }
            let keys = try secret.value.withBytes { (blob) throws(XChatError) in try PrivateKeys(importing: blob) }
            try check(keys, areThoseOf: backup.key, "the private keys of the backup")
            let account = try await backup.configuration.opened()
            try await Account.restore(keys, version: backup.key.publicKeyVersion, of: backup.userID, account)
            await backup.pinRealms(in: account)
            try Output.result(
                of: "the keys are restored",
                ["user_id": .string(backup.userID), "public_key_version": .string(backup.key.publicKeyVersion)]
            )
        }
    }
}

/// Throws unless the server serves the public halves of private keys under the version that the backup belongs to.
private func check(_ keys: PrivateKeys, areThoseOf served: RegisteredKey, _ what: String) throws {
    guard keys.isPair(of: served) else {
        throw CommandError(
            "\(what) are not those that the server serves as version \(safeField(served.publicKeyVersion)); "
                + "nothing was changed; name the version of these keys with --key-version"
        )
    }
}

struct KeysChangePIN: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "change-pin",
        abstract: "Change the PIN of the key backup.",
        discussion: """
            Recovers the keys with the present PIN, which counts as a guess, and backs them up under the new one. \
            Prints as "keys backup" does.

            At a terminal both PINs are asked for. Otherwise they come from the file that XCHAT_PIN_FILE names or \
            from standard input: the present one on the first line, the new one on the second.

            Example:
              xchat keys change-pin --session alice.json < pins.txt
            """
    )

    @OptionGroup
    var options: BackupOptions

    func run() async throws {
        try await options.withBackup { backup in
            let (old, new) = try PINReader.change()
            let client = backup.client
            let receipt = try await interruptible { try await client.changePIN(from: old.value, to: new.value) }
            try await backup.report(receipt)
        }
    }
}

struct KeysDeleteBackup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete-backup",
        abstract: "Delete the key backup at all its servers.",
        discussion: """
            Prints {"deleted": true}. Needs no PIN. The private keys of this account stay as they are. If they are \
            lost later and there is no other copy, your messages can no longer be read.

            Example:
              xchat keys delete-backup --session alice.json
            """
    )

    @OptionGroup
    var options: BackupOptions

    func run() async throws {
        try await options.withBackup { backup in
            let client = backup.client
            try await interruptible { try await client.delete() }
            try Output.result(of: "the backup is deleted", ["deleted": .bool(true)])
        }
    }
}

struct KeysBackupStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup-status",
        abstract: "Show whether there is a key backup, without spending a guess.",
        discussion: """
            Prints {"status": "…", "public_key_version": "…", "realms": 3, "wanted_realms": 3, "problems": {}}. The \
            status is registered, not_registered, locked (too many wrong PINs), realms_disagree or unavailable.

            Example:
              xchat keys backup-status --session alice.json
            """
    )

    @OptionGroup
    var options: BackupOptions

    func run() async throws {
        try await options.withBackup { backup in
            let status = try await backup.client.status()
            var problems = JSONObject()
            for (realm, problem) in status.problems.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
                problems[WireString(realm)] = .string(problem)
            }
            try Output.result(json: [
                "status": .string(status.summary.rawValue),
                "public_key_version": .string(backup.key.publicKeyVersion),
                "realms": .number(status.realms),
                "wanted_realms": .number(status.wantedRealms),
                "problems": .object(problems),
            ])
        }
    }
}
