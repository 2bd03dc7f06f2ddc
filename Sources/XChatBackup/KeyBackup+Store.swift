public import LibSodium

/// The random values of a registration.
package struct RegistrationSecrets: Sendable {
    package var version: [UInt8]
    package var oprfKey: Secret
    package var oprfCoefficients: [Secret]
    package var signingSeed: Secret
    package var scalar: Secret
    package var scalarCoefficients: [Secret]

    package init(
        version: [UInt8],
        oprfKey: Secret,
        oprfCoefficients: [Secret],
        signingSeed: Secret,
        scalar: Secret,
        scalarCoefficients: [Secret]
    ) {
        self.version = version
        self.oprfKey = oprfKey
        self.oprfCoefficients = oprfCoefficients
        self.signingSeed = signingSeed
        self.scalar = scalar
        self.scalarCoefficients = scalarCoefficients
    }

    /// Generates random values; `threshold` is the number of shares that a recovery needs.
    init(threshold: Int) throws {
        version = try Sodium.randomBytes(count: RealmRecord.versionByteCount)
        oprfKey = try Scalar.random()
        oprfCoefficients = try Shares.coefficients(threshold: threshold)
        signingSeed = try Secret.random(count: Sign.seedByteCount)
        scalar = try Scalar.random()
        scalarCoefficients = try Shares.coefficients(threshold: threshold)
    }

    /// Computes the record for each realm, in the order of `realms`.
    package func records(
        for secret: Secret,
        hash: PINHash,
        realms: [RealmID],
        guesses: UInt16
    ) throws -> [RealmRecord] {
        let unlockKey = try UnlockKey(oprfOutput: OPRF.output(hash.accessKey, privateKey: oprfKey))
        let key = try SealedSecret.key(seed: hash.encryptionKeySeed, scalar: scalar)
        let box = try SealedSecret.seal(secret, key: key)
        let oprfShares = try Shares.split(oprfKey, coefficients: oprfCoefficients, count: realms.count)
        let scalarShares = try Shares.split(scalar, coefficients: scalarCoefficients, count: realms.count)
        let pair = try signingSeed.withBytes { (seed) throws(SodiumError) in try Sign.keyPair(seed: seed) }
        var records: [RealmRecord] = []
        for ((realm, oprfShare), scalarShare) in zip(zip(realms, oprfShares), scalarShares) {
            records.append(
                RealmRecord(
                    version: version,
                    oprfPrivateKey: oprfShare,
                    signedPublicKey: try SignedPublicKey(
                        Point.multiplyBase(by: oprfShare).published,
                        realm: realm,
                        pair: pair
                    ),
                    unlockKeyCommitment: unlockKey.commitment.published,
                    unlockKeyTag: try SealedSecret.tag(unlockKey: unlockKey.key, realm: realm),
                    scalarShare: scalarShare,
                    encryptedSecret: box,
                    encryptedSecretCommitment: try SealedSecret.commitment(
                        unlockKey: unlockKey.key,
                        realm: realm,
                        share: scalarShare,
                        box: box
                    ).published,
                    guesses: guesses
                )
            )
        }
        return records
    }
}

/// The result of storing a backup that is now in force.
public struct BackupReceipt: Hashable, Sendable {
    /// The number of realms that hold the backup.
    public let realms: Int
    /// The number of realms that should hold the backup.
    ///
    /// If ``realms`` is smaller, the backup can be recovered with its PIN, but it survives the loss of fewer realms:
    /// store it again, with the same PIN, when all realms can be reached.
    public let wantedRealms: Int
}

extension KeyBackup {
    /// Stores a secret under a PIN and replaces any earlier backup.
    ///
    /// - Parameters:
    ///   - secret: At most 128 bytes.
    ///   - pin: The PIN's bytes as they are typed, in UTF-8; see ``check(newPIN:)``.
    /// - Returns: A receipt; from now on this PIN recovers the secret.
    /// - Throws: ``BackupError``: `weak_pin`; `invalid_secret`; `invalid_configuration` if the configuration does not
    ///   allow new backups. Every other error has ``BackupError/registration``, which says which backup is in force.
    public func store(
        _ secret: borrowing SecretBytes,
        pin: borrowing SecretBytes
    ) async throws(BackupError) -> BackupReceipt {
        let guesses = try checkRegistration()
        try pin.withBytes(Self.check)
        guard secret.count <= SealedSecret.maximumByteCount else {
            throw BackupError(.invalidSecret, "the secret has \(secret.count) bytes; a backup takes at most 128")
        }
        let (secret, pin): (Secret, Secret) = (try copy(secret), try copy(pin))
        return try await withBackupErrors { try await register(secret, pin, guesses, clients) }
    }

