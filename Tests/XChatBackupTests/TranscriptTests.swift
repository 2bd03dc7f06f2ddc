import Foundation
import LibSodium
import Synchronization
import Testing
import XChatSandbox

@testable import XChatBackup

/// A recording of X's own client at three realms: setup, unlock, wrong PINs, change of the PIN, exhaustion, delete.
@Suite(.enabled(if: Vectors.areThere, "../shared/vectors/juicebox is not there"))
struct TranscriptTests {
    private struct File: Decodable {
        var runs: [Run]
    }
    private struct Run: Decodable {
        var secret: Hex
        var hardware_static_secrets: [String: Hex]
        var steps: [Step]
    }
    private struct Step: Decodable {
        var step: String
        var call: String
        var pins: [String]
        var outcome: String
        var exchanges: [Exchange]
        var derived: Derived?
    }
    private struct Derived: Decodable {
        var pin: String
        var version: Hex
        var access_key: Hex
        var encryption_key_seed: Hex
        var oprf_root_key: Hex
        var oprf_input_point: Hex
        var oprf_output: Hex
        var unlock_key: Hex
        var unlock_key_commitment: Hex
        var encryption_key_scalar: Hex
        var encryption_key: Hex
    }
    private struct Exchange: Decodable {
        struct Message: Decodable {
            var body: Hex
        }
        struct Noise: Decodable {
            var request: Hex
            var response: Hex
            var server_ephemeral_secret: Hex?
        }
        var realm: String
        var request: Message
        var response: Message
        var noise: Noise?

        var question: Hex { noise?.request ?? request.body }
        var answer: Hex { noise?.response ?? response.body }
    }

    private let runs: [Run]
    private let configurations: [BackupConfiguration]

