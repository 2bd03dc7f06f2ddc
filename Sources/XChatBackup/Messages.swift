import LibSodium

/// A request to a realm.
package enum SecretsRequest: Sendable {
    case register1
    case register2(RealmRecord)
    case recover1
    case recover2(version: [UInt8], input: [UInt8])
    case recover3(version: [UInt8], tag: Secret)
    case delete

    package var name: String {
        switch self {
        case .register1: "Register1"
        case .register2: "Register2"
        case .recover1: "Recover1"
        case .recover2: "Recover2"
        case .recover3: "Recover3"
        case .delete: "Delete"
        }
    }

    /// Whether the request is idempotent, so that it may be sent twice: true for all but the one that spends a guess.
    var isRepeatable: Bool {
        if case .recover2 = self { return false }
        return true
    }

    /// Whether the request may be sent in a handshake, whose payload has no forward secrecy.
    package var mayRideInHandshake: Bool {
        switch self {
        case .register1, .recover1, .delete: true
        case .register2, .recover2, .recover3: false
        }
    }

    package func encoded() -> SecretBuffer {
        let writer = CBORWriter()
        switch self {
        case .register1, .recover1, .delete:
            writer.text(name)
        case .register2(let record):
            writer.map(1)
            writer.text(name)
            record.write(to: writer)
        case .recover2(let version, let input):
            writer.map(1)
            writer.text(name)
            writer.map(2)
            writer.text("version")
            writer.bytes(version)
            writer.text("oprf_blinded_input")
            writer.bytes(input)
        case .recover3(let version, let tag):
            writer.map(1)
            writer.text(name)
            writer.map(2)
            writer.text("version")
            writer.bytes(version)
            writer.text("unlock_key_tag")
            writer.bytes(tag)
        }
        return writer.buffer
    }

    /// Decodes a request, as a realm does.
    package init(decoding node: CBORNode) throws {
        let (name, payload) = try node.variant()
        switch (name, payload) {
        case ("Register1", nil): self = .register1
        case ("Recover1", nil): self = .recover1
        case ("Delete", nil): self = .delete
        case ("Register2", let payload?): self = .register2(try RealmRecord(decoding: payload))
        case ("Recover2", let payload?):
            self = .recover2(
                version: try payload.member("version").bytes(RealmRecord.versionByteCount),
                input: try payload.member("oprf_blinded_input").bytes(32)
            )
        case ("Recover3", let payload?):
            self = .recover3(
                version: try payload.member("version").bytes(RealmRecord.versionByteCount),
                tag: try payload.member("unlock_key_tag").secret(16)
            )
        default: throw CBORError()
        }
    }
}

