import LibSodium

/// The reason why an operation on a key backup failed.
///
/// Match on ``code``. The text is for people: one line without secrets, tokens or PINs.
public struct BackupError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of error, as a word that scripts may rely on.
    public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The word itself, for example `invalid_pin`.
        public let rawValue: String

        /// Creates a code from any word; this library throws only the static members.
        ///
        /// - Parameter rawValue: The word.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The word itself.
        public var description: String { rawValue }

        /// The configuration is malformed, contradicts itself, or names a realm that must not be used.
        public static let invalidConfiguration = Self(rawValue: "invalid_configuration")
        /// The realms or their public keys are not those that were pinned.
        public static let realmsChanged = Self(rawValue: "realms_changed")
        /// The new PIN is too easy to guess.
        public static let weakPIN = Self(rawValue: "weak_pin")
        /// The secret is longer than 128 bytes.
        public static let invalidSecret = Self(rawValue: "invalid_secret")
        /// The PIN is wrong, or no guesses remain; see ``BackupError/guessesRemaining``.
        public static let invalidPIN = Self(rawValue: "invalid_pin")
        /// There is no backup: so many realms hold no part of one that nothing can be recovered.
        public static let notRegistered = Self(rawValue: "not_registered")
        /// Realms hold parts of a backup, but too few of the same one.
        public static let disagreement = Self(rawValue: "realms_disagree")
        /// Too many realms refuse their token, or the configuration has no token for them.
        public static let unauthorized = Self(rawValue: "unauthorized")
        /// Too many realms require a newer version of the protocol.
        public static let upgradeRequired = Self(rawValue: "upgrade_required")
        /// Too many realms refuse requests for a while because they received too many.
        public static let rateLimited = Self(rawValue: "rate_limited")
        /// Too many realms sent answers that break the protocol.
        public static let protocolViolation = Self(rawValue: "protocol_violation")
        /// Too many realms cannot be reached or do not answer.
        public static let unavailable = Self(rawValue: "unavailable")
        /// The task was cancelled.
        public static let cancelled = Self(rawValue: "cancelled")
        /// The system did not provide the required memory.
        public static let outOfMemory = Self(rawValue: "out_of_memory")
    }

    /// Which backup is in force after a registration that failed.
    public enum Registration: Hashable, Sendable {
        /// The backup from before, or still no backup.
        case previous
        /// Neither the backup from before nor the new one: no PIN recovers anything until a registration succeeds.
        case neither
        /// The earlier or the new backup may be in force, because too few realms could be asked. Store it again.
        case unknown
    }

    /// The kind of error.
    public let code: Code
    /// A description for people.
    public let detail: String
    /// For `invalid_pin`: the fewest guesses that a realm says remain; nil if no realm says so credibly.
    ///
    /// At 0 the backup need not be locked, because a single realm may lie: ``detail`` says whether it is.
    public var guessesRemaining: Int?
    /// Whether realms may have counted a guess although it is unknown whether the PIN is right.
    ///
    /// Each realm counts at most one guess for one recovery. The next recovery with the right PIN resets the count.
    public var mayHaveSpentGuess = false
    /// After a registration that failed: which backup is in force.
    public var registration: Registration?

    init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// `code: detail`.
    public var description: String { "\(code): \(detail)" }

    /// An error for a wrong PIN.
    ///
    /// - Parameters:
    ///   - claims: How many guesses each realm says remain; nil for a realm that contradicts itself.
    ///   - needed: How many realms a recovery needs.
    ///   - count: How many realms can still hold a part of the backup.
    /// - Returns: The error, which says that the backup is locked only if too few realms allow another guess.
    static func invalidPIN(_ claims: [Int?], needed: Int, of count: Int) -> Self {
        let remaining = claims.compactMap { $0 }.min()
        // One realm that says 0 may lie, and the others can be enough.
        let isLocked = count - claims.count { $0 == 0 } < needed
        let detail =
            switch remaining {
            case _ where isLocked:
                "no guesses remain: the backup is locked for good; store a new one from a device that has the keys"
            case nil: "the PIN is wrong; the realms do not say credibly how many guesses remain"
            case 0: "the PIN is wrong; some realms say that no guesses remain, and the others are enough to try again"
            case let remaining?: "the PIN is wrong; guesses remaining: \(remaining)"
            }
        var error = Self(.invalidPIN, detail)
        error.guessesRemaining = remaining
        return error
    }
}

/// Runs `body` and converts its errors to ``BackupError``.
func withBackupErrors<Result: ~Copyable>(
    _ body: () async throws -> Result
) async throws(BackupError) -> Result {
    do {
        return try await body()
    } catch let error as BackupError {
        throw error
    } catch is CancellationError {
        throw BackupError(.cancelled, "the task was cancelled")
    } catch let error as SodiumError where error.code == .outOfMemory {
        throw BackupError(.outOfMemory, "not enough memory for a secret")
    } catch {
        throw BackupError(.protocolViolation, "the realms' answers do not form a valid backup (\(error))")
    }
}

/// How one realm failed.
package enum RealmFailure: Error, Hashable, Sendable {
    /// The request cannot have been processed, for example because there was no connection.
    case notProcessed(String)
    /// The request may have been processed.
    case unclear(String)
    /// There was no answer in time: the request may have been processed, or may still be.
    case silent
    /// The configuration has no token for the realm, so nothing was sent.
    case noToken
    case unauthorized
    case upgradeRequired
    case rateLimited
    /// The answer breaks the protocol.
    case violation(String)
    case notRegistered
    case noGuesses
    case versionMismatch
    case wrongTag(guessesRemaining: Int)
    /// A hardware realm does not know the session; the request was not processed.
    case missingSession

    var description: String {
        switch self {
        case .notProcessed(let reason), .unclear(let reason), .violation(let reason): reason
        case .silent: "did not answer in time"
        case .noToken: "has no token in the configuration"
        case .unauthorized: "refuses the token"
        case .upgradeRequired: "requires a newer version of the protocol"
        case .rateLimited: "refuses for now because of too many requests"
        case .notRegistered: "holds no backup"
        case .noGuesses: "has no guesses left"
        case .versionMismatch: "holds another backup now"
        case .wrongTag: "does not accept the PIN"
        case .missingSession: "has no session"
        }
    }

    /// The order in which failures are reported, the most useful first; it does not depend on the order of the answers.
    var severity: (rank: Int, code: BackupError.Code) {
        switch self {
        case .noToken, .unauthorized: (0, .unauthorized)
        case .upgradeRequired: (1, .upgradeRequired)
        case .rateLimited: (2, .rateLimited)
        case .violation, .missingSession: (3, .protocolViolation)
        case .versionMismatch, .notRegistered, .noGuesses, .wrongTag: (4, .disagreement)
        case .notProcessed, .unclear, .silent: (5, .unavailable)
        }
    }

    /// Whether the realm may have counted a guess.
    var mayHaveSpentGuess: Bool {
        switch self {
        case .unclear, .silent, .violation: true
        default: false
        }
    }
}