    init() throws {
        runs = try Vectors.file("transcript.json", as: File.self).runs
        let object = try JSONSerialization.jsonObject(with: Vectors.data("transcript.json")) as? [String: Any]
        let runs = try #require(object?["runs"] as? [[String: Any]])
        configurations = try runs.map { run in
            let config = try JSONSerialization.data(withJSONObject: #require(run["config"]))
            return try BackupConfiguration(json: Array(config))
        }
    }

    @Test(arguments: 0..<2)
    func `a realm of ours answers each recorded request as it was answered`(number: Int) throws {
        var records: [String: BackupRecord] = [:]
        var ran: [String: Int] = [:]
        for exchange in runs[number].steps.flatMap(\.exchanges) {
            let request = try SecretsRequest(decoding: CBORNode(decoding: exchange.question.secret))
            #expect(request.encoded().array == exchange.question.bytes)
            let recorded = try SecretsResponse(decoding: exchange.answer.secret, to: request)
            #expect(recorded.encoded(to: request).array == exchange.answer.bytes)
            let answer = try records[exchange.realm, default: .notRegistered].answer(to: request)
            if case .evaluation(var evaluation) = answer, case .evaluation(let old) = recorded,
                case .recover2(_, let input) = request
            {
                for proof in [evaluation.proof, old.proof] {
                    let key = old.signedPublicKey.publicKey
                    #expect(proof.isValid(input: input, publicKey: key, result: old.result))
                }
                // The one value that a realm draws at random.
                evaluation.proof = old.proof
                #expect(SecretsResponse.evaluation(evaluation).encoded(to: request).array == exchange.answer.bytes)
            } else {
                #expect(answer.encoded(to: request).array == exchange.answer.bytes)
            }
            ran[request.name, default: 0] += 1
        }
        #expect(ran.count == 6)
        #expect(ran["Register2"] == 9)
    }

    @Test func `a hardware realm of ours says the recorded bytes`() throws {
        let run = runs[1]
        var sessions: [String: NoiseTransport] = [:]
        var ran = 0
        for exchange in run.steps.flatMap(\.exchanges) {
            guard let noise = exchange.noise, let key = run.hardware_static_secrets[exchange.realm] else { continue }
            let request = try HardwareRequest(decoding: exchange.request.body.secret)
            #expect(request.encoded().array == exchange.request.body.bytes)
            let response: HardwareResponse
            switch request.content {
            case .handshake(let message, _):
                var server = try NoiseServer(message, privateKey: key.secret)
                #expect(server.payload.array == noise.request.bytes)
                let (reply, transport) = try server.answer(
                    PaddedAnswer.pad(SecretBuffer(noise.response.bytes)),
                    ephemeral: #require(noise.server_ephemeral_secret).secret
                )
                sessions[exchange.realm] = transport
                response = .handshake(reply, sessionLifetime: .seconds(5))
            case .transport(let ciphertext):
                var session = try #require(sessions[exchange.realm])
                #expect(try session.decrypt(ciphertext).array == noise.request.bytes)
                response = .transport(try session.encrypt(PaddedAnswer.pad(SecretBuffer(noise.response.bytes))))
                sessions[exchange.realm] = session
            }
            #expect(response.encoded().array == exchange.response.body.bytes)
            ran += 1
        }
        #expect(ran == 76)
    }

    @Test(arguments: 0..<2)
    func `what X's client derived from the PIN comes out`(number: Int) async throws {
        var ran = 0
        let realms = configurations[number].realms
        for step in runs[number].steps {
            guard let derived = step.derived else { continue }
            let hash = try await hash(
                Secret(derived.pin),
                version: derived.version.bytes,
                hashing: .standard2019
            )
            #expect(hash.accessKey.array == derived.access_key.bytes)
            #expect(hash.encryptionKeySeed.array == derived.encryption_key_seed.bytes)
            #expect(try OPRF.inputPoint(hash.accessKey).array == derived.oprf_input_point.bytes)
            let output = try OPRF.output(hash.accessKey, privateKey: derived.oprf_root_key.secret)
            #expect(output.array == derived.oprf_output.bytes)
            let unlockKey = try UnlockKey(oprfOutput: output)
            #expect(unlockKey.key.array == derived.unlock_key.bytes)
            #expect(unlockKey.commitment.array == derived.unlock_key_commitment.bytes)
            var (oprfShares, scalarShares): ([Int: Secret], [Int: Secret]) = ([:], [:])
            var box: [UInt8] = []
            for exchange in step.exchanges {
                guard
                    case .register2(let record) = try SecretsRequest(
                        decoding: CBORNode(decoding: exchange.question.secret)
                    )
                else { continue }
                let id = try #require(RealmID(exchange.realm))
                let index = try #require(realms.firstIndex { $0.id == id }) + 1
                #expect(record.signedPublicKey.isValid(for: id))
                #expect(
                    try Point.multiplyBase(by: record.oprfPrivateKey).array == record.signedPublicKey.publicKey
                )
                #expect(try SealedSecret.tag(unlockKey: unlockKey.key, realm: id).isEqual(to: record.unlockKeyTag))
                let commitment = try SealedSecret.commitment(
                    unlockKey: unlockKey.key,
                    realm: id,
                    share: record.scalarShare,
                    box: record.encryptedSecret
                )
                #expect(commitment.array == record.encryptedSecretCommitment)
                (oprfShares[index], scalarShares[index]) = (record.oprfPrivateKey, record.scalarShare)
                box = record.encryptedSecret
            }
            for left in 1...3 {
                let two = { (shares: [Int: Secret]) in shares.filter { $0.key != left } }
                #expect(try Shares.join(scalars: two(oprfShares)).array == derived.oprf_root_key.bytes)
                #expect(try Shares.join(scalars: two(scalarShares)).array == derived.encryption_key_scalar.bytes)
            }
            let key = try SealedSecret.key(seed: hash.encryptionKeySeed, scalar: Shares.join(scalars: scalarShares))
            #expect(key.array == derived.encryption_key.bytes)
            #expect([UInt8](try SealedSecret.open(box, key: key)) == runs[number].secret.bytes)
            ran += 1
        }
        #expect(ran == 3)
    }

    @Test(arguments: 0..<2)
    func `what X's client stored our client recovers, and a wrong PIN costs one guess`(number: Int) async throws {
        let run = runs[number]
        let records = Mutex<[String: BackupRecord]>([:])
        let setup = try #require(run.steps.first { $0.step == "setup 2580" })
        for exchange in setup.exchanges {
            let request = try SecretsRequest(decoding: CBORNode(decoding: exchange.question.secret))
            _ = try records.withLock { try $0[exchange.realm, default: .notRegistered].answer(to: request) }
        }
        let realms = try configurations[number].realms.map { realm in
            let name = realm.id.description
            let key = try run.hardware_static_secrets[name]?.secret
            return BackupRealm(id: realm.id, privateKey: key) { _, request in
                try records.withLock { try $0[name, default: .notRegistered].answer(to: request) }
            }
        }
        let backup = try KeyBackup(configurations[number], timing: .init()) { request in
            guard let realm = realms.first(where: { $0.id == request.realm.id }) else { throw CBORError() }
            let (status, body) = try await realm.answer(request.body, token: request.bearer.map { _ in "token" })
            return RealmReply(status: status, body: body)
        }
        #expect([UInt8](try await backup.recover(pin: secretBytes("2580"))) == run.secret.bytes)
        let error = await #expect(throws: BackupError.self) { _ = try await backup.recover(pin: secretBytes("9999")) }
        #expect(error?.guessesRemaining == 2)
        #expect([UInt8](try await backup.recover(pin: secretBytes("2580"))) == run.secret.bytes)
    }
}
