import LibSodium
import Testing

@testable import XChatBackup

/// A whole flow of three realms in which every random value is known: each byte of the client comes out.
@Suite(.enabled(if: Vectors.areThere, "../shared/vectors/juicebox is not there"))
struct FlowTests {
    private struct File: Decodable {
        var flow: Flow
    }
    private struct Flow: Decodable {
        var configuration: Configuration
        var tokens: [String: String]
        var static_secrets: [String: Hex]
        var steps: [Step]
    }
    private struct Configuration: Decodable {
        struct Realm: Decodable {
            var id: String
            var public_key: Hex?
        }
        var realms: [Realm]
    }
    private struct Step: Decodable {
        var what: String
        var pin: String
        var result: String
        var values: Values
        var exchanges: [Exchange]
    }
    private struct Values: Decodable {
        struct Session: Decodable {
            var realm: String
            var session_id: UInt32
            var client_ephemeral_secret: Hex
        }
        var sessions: [Session]
        var version: Hex?
        var access_key: Hex?
        var oprf_root_key: Hex?
        var oprf_coefficients: [Hex]?
        var signing_seed: Hex?
        var encryption_key_scalar: Hex?
        var encryption_key_coefficients: [Hex]?
        var blinding_factor: Hex?
        var blinded_input: Hex?
        var joined_result: Hex?
        var unlock_key: Hex?
        var unlock_key_commitment: Hex?
    }
    private struct Exchange: Decodable {
        var realm: String
        var request: Hex
        var response: Hex
        var inner_request: Hex?
        var inner_response: Hex?

        var question: [UInt8] { (inner_request ?? request).bytes }
        var answer: Hex { inner_response ?? response }
    }

    private let flow: Flow
    private let realms: [RealmID]

