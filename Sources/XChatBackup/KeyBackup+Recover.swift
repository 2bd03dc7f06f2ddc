public import LibSodium

extension KeyBackup {
    /// Recovers the secret.
    ///
    /// Each realm counts one guess even if the recovery fails later, and resets its count to 0 when the PIN is right.
    /// If an answer is lost, the guess is not repeated, because the realm may already have counted it.
    ///
    /// - Parameter pin: The PIN's bytes as they were typed, in UTF-8.
    /// - Returns: The secret, at most 128 bytes.
    /// - Throws: ``BackupError``: `invalid_pin` with ``BackupError/guessesRemaining``, `not_registered`,
    ///   `realms_disagree`, `unauthorized`, `upgrade_required`, `rate_limited`, `protocol_violation`, `unavailable`,
    ///   `cancelled`, `out_of_memory`.
    public func recover(pin: borrowing SecretBytes) async throws(BackupError) -> SecretBytes {
        let pin: Secret = try copy(pin)
        return try await withBackupErrors { try await recover(pin, clients) }
    }

    func recover(_ pin: Secret, _ clients: [Int: RealmClient]) async throws -> SecretBytes {
        let (version, group, lost) = try await findRegistration(clients)
        let hash = try await hash(pin, version: version, hashing: configuration.hashing)
        let input = try BlindedInput(hash.accessKey)
        let unlockKey = try await evaluate(input, version: version, group, lost: lost)
        return try await openShares(unlockKey, hash.encryptionKeySeed, version: version, group, lost: lost)
    }

    // MARK: Step 1

    /// Finds the registration that enough realms hold.
    ///
    /// - Returns: Its version, the realms that hold it, and how many realms hold no part of a backup.
    private func findRegistration(
        _ clients: [Int: RealmClient]
    ) async throws -> (version: [UInt8], realms: [Int: RealmClient], lost: Int) {
        let threshold = configuration.recoverThreshold
        let answers = try await ask(clients) { answers in
            Self.largestGroup(answers.versions).count >= threshold || answers.failures.count > clients.count - threshold
        } _: { _ in
            .recover1
        }
        let versions = answers.versions
        let group = Self.largestGroup(versions)
        if group.count >= threshold, let version = group.first.flatMap({ versions[$0] }) {
            return (version, clients.filter { group.contains($0.key) }, answers.lost.count)
        }
        try checkLost(answers, before: 0)
        if versions.count >= threshold { throw disagreement(versions, answers) }
        throw error(answers.failures)
    }

    private func disagreement(_ versions: [Int: [UInt8]], _ answers: Answers) -> BackupError {
        var detail =
            "\(versions.count) of \(configuration.realms.count) realms hold parts of a backup, but fewer than "
            + "\(configuration.recoverThreshold) of the same one"
        let silent = answers.failures.count { $0.value != .notRegistered && $0.value != .noGuesses }
        if silent > 0 { detail += "; \(silent) did not answer, so try again later" }
        return BackupError(.disagreement, detail)
    }

    /// Throws if so many realms hold no part of a backup that the others are too few for a recovery.
    ///
    /// - Parameters:
    ///   - answers: The answers of this step.
    ///   - before: How many other realms hold no part of a backup, as they said in an earlier step.
    /// - Throws: `invalid_pin`, `not_registered`.
    private func checkLost(_ answers: Answers, before: Int) throws {
        let lost = answers.lost
        let count = lost.count + before
        guard configuration.realms.count - count < configuration.recoverThreshold else { return }
        if lost.contains(.noGuesses) { throw invalidPIN(lost.map { _ in 0 }, lost: before) }
        throw BackupError(
            .notRegistered,
            "there is no backup: \(count) realms hold none; store one from a device that has the keys"
        )
    }

    // MARK: Step 2

