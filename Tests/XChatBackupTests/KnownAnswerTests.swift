import LibSodium
import Testing

@testable import XChatBackup

@Suite(.enabled(if: Vectors.areThere, "../shared/vectors/juicebox is not there"))
struct KnownAnswerTests {
    private struct File: Decodable {
        struct Hash: Decodable {
            var key: Hex
            var size: Int
            var message: Hex
            var digest: Hex
        }
        struct HKDF: Decodable {
            var chaining_key: Hex
            var input: Hex
            var first: Hex
            var second: Hex
        }
        struct MAC: Decodable {
            var size: Int
            var key: Hex
            var label: String
            var parts: [Hex]
            var mac: Hex
        }
        struct PIN: Decodable {
            var mode: String
            var pin: Hex
            var version: Hex
            var user_info: Hex
            var access_key: Hex
            var encryption_key_seed: Hex
        }
        struct OPRF: Decodable {
            var input: Hex
            var input_point: Hex
            var private_key: Hex
            var public_key: Hex
            var blinding_factor: Hex
            var blinded_input: Hex
            var blinded_output: Hex
            var proof_nonce: Hex
            var proof_c: Hex
            var proof_beta_z: Hex
            var output: Hex
        }
        struct Point: Decodable {
            var encoding: Hex
            var valid: Bool
        }
        struct Scalar: Decodable {
            var encoding: Hex
            var canonical: Bool
        }
        struct Reduced: Decodable {
            var wide: Hex
            var scalar: Hex
        }
        struct Sharing: Decodable {
            var count: Int
            var secret: Hex
            var coefficients_highest_power_first: [Hex]
            var shares_from_index_1: [Hex]
            var joined_from_indexes: [Int]
            var weights: [Hex]
            var point_shares: [Hex]
            var joined_point: Hex
        }
        struct Unlock: Decodable {
            var oprf_output: Hex
            var commitment: Hex
            var key: Hex
        }
        struct Box: Decodable {
            var key: Hex
            var secret: Hex
            var box: Hex
        }
        struct Signed: Decodable {
            var signing_seed: Hex
            var realm: Hex
            var public_key: Hex
            var verifying_key: Hex
            var signature: Hex
        }
        struct Noise: Decodable {
            struct Request: Decodable {
                var client_ephemeral_public: Hex
                var payload_ciphertext: Hex
            }
            struct Response: Decodable {
                var server_ephemeral_public: Hex
                var payload_ciphertext: Hex
            }
            struct Transport: Decodable {
                var plaintext: Hex
                var to_server: Hex
                var answer: Hex
                var to_client: Hex
            }
            var static_secret: Hex
            var static_public: Hex
            var client_ephemeral_secret: Hex
            var server_ephemeral_secret: Hex
            var request_payload: Hex
            var response_payload: Hex
            var request: Request
            var response: Response
            var transport: [Transport]
        }
        struct Encoded: Decodable {
            var bytes: Hex
        }
        var blake2s: [Hash]
        var hkdf_blake2s: [HKDF]
        var mac: [MAC]
        var pin_hash: [PIN]
        var oprf: [OPRF]
        var points: [Point]
        var scalars: [Scalar]
        var scalar_reduce: [Reduced]
        var shares: [Sharing]
        var unlock_key: [Unlock]
        var secret_box: [Box]
        var signed_public_key: [Signed]
        var noise: [Noise]
        var cbor: [Encoded]
    }

    private let file: File

    init() throws {
        file = try Vectors.file("known-answers.json")
    }

    @Test func `BLAKE2s, HKDF and the labelled hash come out`() throws {
        #expect(file.blake2s.count == 32)
        for vector in file.blake2s {
            let digest = try BLAKE2s.hash(vector.message.bytes.span, key: vector.key.bytes.span, count: vector.size)
            #expect(digest.array == vector.digest.bytes)
        }
        for vector in file.hkdf_blake2s {
            let keys = try BLAKE2s.hkdf(chainingKey: vector.chaining_key.secret, input: vector.input.secret)
            #expect(keys.first.array == vector.first.bytes && keys.second.array == vector.second.bytes)
        }
        for vector in file.mac {
            let parts = try vector.parts.map { try $0.secret }
            let mac = try BLAKE2s.mac(vector.label, parts, key: vector.key.secret, count: vector.size)
            #expect(mac.array == vector.mac.bytes)
        }
    }

