import Foundation
import LibSodium
import Testing

/// Vectors of C2SP/wycheproof, read from beside the package.
private enum Wycheproof {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "../shared/vectors/wycheproof").standardizedFileURL
    static let isThere = FileManager.default.fileExists(atPath: folder.path)

    static func file<Group: Decodable>(_ name: String, of: Group.Type) throws -> VectorFile<Group> {
        try JSONDecoder().decode(VectorFile<Group>.self, from: Data(contentsOf: folder.appending(path: name)))
    }
}

private struct VectorFile<Group: Decodable>: Decodable {
    var numberOfTests: Int
    var testGroups: [Group]
}

private enum Verdict: String, Decodable {
    case valid
    case invalid
    case acceptable
}

@Suite(.enabled(if: Wycheproof.isThere, "../shared/vectors/wycheproof is not there"))
struct WycheproofTests {
    private struct SigningGroup: Decodable {
        struct Key: Decodable {
            var pk: String
        }
        struct Case: Decodable {
            var tcId: Int
            var msg: String
            var sig: String
            var result: Verdict
        }
        var publicKey: Key
        var tests: [Case]
    }

    @Test func `Ed25519 signatures are judged as every vector says`() throws {
        let file = try Wycheproof.file("ed25519_test.json", of: SigningGroup.self)
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
                case .acceptable: Issue.record("tcId \(vector.tcId): no rule for acceptable signatures")
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
            var result: Verdict
            var flags: [String]
        }
        var tests: [Case]
    }

    @Test func `X25519 gives the shared point of every vector, and none where it would be zero`() throws {
        let file = try Wycheproof.file("x25519_test.json", of: AgreementGroup.self)
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
}