    /// Recovers the secret and stores it again under another PIN.
    ///
    /// - Parameters:
    ///   - old: The current PIN; each realm counts one guess.
    ///   - new: The new PIN.
    /// - Returns: A receipt; from now on the new PIN recovers the secret.
    /// - Throws: ``BackupError``, as ``recover(pin:)``, and then as ``store(_:pin:)`` with
    ///   ``BackupError/registration``.
    public func changePIN(
        from old: borrowing SecretBytes,
        to new: borrowing SecretBytes
    ) async throws(BackupError) -> BackupReceipt {
        let guesses = try checkRegistration()
        try new.withBytes(Self.check)
        let (old, new): (Secret, Secret) = (try copy(old), try copy(new))
        return try await withBackupErrors {
            let clients = clients
            let secret = Secret(try await recover(old, clients))
            return try await register(secret, new, guesses, clients)
        }
    }

    /// Checks that the configuration allows new backups, and returns their number of guesses.
    private func checkRegistration() throws(BackupError) -> UInt16 {
        guard let guesses = configuration.guesses else {
            throw BackupError(.invalidConfiguration, "the backup configuration's max_guess_count must be 1...255")
        }
        guard configuration.hashing == .standard2019 || configuration.realms.allSatisfy({ $0.scheme == "http" }) else {
            throw BackupError(
                .invalidConfiguration,
                "the backup configuration asks for the PIN hashing FastInsecure, which does not protect a PIN; "
                    + "it is allowed only in tests with realms on this machine"
            )
        }
        return UInt16(guesses)
    }

    private func register(
        _ secret: Secret,
        _ pin: Secret,
        _ guesses: UInt16,
        _ all: [Int: RealmClient]
    ) async throws -> BackupReceipt {
        let threshold = configuration.registerThreshold
        let records: [RealmRecord]
        do throws(BackupError) {
            records = try await withBackupErrors { try await prepare(secret, pin, guesses, all) }
        } catch {
            var error = error
            error.registration = .previous
            throw error
        }

        let answers: Answers
        do {
            // From here on the realms replace their records. Failures do not end the wait early, because a realm that
            // has not answered yet may still store its record.
            answers = try await ask(all) {
                $0.count - $0.failures.count >= threshold
            } _: {
                .register2(records[$0 - 1])
            }
        } catch {
            var error = BackupError(
                .cancelled,
                "the task was cancelled while the backup was being stored; store it again"
            )
            error.registration = .unknown
            throw error
        }
        let stored = answers.count - answers.failures.count
        if stored >= threshold { return BackupReceipt(realms: stored, wantedRealms: all.count) }
        return try await settle(records[0].version, answers, all)
    }

    /// Asks whether the realms are ready, and computes their records; changes nothing at the realms.
    private func prepare(
        _ secret: Secret,
        _ pin: Secret,
        _ guesses: UInt16,
        _ all: [Int: RealmClient]
    ) async throws -> [RealmRecord] {
        let threshold = configuration.registerThreshold
        let ready = try await ask(all) { answers in
            answers.count - answers.failures.count >= threshold || answers.failures.count > all.count - threshold
        } _: { _ in
            .register1
        }
        guard ready.count - ready.failures.count >= threshold else { throw error(ready.failures) }
        let secrets = try RegistrationSecrets(threshold: configuration.recoverThreshold)
        let hash = try await hash(pin, version: secrets.version, hashing: configuration.hashing)
        return try secrets.records(
            for: secret,
            hash: hash,
            realms: configuration.realms.map(\.id),
            guesses: guesses
        )
    }

    /// Determines which backup is in force after a registration that too few realms confirmed.
    private func settle(
        _ version: [UInt8],
        _ answers: Answers,
        _ clients: [Int: RealmClient]
    ) async throws -> BackupReceipt {
        var failure = error(answers.failures)
        let held: Answers
        do {
            held = try await ask(clients) { _ in
                false
            } _: { _ in
                .recover1
            }
        } catch {
            failure.registration = .unknown
            throw failure
        }
        let versions = held.versions
        // A realm that confirmed the registration but does not answer now still holds it.
        let holders = clients.keys.filter { index in
            if let other = versions[index] { return other == version }
            if case .success = answers[index] { return held.failures[index]?.mayHaveSpentGuess != false }
            return false
        }
        if holders.count >= configuration.recoverThreshold {
            return BackupReceipt(realms: holders.count, wantedRealms: clients.count)
        }
        // Realms whose state is unknown: they do not report what they hold, or may still receive the registration.
        let open = clients.keys.filter { index in
            if holders.contains(index) { return false }
            if case .failure(.silent) = answers[index] { return true }
            guard let failure = held.failures[index] else { return false }
            return failure != .notRegistered && failure != .noGuesses
        }
        let others = Self.largestGroup(versions.filter { $0.value != version && !open.contains($0.key) })
        let threshold = configuration.recoverThreshold
        if others.count >= threshold {
            failure.registration = .previous
        } else if max(holders.count, others.count) + open.count < threshold {
            failure.registration = holders.isEmpty && others.isEmpty ? .previous : .neither
        } else {
            failure.registration = .unknown
        }
        throw failure
    }
}
