import ArgumentParser
import LibSodium
import XChat
import XChatBackup
import XChatEngine
import XChatEvents
import XChatFiles
import XChatHTTP
import XChatText

/// The checks of `xchat doctor`, in their order.
struct Examination {
    private let options: AccountOptions
    private(set) var findings: [Finding] = []

    init(_ options: AccountOptions) {
        self.options = options
    }

    /// Makes all checks.
    ///
    /// - Throws: `ValidationError` for wrong arguments; every other failure is a finding.
    mutating func run() async throws {
        checkLibraries()
        let facts = try await checkState()
        let client = try await checkServer(facts)
        let key = await checkKeys(facts, client)
        await checkBackup(key, facts)
        await checkOutbox(isOpen: facts != nil)
    }

    private mutating func add(_ check: String, _ health: Finding.Health, _ detail: String, advice: String? = nil) {
        findings.append(Finding(check: check, health: health, detail: detail, advice: advice))
    }

    private mutating func skip(_ checks: String..., because reason: String) {
        for check in checks { add(check, .warning, "not checked: \(reason)") }
    }

    // MARK: This machine

    private mutating func checkLibraries() {
        do {
            try Sodium.initialize()
            add("libsodium", .ok, Sodium.version)
        } catch {
            add("libsodium", .problem, "\(error)", advice: "install libsodium 1.0.18 or newer")
        }
        do {
            add("sqlite", .ok, try sqliteVersion())
        } catch {
            add("sqlite", .problem, "it does not work: \(error)", advice: "install SQLite again")
        }
    }

    /// Reads the state; nil if it cannot be read.
    private mutating func checkState() async throws -> BackupFacts? {
        var configuration: Account.Configuration
        do {
            configuration = try options.state.configuration()
        } catch let error as AccountError {
            add("state", .problem, error.message, advice: "name a session file with --session")
            return nil
        }
        // The outbox of a session file is named after the URL; a bad URL is reported by the check of the server.
        configuration.api = (try? options.server.url) ?? configuration.api
        let (path, isSession) =
            switch configuration.location {
            case .sessionFile(let path): (path, true)
            case .accountFile(let path): (path, false)
            case .store: ("", false)
            }
        guard Files.exists(path) else {
            add(
                "state",
                .problem,
                "there is no \(isSession ? "session" : "account") file \(quoted(path))",
                advice: "make one with: xchat keys generate --user ID\(isSession ? " --out FILE" : "")"
            )
            return nil
        }
        guard checkPermissions(of: path) else {
            skip("state", because: "the file cannot be read")
            return nil
        }
        guard isSession || hasPassphrase() else { return nil }
        do {
            configuration.passphrase = { _ in try passphraseOfEnvironment() }
            // The permissions are a check of their own, so their notice is left out.
            configuration.notify = nil
            guard let facts = try await Account.backupFacts(configuration) else {
                add("state", .problem, "\(quoted(path)) holds no account", advice: "xchat keys generate --user ID")
                return nil
            }
            add("state", .ok, "\(quoted(path)), user \(safeField(facts.userID))")
            return facts
        } catch {
            let isPassphrase = (error as? AccountError)?.code == .wrongPassphrase
            add(
                "state",
                .problem,
                "\(error)",
                advice: isPassphrase
                    ? "correct XCHAT_PASSPHRASE_FILE or XCHAT_PASSPHRASE" : "restore a copy of the file"
            )
            return nil
        }
    }

    /// Checks who can open the file; false if this process cannot.
    private mutating func checkPermissions(of path: String) -> Bool {
        do throws(FileError) {
            if try Descriptor.reading(path).isOpenToOthers() {
                add(
                    "permissions",
                    .problem,
                    "other users can open \(quoted(path))",
                    advice: "chmod 600 \(quoted(path))"
                )
            } else {
                add("permissions", .ok, "only its owner can open the file")
            }
            return true
        } catch {
            add("permissions", .problem, "\(error)", advice: "make the file readable for yourself")
            return false
        }
    }

    /// Whether the environment gives a passphrase; nothing is asked.
    private mutating func hasPassphrase() -> Bool {
        do throws(AccountError) {
            if try passphraseIfSet() != nil { return true }
            add(
                "state",
                .warning,
                "the account file was not opened: its passphrase is not given",
                advice: "set XCHAT_PASSPHRASE_FILE"
            )
        } catch {
            add("state", .problem, error.message, advice: "correct XCHAT_PASSPHRASE_FILE or XCHAT_PASSPHRASE")
        }
        return false
    }

