import LibSodium
package import XChatBackup

/// The state that one realm stores for one user, and its changes.
package enum BackupRecord: Sendable {
    case notRegistered
    case registered(RealmRecord, guessesUsed: UInt16)
    case noGuesses

    /// Answers a request.
    ///
    /// - Throws: `CBORError` for bytes that do not encode a point or scalar.
    package mutating func answer(to request: SecretsRequest) throws -> SecretsResponse {
        switch request {
        case .register1: return .done
        case .register2(let record):
            guard record.oprfPrivateKey.withBytes(Ristretto255.isValidScalar),
                record.scalarShare.withBytes(Ristretto255.isValidScalar)
            else { throw CBORError() }
            self = .registered(record, guessesUsed: 0)
            return .done
        case .delete:
            self = .notRegistered
            return .done
        case .recover1:
            guard let (record, _) = current() else { return refusal }
            return .version(record.version)
        case .recover2(let version, let input):
            // A request for another version does not use a guess.
            if case .registered(let record, _) = self, record.version != version { return .versionMismatch }
            guard let (record, used) = current() else { return refusal }
            let evaluation = try Self.evaluate(record, input: input, guessesUsed: used + 1)
            self = .registered(record, guessesUsed: used + 1)
            return .evaluation(evaluation)
        case .recover3(let version, let tag):
            guard case .registered(let record, let used) = self else { return refusal }
            guard record.version == version else { return .versionMismatch }
            guard record.unlockKeyTag.isEqual(to: tag) else {
                let remaining = record.guesses > used ? record.guesses - used : 0
                if remaining == 0 { self = .noGuesses }
                return .wrongTag(guessesRemaining: remaining)
            }
            self = .registered(record, guessesUsed: 0)
            return .share(
                ShareAnswer(
                    scalarShare: record.scalarShare,
                    encryptedSecret: record.encryptedSecret,
                    encryptedSecretCommitment: record.encryptedSecretCommitment
                )
            )
        }
    }

    /// The record if guesses remain; otherwise the record is deleted.
    private mutating func current() -> (record: RealmRecord, guessesUsed: UInt16)? {
        guard case .registered(let record, let used) = self else { return nil }
        guard used < record.guesses else {
            self = .noGuesses
            return nil
        }
        return (record, used)
    }

    private var refusal: SecretsResponse {
        if case .noGuesses = self { .noGuesses } else { .notRegistered }
    }

    private static func evaluate(_ record: RealmRecord, input: [UInt8], guessesUsed: UInt16) throws -> Evaluation {
        do {
            let result = try Point.multiply(Secret(copying: input), by: record.oprfPrivateKey).published
            return Evaluation(
                signedPublicKey: record.signedPublicKey,
                result: result,
                proof: try OPRFProof(
                    input: input,
                    publicKey: record.signedPublicKey.publicKey,
                    result: result,
                    privateKey: record.oprfPrivateKey,
                    nonce: Scalar.random()
                ),
                unlockKeyCommitment: record.unlockKeyCommitment,
                guesses: record.guesses,
                guessesUsed: guessesUsed
            )
        } catch is SodiumError {
            throw CBORError()
        }
    }
}