/// The record of a registration at one realm.
package struct RealmRecord: Sendable {
    package static let versionByteCount = 16

    /// Identifies the registration: the same at every realm.
    package var version: [UInt8]
    package var oprfPrivateKey: Secret
    package var signedPublicKey: SignedPublicKey
    package var unlockKeyCommitment: [UInt8]
    package var unlockKeyTag: Secret
    package var scalarShare: Secret
    package var encryptedSecret: [UInt8]
    package var encryptedSecretCommitment: [UInt8]
    package var guesses: UInt16

    init(
        version: [UInt8],
        oprfPrivateKey: Secret,
        signedPublicKey: SignedPublicKey,
        unlockKeyCommitment: [UInt8],
        unlockKeyTag: Secret,
        scalarShare: Secret,
        encryptedSecret: [UInt8],
        encryptedSecretCommitment: [UInt8],
        guesses: UInt16
    ) {
        self.version = version
        self.oprfPrivateKey = oprfPrivateKey
        self.signedPublicKey = signedPublicKey
        self.unlockKeyCommitment = unlockKeyCommitment
        self.unlockKeyTag = unlockKeyTag
        self.scalarShare = scalarShare
        self.encryptedSecret = encryptedSecret
        self.encryptedSecretCommitment = encryptedSecretCommitment
        self.guesses = guesses
    }

    package func write(to writer: CBORWriter) {
        writer.map(9)
        writer.text("version")
        writer.bytes(version)
        writer.text("oprf_private_key")
        writer.bytes(oprfPrivateKey)
        writer.text("oprf_signed_public_key")
        signedPublicKey.write(to: writer)
        writer.text("unlock_key_commitment")
        writer.bytes(unlockKeyCommitment)
        writer.text("unlock_key_tag")
        writer.bytes(unlockKeyTag)
        writer.text("encryption_key_scalar_share")
        writer.bytes(scalarShare)
        writer.text("encrypted_secret")
        writer.bytes(encryptedSecret)
        writer.text("encrypted_secret_commitment")
        writer.bytes(encryptedSecretCommitment)
        writer.text("policy")
        writer.map(1)
        writer.text("num_guesses")
        writer.number(guesses)
    }

    package init(decoding node: CBORNode) throws {
        version = try node.member("version").bytes(Self.versionByteCount)
        oprfPrivateKey = try node.member("oprf_private_key").secret(32)
        signedPublicKey = try SignedPublicKey(decoding: node.member("oprf_signed_public_key"))
        unlockKeyCommitment = try node.member("unlock_key_commitment").bytes(32)
        unlockKeyTag = try node.member("unlock_key_tag").secret(16)
        scalarShare = try node.member("encryption_key_scalar_share").secret(32)
        encryptedSecret = try node.member("encrypted_secret").bytes(SealedSecret.byteCount)
        encryptedSecretCommitment = try node.member("encrypted_secret_commitment").bytes(16)
        guesses = try node.member("policy").member("num_guesses").number()
    }
}

extension SignedPublicKey {
    func write(to writer: CBORWriter) {
        writer.map(3)
        writer.text("public_key")
        writer.bytes(publicKey)
        writer.text("verifying_key")
        writer.bytes(verifyingKey)
        writer.text("signature")
        writer.bytes(signature)
    }

    init(decoding node: CBORNode) throws {
        publicKey = try node.member("public_key").bytes(32)
        verifyingKey = try node.member("verifying_key").bytes(32)
        signature = try node.member("signature").bytes(64)
    }
}

/// A realm's answer to Recover2.
package struct Evaluation: Sendable {
    package var signedPublicKey: SignedPublicKey
    package var result: [UInt8]
    package var proof: OPRFProof
    package var unlockKeyCommitment: [UInt8]
    package var guesses: UInt16
    package var guessesUsed: UInt16

    package init(
        signedPublicKey: SignedPublicKey,
        result: [UInt8],
        proof: OPRFProof,
        unlockKeyCommitment: [UInt8],
        guesses: UInt16,
        guessesUsed: UInt16
    ) {
        self.signedPublicKey = signedPublicKey
        self.result = result
        self.proof = proof
        self.unlockKeyCommitment = unlockKeyCommitment
        self.guesses = guesses
        self.guessesUsed = guessesUsed
    }

    init(decoding node: CBORNode) throws {
        signedPublicKey = try SignedPublicKey(decoding: node.member("oprf_signed_public_key"))
        result = try node.member("oprf_blinded_result").bytes(32)
        let proof = try node.member("oprf_proof")
        self.proof = OPRFProof(c: try proof.member("c").bytes(32), betaZ: try proof.member("beta_z").bytes(32))
        unlockKeyCommitment = try node.member("unlock_key_commitment").bytes(32)
        guesses = try node.member("num_guesses").number()
        guessesUsed = try node.member("guess_count").number()
    }
}

/// A realm's answer to Recover3.
package struct ShareAnswer: Sendable {
    package var scalarShare: Secret
    package var encryptedSecret: [UInt8]
    package var encryptedSecretCommitment: [UInt8]

    package init(scalarShare: Secret, encryptedSecret: [UInt8], encryptedSecretCommitment: [UInt8]) {
        self.scalarShare = scalarShare
        self.encryptedSecret = encryptedSecret
        self.encryptedSecretCommitment = encryptedSecretCommitment
    }

    init(decoding node: CBORNode) throws {
        scalarShare = try node.member("encryption_key_scalar_share").secret(32)
        encryptedSecret = try node.member("encrypted_secret").bytes(SealedSecret.byteCount)
        encryptedSecretCommitment = try node.member("encrypted_secret_commitment").bytes(16)
    }
}