    // MARK: The server

    /// Checks proxy, server, clock and token; returns a client if the token works.
    private mutating func checkServer(_ facts: BackupFacts?) async throws -> ChatClient? {
        let url: String
        do {
            url = try options.server.url
        } catch let error as ValidationError {
            throw error
        } catch {
            let detail = (error as? AccountError)?.message ?? (error as? APIError)?.detail ?? "\(error)"
            add("server", .problem, detail, advice: "correct the URL")
            skip("proxy", "clock", "token", because: "there is no server")
            return nil
        }
        let client: ChatClient
        do {
            if let token = try Environment.token("XCHAT_TOKEN") {
                client = try ChatClient(api: url, token: token)
            } else {
                client = try await signedInClient(facts)
            }
        } catch let error as APIError where error.code != .signInNeeded {
            add("proxy", .problem, error.detail, advice: "correct the environment variable")
            skip("server", "clock", "token", because: "the proxy is not usable")
            return nil
        } catch {
            add("token", .problem, "\(error)", advice: "xchat login, or set XCHAT_TOKEN to an access token")
            skip("proxy", "server", "clock", because: "there is no token")
            return nil
        }
        add("proxy", .ok, client.proxy.map { "connections go by \($0)" } ?? "none, connections are direct")
        let check = await client.check()
        if case .failure(let error) = check.user, error.code == .signInNeeded {
            add("token", .problem, error.detail, advice: "xchat login")
            skip("server", "clock", because: "there is no token")
            return nil
        }
        if case .failure(let error) = check.user, error.status == nil {
            add("server", .problem, "\(url): \(error.detail)", advice: "check the network, XCHAT_API_URL and the proxy")
            skip("clock", "token", because: "the server did not answer")
            return nil
        }
        add("server", .ok, "\(url) answers")
        checkClock(check.clockLead)
        return checkToken(check.user, facts) ? client : nil
    }

    /// A client with the tokens of the sign-in; the state was opened before, so that nothing is asked.
    private func signedInClient(_ facts: BackupFacts?) async throws -> ChatClient {
        guard facts != nil else { throw CommandError("XCHAT_TOKEN is not set, and the state was not read") }
        return try await Account.client(try options.silentConfiguration())
    }

    private mutating func checkClock(_ lead: Duration?) {
        guard let seconds = lead?.components.seconds else { return skip("clock", because: "the answer has no date") }
        let distance = seconds.magnitude
        let text = "\(distance) s \(seconds < 0 ? "behind" : "ahead of") the server's"
        switch distance {
        case 0...30: add("clock", .ok, distance <= 1 ? "that of the server" : text)
        case 31...300: add("clock", .warning, text, advice: "set the clock of this machine")
        default: add("clock", .problem, text, advice: "set the clock of this machine")
        }
    }

    /// Whether the token can be used for the account.
    private mutating func checkToken(_ user: Result<UserID, APIError>, _ facts: BackupFacts?) -> Bool {
        switch user {
        case .success(let user):
            if let facts, facts.userID != user {
                add(
                    "token",
                    .problem,
                    "it is of user \(safeField(user)), and the state is of user \(safeField(facts.userID))",
                    advice:
                        "set XCHAT_TOKEN to a token of user \(safeField(facts.userID)), or use the state of the other user"
                )
                return false
            }
            add("token", .ok, "of user \(safeField(user))")
            return true
        case .failure(let error):
            switch error.code {
            case .forbidden, .notFound:
                add("token", .warning, "the server does not say whose token it is (\(error))")
                return true
            case .unauthorized:
                add("token", .problem, "\(error)", advice: "xchat login, or set XCHAT_TOKEN to a valid access token")
            case .rateLimited, .server:
                add("token", .warning, "\(error)", advice: "try again later")
            default:
                add("token", .problem, "\(error)", advice: "check XCHAT_API_URL")
            }
            return false
        }
    }

    // MARK: The keys