    /// Asks the realms to evaluate the pseudorandom function with their shares of its key.
    ///
    /// - Returns: The unlock key; its commitment equals the registered one.
    private func evaluate(
        _ input: BlindedInput,
        version: [UInt8],
        _ clients: [Int: RealmClient],
        lost: Int
    ) async throws -> UnlockKey {
        let threshold = configuration.recoverThreshold
        var answers = try await askSpendingGuess(clients) { answers in
            Self.largestGroup(evaluations(answers, input).mapValues(Registrant.init)).count >= threshold
                || answers.failures.count > clients.count - threshold
        } _: { _ in
            .recover2(version: version, input: input.point)
        }
        let valid = evaluations(answers, input)
        let group = Self.largestGroup(valid.mapValues(Registrant.init))
        guard group.count >= threshold, let commitment = group.first.flatMap({ valid[$0]?.unlockKeyCommitment }) else {
            for (index, answer) in answers where valid[index] == nil {
                if case .success = answer {
                    answers[index] = .failure(.violation("sent a result that does not verify"))
                }
            }
            throw try unfinished(answers, lost: lost, hasEvaluations: !valid.isEmpty)
        }
        let results = valid.filter { group.contains($0.key) }
        let unlockKey: UnlockKey
        do {
            let joined = try Shares.join(points: results.mapValues { try Secret(copying: $0.result) })
            unlockKey = try UnlockKey(oprfOutput: input.output(joined))
        } catch is SodiumError {
            throw BackupError(.protocolViolation, "the realms' results cannot be combined").withGuessInDoubt()
        }
        guard try unlockKey.commitment.isEqual(to: Secret(copying: commitment)) else {
            throw invalidPIN(results.values.map(Self.remaining), lost: lost + answers.lost.count)
        }
        return unlockKey
    }

    /// Works like ``ask(_:until:_:)``, and reports after a cancellation that realms may have counted a guess.
    ///
    /// For the requests from the one that spends a guess to the one that resets the count.
    private func askSpendingGuess(
        _ clients: [Int: RealmClient],
        until isEnough: (Answers) -> Bool,
        _ request: (Int) throws -> SecretsRequest
    ) async throws -> Answers {
        do {
            return try await ask(clients, until: isEnough, request)
        } catch is CancellationError {
            throw BackupError(.cancelled, "the task was cancelled during a guess").withGuessInDoubt()
        }
    }

    /// The values that are equal in all evaluations of one registration.
    private struct Registrant: Hashable {
        let commitment: [UInt8]
        let verifyingKey: [UInt8]

        init(_ evaluation: Evaluation) {
            commitment = evaluation.unlockKeyCommitment
            verifyingKey = evaluation.signedPublicKey.verifyingKey
        }
    }

    /// The answers whose signature and proof are valid.
    private func evaluations(_ answers: Answers, _ input: BlindedInput) -> [Int: Evaluation] {
        var valid: [Int: Evaluation] = [:]
        for (index, answer) in answers {
            guard case .success(.evaluation(let evaluation)) = answer,
                evaluation.signedPublicKey.isValid(for: configuration.realms[index - 1].id),
                evaluation.proof.isValid(
                    input: input.point,
                    publicKey: evaluation.signedPublicKey.publicKey,
                    result: evaluation.result
                )
            else { continue }
            valid[index] = evaluation
        }
        return valid
    }

    /// How many guesses a realm says remain; nil if it claims more guesses used than allowed, or none.
    private static func remaining(_ evaluation: Evaluation) -> Int? {
        guard 1 <= evaluation.guessesUsed, evaluation.guessesUsed <= evaluation.guesses else { return nil }
        return Int(evaluation.guesses) - Int(evaluation.guessesUsed)
    }

    /// An error for a wrong PIN.
    ///
    /// - Parameters:
    ///   - claims: How many guesses each realm says remain; nil for a realm that contradicts itself.
    ///   - lost: How many other realms hold no part of a backup.
    /// - Returns: The error.
    private func invalidPIN(_ claims: [Int?], lost: Int) -> BackupError {
        .invalidPIN(claims, needed: configuration.recoverThreshold, of: configuration.realms.count - lost)
    }