    @Test func `PINs hash to the known keys in both modes`() throws {
        #expect(file.pin_hash.count == 8)
        for vector in file.pin_hash {
            let hash = try PINHash(
                pin: vector.pin.secret,
                version: vector.version.bytes,
                userInfo: vector.user_info.bytes,
                hashing: #require(PINHashing(rawValue: vector.mode))
            )
            #expect(hash.accessKey.array == vector.access_key.bytes)
            #expect(hash.encryptionKeySeed.array == vector.encryption_key_seed.bytes)
        }
    }

    @Test func `the function and its proof come out and verify`() throws {
        for vector in file.oprf {
            #expect(try OPRF.inputPoint(vector.input.secret).array == vector.input_point.bytes)
            #expect(try Point.multiplyBase(by: vector.private_key.secret).array == vector.public_key.bytes)
            let input = try BlindedInput(vector.input.secret, blindingFactor: vector.blinding_factor.secret)
            #expect(input.point == vector.blinded_input.bytes)
            let result = try Point.multiply(Secret(copying: input.point), by: vector.private_key.secret)
            #expect(result.array == vector.blinded_output.bytes)
            let proof = try OPRFProof(
                input: input.point,
                publicKey: vector.public_key.bytes,
                result: result.array,
                privateKey: vector.private_key.secret,
                nonce: vector.proof_nonce.secret
            )
            #expect(proof.c == vector.proof_c.bytes && proof.betaZ == vector.proof_beta_z.bytes)
            #expect(proof.isValid(input: input.point, publicKey: vector.public_key.bytes, result: result.array))
            #expect(try input.output(result).array == vector.output.bytes)
            #expect(
                try OPRF.output(vector.input.secret, privateKey: vector.private_key.secret).array == vector.output.bytes
            )
        }
    }

    @Test func `a proof fails once a bit of it or of what it proves is flipped`() throws {
        let vector = file.oprf[1]
        let (input, key, result) = (vector.blinded_input.bytes, vector.public_key.bytes, vector.blinded_output.bytes)
        let proof = OPRFProof(c: vector.proof_c.bytes, betaZ: vector.proof_beta_z.bytes)
        #expect(proof.isValid(input: input, publicKey: key, result: result))
        for bit in 0..<256 {
            func flipped(_ bytes: [UInt8]) -> [UInt8] {
                var bytes = bytes
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
                return bytes
            }
            #expect(
                !OPRFProof(c: flipped(proof.c), betaZ: proof.betaZ).isValid(
                    input: input,
                    publicKey: key,
                    result: result
                )
            )
            #expect(
                !OPRFProof(c: proof.c, betaZ: flipped(proof.betaZ)).isValid(
                    input: input,
                    publicKey: key,
                    result: result
                )
            )
            #expect(!proof.isValid(input: flipped(input), publicKey: key, result: result))
            #expect(!proof.isValid(input: input, publicKey: flipped(key), result: result))
            #expect(!proof.isValid(input: input, publicKey: key, result: flipped(result)))
        }
    }

    @Test func `points and scalars are valid as each vector says`() throws {
        for vector in file.points {
            let bytes = vector.encoding.bytes
            #expect(Ristretto255.isValidPoint(bytes.span) == vector.valid, "\(vector.encoding)")
        }
        for vector in file.scalars {
            let bytes = vector.encoding.bytes
            #expect(Ristretto255.isValidScalar(bytes.span) == vector.canonical, "\(vector.encoding)")
        }
        for vector in file.scalar_reduce {
            let wide = vector.wide.bytes
            #expect([UInt8](try Ristretto255.reduce(wide.span)) == vector.scalar.bytes)
        }
    }

    @Test func `secrets split into the known shares and join from them`() throws {
        for vector in file.shares {
            let shares = try Shares.split(
                vector.secret.secret,
                coefficients: vector.coefficients_highest_power_first.map { try $0.secret },
                count: vector.count
            )
            #expect(shares.map(\.array) == vector.shares_from_index_1.map(\.bytes))
            for (index, weight) in zip(vector.joined_from_indexes, vector.weights) {
                #expect(try Shares.weight(of: index, among: vector.joined_from_indexes).array == weight.bytes)
            }
            let chosen = Dictionary(uniqueKeysWithValues: vector.joined_from_indexes.map { ($0, shares[$0 - 1]) })
            #expect(try Shares.join(scalars: chosen).array == vector.secret.bytes)
            let points = try Dictionary(
                uniqueKeysWithValues: vector.joined_from_indexes.map { ($0, try vector.point_shares[$0 - 1].secret) }
            )
            #expect(try Shares.join(points: points).array == vector.joined_point.bytes)
        }
    }

    @Test func `unlock keys, boxes and signed keys come out`() throws {
        for vector in file.unlock_key {
            let key = try UnlockKey(oprfOutput: vector.oprf_output.secret)
            #expect(key.commitment.array == vector.commitment.bytes && key.key.array == vector.key.bytes)
        }
        for vector in file.secret_box {
            #expect(try SealedSecret.seal(vector.secret.secret, key: vector.key.secret) == vector.box.bytes)
            #expect([UInt8](try SealedSecret.open(vector.box.bytes, key: vector.key.secret)) == vector.secret.bytes)
        }
        for vector in file.signed_public_key {
            let realm = try RealmID(bytes: vector.realm.bytes)
            let seed = vector.signing_seed.bytes
            let pair = try Sign.keyPair(seed: seed.span)
            let signed = try SignedPublicKey(vector.public_key.bytes, realm: realm, pair: pair)
            #expect(signed.verifyingKey == vector.verifying_key.bytes && signed.signature == vector.signature.bytes)
            #expect(signed.isValid(for: realm))
            #expect(!signed.isValid(for: try RealmID(bytes: [UInt8](repeating: 1, count: 16))))
        }
    }

    @Test func `both sides of Noise NK speak the known bytes`() throws {
        for vector in file.noise {
            var client = try NoiseClient(
                SecretBuffer(vector.request_payload.bytes),
                serverPublicKey: vector.static_public.bytes,
                ephemeral: vector.client_ephemeral_secret.secret
            )
            #expect(client.message.ephemeralKey == vector.request.client_ephemeral_public.bytes)
            #expect(client.message.payload == vector.request.payload_ciphertext.bytes)
            var server = try NoiseServer(client.message, privateKey: vector.static_secret.secret)
            #expect(server.payload.array == vector.request_payload.bytes)
            var (answer, serverTransport) = try server.answer(
                SecretBuffer(vector.response_payload.bytes),
                ephemeral: vector.server_ephemeral_secret.secret
            )
            #expect(answer.ephemeralKey == vector.response.server_ephemeral_public.bytes)
            #expect(answer.payload == vector.response.payload_ciphertext.bytes)
            var (payload, clientTransport) = try client.finish(answer)
            #expect(payload.array == vector.response_payload.bytes)
            for message in vector.transport {
                #expect(try clientTransport.encrypt(SecretBuffer(message.plaintext.bytes)) == message.to_server.bytes)
                #expect(try serverTransport.decrypt(message.to_server.bytes).array == message.plaintext.bytes)
                #expect(try serverTransport.encrypt(SecretBuffer(message.answer.bytes)) == message.to_client.bytes)
                #expect(try clientTransport.decrypt(message.to_client.bytes).array == message.answer.bytes)
            }
        }
    }

    private func anyRecord() throws -> RealmRecord {
        let pair = try Sign.keyPair()
        let realm = try RealmID(bytes: [UInt8](repeating: 1, count: 16))
        let empty = try Secret(copying: [])
        return RealmRecord(
            version: [],
            oprfPrivateKey: empty,
            signedPublicKey: try SignedPublicKey([], realm: realm, pair: pair),
            unlockKeyCommitment: [],
            unlockKeyTag: empty,
            scalarShare: empty,
            encryptedSecret: [],
            encryptedSecretCommitment: [],
            guesses: 0
        )
    }

    @Test func `messages encode to the bytes that they were decoded from`() throws {
        var names: Set<String> = []
        let requests: [SecretsRequest] = [
            .register1, .recover1, .delete, .recover2(version: [], input: []),
            .recover3(version: [], tag: try Secret(copying: [])), .register2(try anyRecord()),
        ]
        for vector in file.cbor {
            let document = try vector.bytes.secret
            if let request = try? SecretsRequest(decoding: CBORNode(decoding: document)) {
                #expect(request.encoded().array == vector.bytes.bytes)
                names.insert(request.name)
            } else if let request = try? HardwareRequest(decoding: document) {
                #expect(request.encoded().array == vector.bytes.bytes)
                names.insert("hardware request")
            } else if let answer = try? PaddedAnswer.unpad(document) {
                #expect(try PaddedAnswer.pad(SecretBuffer(answer.array)).array == vector.bytes.bytes)
                names.insert("padded answer")
            } else if let request = requests.first(where: {
                (try? SecretsResponse(decoding: document, to: $0)) != nil
            }) {
                #expect(
                    try SecretsResponse(decoding: document, to: request).encoded(to: request).array
                        == vector.bytes.bytes
                )
                names.insert("answer to " + request.name)
            } else if let response = try? HardwareResponse(decoding: document) {
                #expect(response.encoded().array == vector.bytes.bytes)
                names.insert("hardware response")
            } else {
                Issue.record("not understood: \(vector.bytes)")
            }
        }
        #expect(names.count == 14, "\(names.sorted())")
    }
}