    /// Compares the keys of the state with the served ones; returns the served one that matches.
    private mutating func checkKeys(_ facts: BackupFacts?, _ client: ChatClient?) async -> BackedUpKey? {
        guard let facts else {
            skip("keys", because: "the state was not read")
            return nil
        }
        guard let privateKeys = facts.privateKeys else {
            let advice = "xchat keys restore, xchat keys import or xchat keys generate"
            add("keys", .problem, "the state has no private keys", advice: advice)
            return nil
        }
        guard let client else {
            skip("keys", because: "the server was not asked")
            return nil
        }
        let standing: KeyStanding
        do throws(APIError) {
            standing = try await KeyStanding(of: privateKeys, facts, at: client)
        } catch {
            add("keys", .problem, "\(error)")
            return nil
        }
        switch standing {
        case .registered(let own):
            add("keys", .ok, "registered as version \(safeField(own.key.publicKeyVersion))")
            return own
        case .superseded(let own, let newest):
            let newer = safeField(newest.key.publicKeyVersion)
            let detail =
                "the server has version \(newer) of this user's keys, which is newer than version "
                + "\(safeField(own.key.publicKeyVersion)) of the state: others encrypt for that one"
            let restoring = "xchat keys restore --user \(safeField(facts.userID)) --key-version \(newer)"
            let advice =
                "\(restoring) into a new file; or, if those keys are lost, xchat keys generate and xchat keys register in a "
                + "new file"
            add("keys", .problem, detail, advice: advice)
            return own
        case .otherKeys:
            let restoring = "xchat keys restore --user \(safeField(facts.userID)) into a new file"
            let advice = "\(restoring), or xchat keys register, which replaces those keys"
            add("keys", .problem, "the server has other keys of this user", advice: advice)
        case .otherVersion:
            let detail = "the server has the keys under another version than the state"
            add("keys", .problem, detail, advice: "xchat keys register")
        case .unregistered:
            add("keys", .problem, "the server has no keys of this user", advice: "xchat keys register")
        }
        return nil
    }

    private mutating func checkBackup(_ key: BackedUpKey?, _ facts: BackupFacts?) async {
        guard let key, let facts else { return skip("backup", because: "the keys were not found at the server") }
        guard let json = key.configuration else {
            return add(
                "backup",
                .warning,
                "the server names no key backup for version \(safeField(key.key.publicKeyVersion))",
                advice: "keep a copy: xchat keys export --out FILE"
            )
        }
        do {
            let configuration = try BackupConfiguration(json: json)
            let backup = try KeyBackup(configuration, pins: facts.realms.map { RealmPins(publicKeys: $0) })
            report(try await backup.status())
        } catch {
            add("backup", .problem, error.detail, advice: "see: xchat keys backup-status")
        }
    }

    private mutating func report(_ status: BackupStatus) {
        let realms = "\(status.realms) of \(status.wantedRealms) realms"
        switch status.summary {
        case .registered where status.realms == status.wantedRealms: add("backup", .ok, "at \(realms)")
        case .registered:
            add("backup", .warning, "at \(realms)", advice: "xchat keys backup, with the same PIN")
        case .notRegistered: add("backup", .warning, "there is no key backup", advice: "xchat keys backup")
        case .locked:
            add("backup", .problem, "locked after too many wrong PINs", advice: "xchat keys backup makes a new one")
        case .disagreement:
            add("backup", .problem, "the realms hold different backups", advice: "xchat keys backup makes a new one")
        case .unavailable:
            add("backup", .warning, "too few realms answer", advice: "try again later")
        }
    }

    // MARK: The outbox

    private mutating func checkOutbox(isOpen: Bool) async {
        guard isOpen else { return skip("outbox", because: "the state was not read") }
        do {
            let outbox = try await Account.outbox(try options.silentConfiguration(), changes: false)
            let entries = try await outbox.list([.queued, .deadLetter])
            let refused = entries.count { $0.state == .deadLetter }
            let waiting = entries.count - refused
            guard !entries.isEmpty else { return add("outbox", .ok, "nothing waits") }
            add(
                "outbox",
                .warning,
                "\(waiting) waiting, \(refused) refused or held",
                advice: refused > 0 ? "see why: xchat outbox list" : "xchat outbox retry"
            )
        } catch {
            add("outbox", .problem, "\(error)")
        }
    }
}

extension AccountOptions {
    /// The account without a token, for checks that ask for no passphrase and print no notices.
    fileprivate func silentConfiguration() throws -> Account.Configuration {
        var configuration = try configuration()
        configuration.passphrase = { _ in try passphraseOfEnvironment() }
        configuration.notify = nil
        return configuration
    }
}
