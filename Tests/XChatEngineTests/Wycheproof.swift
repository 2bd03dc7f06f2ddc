import Crypto
import Foundation
import TestVectors
import Testing
import XChatEvents

@testable import XChatEngine

func hex(_ text: String) -> [UInt8] {
    let digits = text.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

@Suite(.enabled(if: Wycheproof.isWanted, "\(Wycheproof.absence)"))
struct WycheproofTests {
    struct SignatureGroup: Decodable, Sendable {
        struct Key: Decodable, Sendable { let uncompressed: String }
        struct Vector: Decodable, Sendable {
            let tcId: Int
            let msg: String
            let sig: String
            let result: VectorResult
        }
        let publicKey: Key
        let publicKeyDer: String
        let tests: [Vector]
    }

    @Test func `ECDSA P-256 signatures have the results of the file`() throws {
        let file: VectorFile<SignatureGroup> = try Wycheproof.load("ecdsa_secp256r1_sha256_p1363_test")
        var ran = 0
        for group in file.testGroups {
            let key = try SigningPublicKey(encoded: hex(group.publicKeyDer))
            #expect(try SigningPublicKey(encoded: hex(group.publicKey.uncompressed)) == key)
            for vector in group.tests {
                let isValid = key.isValid(hex(vector.sig), over: hex(vector.msg))
                #expect(isValid == (vector.result == .valid), "tcId \(vector.tcId)")
                ran += 1
            }
        }
        #expect(ran == file.numberOfTests)
        print("wycheproof: \(ran) ECDSA P-256 cases")
    }

    struct AgreementGroup: Decodable, Sendable {
        struct Vector: Decodable, Sendable {
            let tcId: Int
            let `public`: String
            let `private`: String
            let shared: String
            let result: VectorResult
            let flags: [String]
        }
        let tests: [Vector]
    }

    @Test(arguments: ["ecdh_secp256r1_ecpoint_test", "ecdh_secp256r1_test"])
    func `ECDH P-256 keys are parsed strictly, and agreements have the results of the file`(name: String) throws {
        let file: VectorFile<AgreementGroup> = try Wycheproof.load(name)
        var ran = 0
        for vector in file.testGroups.flatMap(\.tests) {
            ran += 1
            let parsed = try? IdentityPublicKey(encoded: hex(vector.public))
            guard let parsed else {
                // Other libraries accept an SPKI with a compressed point. Ours accepts only one header.
                #expect(vector.result != .valid, "tcId \(vector.tcId) is a valid key")
                continue
            }
            #expect(vector.result != .invalid, "tcId \(vector.tcId) is an invalid key")
            let scalar = hex(String(repeating: "0", count: max(0, 64 - vector.private.count)) + vector.private).suffix(
                32
            )
            let privateKey = try P256.KeyAgreement.PrivateKey(rawRepresentation: scalar)
            let point = try P256.KeyAgreement.PublicKey(x963Representation: parsed.spki.suffix(65))
            let shared = try privateKey.sharedSecretFromKeyAgreement(with: point)
            let secret = unsafe shared.withUnsafeBytes { unsafe Array($0) }
            #expect(secret == hex(vector.shared), "tcId \(vector.tcId)")
        }
        #expect(ran == file.numberOfTests)
        print("wycheproof: \(ran) cases of \(name)")
    }

    struct CipherGroup: Decodable, Sendable {
        struct Vector: Decodable, Sendable {
            let tcId: Int
            let key: String
            let iv: String
            let aad: String
            let msg: String
            let ct: String
            let tag: String
            let result: VectorResult
        }
        let keySize: Int
        let ivSize: Int
        let tests: [Vector]
    }

    @Test func `AES-128-GCM with a 16-byte IV, as in the key wrap, has the results of the file`() throws {
        let file: VectorFile<CipherGroup> = try Wycheproof.load("aes_gcm_test")
        var ran = 0
        for group in file.testGroups where group.keySize == 128 && group.ivSize == 128 {
            for vector in group.tests {
                ran += 1
                let key = SymmetricKey(data: hex(vector.key))
                let box = try AES.GCM.SealedBox(
                    nonce: AES.GCM.Nonce(data: hex(vector.iv)),
                    ciphertext: hex(vector.ct),
                    tag: hex(vector.tag)
                )
                let opened = try? AES.GCM.open(box, using: key, authenticating: hex(vector.aad))
                #expect(
                    opened.map(Array.init) == (vector.result == .valid ? hex(vector.msg) : nil),
                    "tcId \(vector.tcId)"
                )
            }
        }
        #expect(ran == 20)
        print("wycheproof: \(ran) AES-128-GCM cases with 128-bit IVs")
    }
}