    init() throws {
        flow = try Vectors.file("known-answers.json", as: File.self).flow
        realms = try flow.configuration.realms.map { try #require(RealmID($0.id)) }.sorted()
    }

    private func index(_ exchange: Exchange) throws -> Int {
        try #require(realms.firstIndex { $0 == RealmID(exchange.realm) }) + 1
    }

    /// The exchanges of one phase, by index of the realm.
    private func phase(_ name: String, of step: Step) throws -> [Int: Exchange] {
        let phase = try step.exchanges.filter {
            try SecretsRequest(decoding: CBORNode(decoding: Secret(copying: $0.question))).name == name
        }
        return try Dictionary(uniqueKeysWithValues: phase.map { (try index($0), $0) })
    }

    private func hash(_ step: Step) throws -> PINHash {
        let version = try #require(step.values.version).bytes
        let hash = try PINHash(pin: Secret(step.pin), version: version, hashing: .fastInsecure)
        #expect(hash.accessKey.array == step.values.access_key?.bytes)
        return hash
    }

    @Test func `a registration is the known bytes for each realm`() throws {
        let step = flow.steps[0]
        let values = step.values
        let secrets = RegistrationSecrets(
            version: try #require(values.version).bytes,
            oprfKey: try #require(values.oprf_root_key).secret,
            oprfCoefficients: try #require(values.oprf_coefficients).map { try $0.secret },
            signingSeed: try #require(values.signing_seed).secret,
            scalar: try #require(values.encryption_key_scalar).secret,
            scalarCoefficients: try #require(values.encryption_key_coefficients).map { try $0.secret }
        )
        let secret = try Hex(flow.steps[1].result).secret
        let records = try secrets.records(for: secret, hash: hash(step), realms: realms, guesses: 20)
        let phase = try phase("Register2", of: step)
        #expect(phase.count == 3)
        for (index, exchange) in phase {
            #expect(SecretsRequest.register2(records[index - 1]).encoded().array == exchange.question)
        }
        for (_, exchange) in try self.phase("Register1", of: step) {
            #expect(SecretsRequest.register1.encoded().array == exchange.question)
        }
    }

    @Test func `a recovery sends and derives the known bytes`() throws {
        let step = flow.steps[1]
        let values = step.values
        let version = try #require(values.version).bytes
        let hash = try hash(step)
        let input = try BlindedInput(hash.accessKey, blindingFactor: #require(values.blinding_factor).secret)
        #expect(input.point == values.blinded_input?.bytes)
        var results: [Int: Secret] = [:]
        for (index, exchange) in try phase("Recover2", of: step) {
            let request = SecretsRequest.recover2(version: version, input: input.point)
            #expect(request.encoded().array == exchange.question)
            guard case .evaluation(let evaluation) = try SecretsResponse(decoding: exchange.answer.secret, to: request)
            else { throw CBORError() }
            #expect(evaluation.signedPublicKey.isValid(for: realms[index - 1]))
            let key = evaluation.signedPublicKey.publicKey
            #expect(evaluation.proof.isValid(input: input.point, publicKey: key, result: evaluation.result))
            results[index] = try Secret(copying: evaluation.result)
        }
        let joined = try Shares.join(points: results)
        #expect(joined.array == values.joined_result?.bytes)
        let unlockKey = try UnlockKey(oprfOutput: input.output(joined))
        #expect(unlockKey.key.array == values.unlock_key?.bytes)
        #expect(unlockKey.commitment.array == values.unlock_key_commitment?.bytes)
        var shares: [Int: Secret] = [:]
        var box: [UInt8] = []
        for (index, exchange) in try phase("Recover3", of: step) {
            let tag = try SealedSecret.tag(unlockKey: unlockKey.key, realm: realms[index - 1])
            let request = SecretsRequest.recover3(version: version, tag: tag)
            #expect(request.encoded().array == exchange.question)
            guard case .share(let share) = try SecretsResponse(decoding: exchange.answer.secret, to: request) else {
                throw CBORError()
            }
            let commitment = try SealedSecret.commitment(
                unlockKey: unlockKey.key,
                realm: realms[index - 1],
                share: share.scalarShare,
                box: share.encryptedSecret
            )
            #expect(commitment.array == share.encryptedSecretCommitment)
            (shares[index], box) = (share.scalarShare, share.encryptedSecret)
        }
        let scalar = try Shares.join(scalars: shares)
        #expect(scalar.array == values.encryption_key_scalar?.bytes)
        let key = try SealedSecret.key(seed: hash.encryptionKeySeed, scalar: scalar)
        #expect([UInt8](try SealedSecret.open(box, key: key)) == (try Hex(step.result)).bytes)
    }

    @Test func `hardware realms get and send the known bytes`() throws {
        var ran = 0
        for step in flow.steps {
            for session in step.values.sessions {
                let realm = try #require(RealmID(session.realm))
                let key = try #require(flow.configuration.realms.first { $0.id == session.realm }?.public_key).bytes
                let token = try Secret(#require(flow.tokens[session.realm]))
                var transport: NoiseTransport?
                for exchange in step.exchanges where exchange.realm == session.realm {
                    let inner = try #require(exchange.inner_request).bytes
                    let answer: Secret
                    if var open = transport {
                        let content = HardwareRequest.Content.transport(try open.encrypt(SecretBuffer(inner)))
                        let request = HardwareRequest(
                            realm: realm,
                            token: token,
                            sessionID: session.session_id,
                            content: content
                        )
                        #expect(request.encoded().array == exchange.request.bytes)
                        guard case .transport(let box) = try HardwareResponse(decoding: exchange.response.secret) else {
                            throw CBORError()
                        }
                        answer = try open.decrypt(box)
                        transport = open
                    } else {
                        var noise = try NoiseClient(
                            SecretBuffer(inner),
                            serverPublicKey: key,
                            ephemeral: session.client_ephemeral_secret.secret
                        )
                        let content = HardwareRequest.Content.handshake(noise.message, carriesRequest: true)
                        let request = HardwareRequest(
                            realm: realm,
                            token: token,
                            sessionID: session.session_id,
                            content: content
                        )
                        #expect(request.encoded().array == exchange.request.bytes)
                        guard
                            case .handshake(let message, let lifetime) = try HardwareResponse(
                                decoding: exchange.response.secret
                            )
                        else { throw CBORError() }
                        #expect(lifetime == .seconds(5))
                        let finished = try noise.finish(message)
                        (answer, transport) = (finished.payload, finished.transport)
                    }
                    #expect(try PaddedAnswer.unpad(answer).array == exchange.inner_response?.bytes)
                    ran += 1
                }
            }
        }
        #expect(ran == 2 * (2 + 3 + 2 + 1))
    }
}
