/// The status of a backup as the realms report it, without a guess.
public struct BackupStatus: Hashable, Sendable {
    /// The state of the backup as a whole.
    public enum Summary: String, Hashable, Sendable {
        /// Enough realms hold the same backup: the right PIN recovers it.
        case registered
        /// There is no backup.
        case notRegistered = "not_registered"
        /// Too many wrong PINs were tried: the backup can no longer be recovered.
        case locked
        /// Enough realms hold parts of backups, but too few of the same one.
        case disagreement = "realms_disagree"
        /// Too few realms answer.
        case unavailable
    }

    /// The backup as a whole.
    public let summary: Summary
    /// The number of realms that hold the backup in force or, if no backup is in force, a part of any backup.
    public let realms: Int
    /// The number of realms that should hold the backup.
    public let wantedRealms: Int
    /// The problems of the realms that do not hold the backup in force, one line each, by realm id.
    public let problems: [String: String]
}

extension KeyBackup {
    /// Asks the realms whether there is a backup; this spends no guess.
    ///
    /// - Returns: The status.
    /// - Throws: ``BackupError`` with `cancelled`.
    public func status() async throws(BackupError) -> BackupStatus {
        try await withBackupErrors {
            let clients = clients
            let answers = try await ask(clients) { _ in
                false
            } _: { _ in
                .recover1
            }
            let versions = answers.versions
            let group = Self.largestGroup(versions)
            let lost = answers.failures.filter { $0.value == .notRegistered || $0.value == .noGuesses }
            let threshold = configuration.recoverThreshold
            let summary: BackupStatus.Summary =
                if group.count >= threshold {
                    .registered
                } else if clients.count - lost.count < threshold {
                    lost.values.contains(.noGuesses) ? .locked : .notRegistered
                } else if versions.count >= threshold {
                    .disagreement
                } else {
                    .unavailable
                }
            var problems: [String: String] = [:]
            for (index, realm) in configuration.realms.enumerated() {
                if let failure = answers.failures[index + 1] {
                    problems[realm.id.description] = failure.description
                } else if summary == .registered, !group.contains(index + 1) {
                    problems[realm.id.description] = "holds another backup"
                }
            }
            return BackupStatus(
                summary: summary,
                realms: summary == .registered ? group.count : versions.count,
                wantedRealms: clients.count,
                problems: problems
            )
        }
    }

    /// Deletes the backup at every realm; a realm without one confirms the deletion too.
    ///
    /// - Throws: ``BackupError`` if a realm did not confirm. The text says whether the backup can still be recovered.
    public func delete() async throws(BackupError) {
        try await withBackupErrors {
            let clients = clients
            let answers = try await ask(clients) { _ in
                false
            } _: { _ in
                .delete
            }
            guard !answers.failures.isEmpty else { return }
            let error = error(answers.failures)
            let isGone = answers.failures.count < configuration.recoverThreshold
            throw BackupError(
                error.code,
                error.detail
                    + (isGone
                        ? "; the other realms deleted their shares, so the backup cannot be recovered any more"
                        : "; the backup may still be recovered, so try again")
            )
        }
    }
}
