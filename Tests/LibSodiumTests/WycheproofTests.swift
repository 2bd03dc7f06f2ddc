import Foundation
import LibSodium
import TestVectors
import Testing

@Suite(.enabled(if: Wycheproof.isWanted, "\(Wycheproof.absence)"))
struct WycheproofTests {
    private struct SigningGroup: Decodable {
        struct Key: Decodable {
            var pk: String
        }
        struct Case: Decodable {
            var tcId: Int
            var msg: String
            var sig: String
            var flags: [String]
            var result: VectorResult
        }
        var publicKey: Key
        var tests: [Case]
    }

    @Test func `Ed25519 signatures are judged as every vector says`() throws {
        let file: VectorFile<SigningGroup> = try Wycheproof.load("ed25519_test")
        var ran = 0
        for group in file.testGroups {
            let publicKey = [UInt8](hex: group.publicKey.pk)
            for vector in group.tests {
                let isValid = Sign.isValid(
                    [UInt8](hex: vector.sig).span,
                    for: [UInt8](hex: vector.msg).span,
                    publicKey: publicKey.span
                )
                switch vector.result {
                case .valid: #expect(isValid, "tcId \(vector.tcId)")
                case .invalid: #expect(!isValid, "tcId \(vector.tcId)")
                case .acceptable:
                    // libsodium refuses keys of small order. With other keys that have a part of small order the two
                    // equations of RFC 8032, 5.1.7 disagree; libsodium checks the one without the cofactor.
                    let isSmall = vector.flags == ["SmallOrderPublicKey"]
                    #expect(isSmall || vector.flags == ["MixedOrderPublicKey"], "tcId \(vector.tcId): no rule")
                    if isSmall { #expect(!isValid, "tcId \(vector.tcId)") }
                }
                ran += 1
            }
        }
        #expect(ran == file.numberOfTests)
        print("wycheproof: \(ran) Ed25519 cases")
    }

    private struct AgreementGroup: Decodable {
        struct Case: Decodable {
            var tcId: Int
            var `public`: String
            var `private`: String
            var shared: String
            var result: VectorResult
            var flags: [String]
        }
        var tests: [Case]
    }

    @Test func `X25519 gives the shared point of every vector, and none where it would be zero`() throws {
        let file: VectorFile<AgreementGroup> = try Wycheproof.load("x25519_test")
        var ran = 0
        for vector in file.testGroups.flatMap(\.tests) {
            let point = [UInt8](hex: vector.public)
            let scalar = [UInt8](hex: vector.private)
            // "Acceptable" marks public keys on the twist, in a second spelling, or of low order. RFC 7748 computes
            // with all of them; only a result of zeros is refused.
            let mustRefuse =
                switch vector.result {
                case .valid: false
                case .invalid: true
                case .acceptable: vector.flags.contains("ZeroSharedSecret")
                }
            if mustRefuse {
                let error = refusal { () throws(SodiumError) in
                    _ = try ScalarMult.multiply(point.span, by: scalar.span)
                }
                #expect(error?.code == .weakPoint, "tcId \(vector.tcId)")
            } else {
                let shared = try ScalarMult.multiply(point.span, by: scalar.span)
                #expect([UInt8](shared) == [UInt8](hex: vector.shared), "tcId \(vector.tcId)")
            }
            ran += 1
        }
        #expect(ran == file.numberOfTests)
        print("wycheproof: \(ran) X25519 cases")
    }

    private struct CipherGroup: Decodable {
        struct Case: Decodable {
            var tcId: Int
            var key: String
            var iv: String
            var aad: String
            var msg: String
            var ct: String
            var tag: String
            var result: VectorResult
        }
        var tests: [Case]
    }

    @Test func `XChaCha20-Poly1305 seals and opens as every vector says`() throws {
        let file: VectorFile<CipherGroup> = try Wycheproof.load("xchacha20_poly1305_test")
        var ran = 0
        for vector in file.testGroups.flatMap(\.tests) {
            let (key, nonce) = ([UInt8](hex: vector.key), [UInt8](hex: vector.iv))
            let (message, data) = ([UInt8](hex: vector.msg), [UInt8](hex: vector.aad))
            let box = nonce + [UInt8](hex: vector.ct) + [UInt8](hex: vector.tag)
            let opened = try? XChaCha20Poly1305.open(box.span, associatedData: data.span, key: key.span)
            #expect(opened == (vector.result == .valid ? message : nil), "tcId \(vector.tcId)")
            if vector.result == .valid {
                let sealed = try XChaCha20Poly1305.seal(
                    message.span,
                    associatedData: data.span,
                    nonce: nonce.span,
                    key: key.span
                )
                #expect(sealed == box, "tcId \(vector.tcId)")
            }
            ran += 1
        }
        #expect(ran == file.numberOfTests)
        print("wycheproof: \(ran) XChaCha20-Poly1305 cases")
    }
}