    private func unfinished(_ answers: Answers, lost: Int, hasEvaluations: Bool) throws -> BackupError {
        try checkLost(answers, before: lost)
        var error = error(answers.failures)
        if answers.failures.values.contains(.versionMismatch), error.code == .disagreement {
            error = BackupError(.disagreement, "the backup was replaced by another one meanwhile; try again")
        } else if answers.failures.isEmpty {
            error = BackupError(.protocolViolation, "the realms' results belong to different registrations")
        }
        if hasEvaluations || answers.failures.values.contains(where: \.mayHaveSpentGuess) {
            error = error.withGuessInDoubt()
        }
        return error
    }

    // MARK: Step 3

    /// Fetches the shares and opens the box.
    private func openShares(
        _ unlockKey: UnlockKey,
        _ seed: Secret,
        version: [UInt8],
        _ clients: [Int: RealmClient],
        lost: Int
    ) async throws -> SecretBytes {
        let threshold = configuration.recoverThreshold
        var answers = try await askSpendingGuess(clients) { answers in
            Self.largestGroup(shares(answers, unlockKey).mapValues(\.encryptedSecret)).count >= threshold
                || answers.failures.count > clients.count - threshold
        } _: { index in
            .recover3(
                version: version,
                tag: try SealedSecret.tag(unlockKey: unlockKey.key, realm: configuration.realms[index - 1].id)
            )
        }
        let valid = shares(answers, unlockKey)
        let group = Self.largestGroup(valid.mapValues(\.encryptedSecret))
        guard group.count >= threshold, let box = group.first.flatMap({ valid[$0]?.encryptedSecret }) else {
            for (index, answer) in answers where valid[index] == nil {
                if case .success = answer { answers[index] = .failure(.violation("sent a share that does not verify")) }
            }
            let wrong = answers.failures.values.compactMap { failure -> Int? in
                if case .wrongTag(let remaining) = failure { remaining } else { nil }
            }
            if configuration.realms.count - wrong.count < threshold {
                throw invalidPIN(wrong, lost: lost + answers.lost.count)
            }
            throw try unfinished(answers, lost: lost, hasEvaluations: true)
        }
        let scalar = try Shares.join(scalars: valid.filter { group.contains($0.key) }.mapValues(\.scalarShare))
        return try SealedSecret.open(box, key: SealedSecret.key(seed: seed, scalar: scalar))
    }

    /// The shares whose commitment is valid.
    private func shares(_ answers: Answers, _ unlockKey: UnlockKey) -> [Int: ShareAnswer] {
        var valid: [Int: ShareAnswer] = [:]
        for (index, answer) in answers {
            guard case .success(.share(let share)) = answer,
                share.scalarShare.withBytes(Ristretto255.isValidScalar),
                let commitment = try? SealedSecret.commitment(
                    unlockKey: unlockKey.key,
                    realm: configuration.realms[index - 1].id,
                    share: share.scalarShare,
                    box: share.encryptedSecret
                ), let claimed = try? Secret(copying: share.encryptedSecretCommitment), commitment.isEqual(to: claimed)
            else { continue }
            valid[index] = share
        }
        return valid
    }

    // MARK: Groups

    /// The indexes of the most frequent value.
    ///
    /// If several values are equally frequent, any of them is returned: thresholds are majorities, so no such value
    /// reaches its threshold.
    static func largestGroup(_ values: [Int: some Hashable]) -> Set<Int> {
        Dictionary(grouping: values.keys) { values[$0] }.values.max { $0.count < $1.count }.map(Set.init) ?? []
    }
}

extension KeyBackup.Answers {
    /// The versions of the registrations that realms hold, by index of the realm.
    var versions: [Int: [UInt8]] {
        compactMapValues { if case .success(.version(let version)) = $0 { version } else { nil } }
    }
}

extension BackupError {
    func withGuessInDoubt() -> Self {
        var error = BackupError(code, detail + "; each realm may have counted one guess")
        error.mayHaveSpentGuess = true
        return error
    }
}

/// Copies secret bytes, so that child tasks can share them.
func copy(_ bytes: borrowing SecretBytes) throws(BackupError) -> Secret {
    do {
        return try bytes.withBytes { try Secret(copying: $0) }
    } catch {
        throw BackupError(.outOfMemory, "not enough memory for a copy of a secret")
    }
}