/// A realm's answer to a request.
package enum SecretsResponse: Sendable {
    /// To Register1, Register2 and Delete.
    case done
    case version([UInt8])
    case evaluation(Evaluation)
    case share(ShareAnswer)
    case notRegistered
    case noGuesses
    case versionMismatch
    case wrongTag(guessesRemaining: UInt16)

    /// Decodes the answer to a request; throws for an answer to a different request.
    package init(decoding document: Secret, to request: SecretsRequest) throws {
        let (name, payload) = try CBORNode(decoding: document).variant()
        guard name.utf8.elementsEqual(request.name.utf8), let payload else { throw CBORError() }
        let (outcome, details) = try payload.variant()
        switch (request, outcome, details) {
        case (.register1, "Ok", nil), (.register2, "Ok", nil), (.delete, "Ok", nil):
            self = .done
        case (.recover1, "Ok", let details?):
            self = .version(try details.member("version").bytes(RealmRecord.versionByteCount))
        case (.recover2, "Ok", let details?):
            self = .evaluation(try Evaluation(decoding: details))
        case (.recover3, "Ok", let details?):
            self = .share(try ShareAnswer(decoding: details))
        case (.recover1, "NotRegistered", nil), (.recover2, "NotRegistered", nil), (.recover3, "NotRegistered", nil):
            self = .notRegistered
        case (.recover1, "NoGuesses", nil), (.recover2, "NoGuesses", nil), (.recover3, "NoGuesses", nil):
            self = .noGuesses
        case (.recover2, "VersionMismatch", nil), (.recover3, "VersionMismatch", nil):
            self = .versionMismatch
        case (.recover3, "BadUnlockKeyTag", let details?):
            self = .wrongTag(guessesRemaining: try details.member("guesses_remaining").number())
        default: throw CBORError()
        }
    }

    /// Encodes the answer, as a realm does.
    package func encoded(to request: SecretsRequest) -> SecretBuffer {
        let writer = CBORWriter()
        writer.map(1)
        writer.text(request.name)
        switch self {
        case .done: writer.text("Ok")
        case .notRegistered: writer.text("NotRegistered")
        case .noGuesses: writer.text("NoGuesses")
        case .versionMismatch: writer.text("VersionMismatch")
        case .wrongTag(let remaining):
            writer.map(1)
            writer.text("BadUnlockKeyTag")
            writer.map(1)
            writer.text("guesses_remaining")
            writer.number(remaining)
        case .version(let version):
            writer.map(1)
            writer.text("Ok")
            writer.map(1)
            writer.text("version")
            writer.bytes(version)
        case .evaluation(let evaluation):
            writer.map(1)
            writer.text("Ok")
            writer.map(6)
            writer.text("oprf_signed_public_key")
            evaluation.signedPublicKey.write(to: writer)
            writer.text("oprf_blinded_result")
            writer.bytes(evaluation.result)
            writer.text("oprf_proof")
            writer.map(2)
            writer.text("c")
            writer.bytes(evaluation.proof.c)
            writer.text("beta_z")
            writer.bytes(evaluation.proof.betaZ)
            writer.text("unlock_key_commitment")
            writer.bytes(evaluation.unlockKeyCommitment)
            writer.text("num_guesses")
            writer.number(evaluation.guesses)
            writer.text("guess_count")
            writer.number(evaluation.guessesUsed)
        case .share(let share):
            writer.map(1)
            writer.text("Ok")
            writer.map(3)
            writer.text("encryption_key_scalar_share")
            writer.bytes(share.scalarShare)
            writer.text("encrypted_secret")
            writer.bytes(share.encryptedSecret)
            writer.text("encrypted_secret_commitment")
            writer.bytes(share.encryptedSecretCommitment)
        }
        return writer.buffer
    }
}
