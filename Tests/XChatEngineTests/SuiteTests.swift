import Testing
import XChatEvents

@testable import XChatEngine

func code(_ body: () throws -> Void) -> XChatError.Code? {
    do {
        try body()
        return nil
    } catch {
        return (error as? XChatError)?.code
    }
}

extension SigningPublicKey {
    /// For `#expect`, which does not take a span.
    func isValid(_ signature: [UInt8], over text: [UInt8]) -> Bool { isValid(signature, for: text.span) }
}

/// A copy with one bit flipped.
func flipped(_ bytes: [UInt8], bit: Int) -> [UInt8] {
    var bytes = bytes
    bytes[bit / 8] ^= 1 << UInt8(bit % 8)
    return bytes
}

@Suite struct SuiteTests {
    @Test(arguments: SuiteName.all)
    func `a wrapped key unwraps under its own identity key only`(suite: SuiteName) throws {
        let keys = try PrivateKeys.generate(suite)
        let conversationKey = try ConversationKey.generate()
        let wrapped = try keys.identityKey.key.wrap(conversationKey)
        #expect(wrapped.count == (suite == .xchat ? 113 : 80))
        #expect(try keys.keys.unwrap(wrapped).isEqual(to: conversationKey))
        let stranger = try PrivateKeys.generate(suite)
        #expect(code { _ = try stranger.keys.unwrap(wrapped) } == .authenticationFailed)
    }

    @Test(arguments: SuiteName.all)
    func `a wrapped key with any bit flipped, or of any other length, does not unwrap`(suite: SuiteName) throws {
        let keys = try PrivateKeys.generate(suite)
        let wrapped = try keys.identityKey.key.wrap(ConversationKey.generate())
        for bit in 0..<wrapped.count * 8 {
            // X25519 ignores the top bit of a point (RFC 7748 section 5), but crypto_box_seal's nonce covers it.
            #expect(code { _ = try keys.keys.unwrap(flipped(wrapped, bit: bit)) } != nil, "bit \(bit)")
        }
        for length in 0..<wrapped.count {
            #expect(code { _ = try keys.keys.unwrap(Array(wrapped[..<length])) } != nil, "length \(length)")
        }
        #expect(code { _ = try keys.keys.unwrap(wrapped + [0]) } != nil)
    }

    @Test(arguments: SuiteName.all)
    func `a signature verifies unchanged and with no bit flipped`(suite: SuiteName) throws {
        let keys = try PrivateKeys.generate(suite)
        let signingKey = try #require(keys.signingKey)
        let text = Array("MessageDeleteEvent,m-1,1111,1111:2222,2,5,6".utf8)
        let signature = try keys.keys.sign(text.span)
        #expect(signature.count == 64)
        #expect(signingKey.isValid(signature, over: text))
        for bit in 0..<signature.count * 8 {
            #expect(!signingKey.isValid(flipped(signature, bit: bit), over: text), "bit \(bit)")
        }
        for bit in 0..<text.count * 8 {
            #expect(!signingKey.isValid(signature, over: flipped(text, bit: bit)), "bit \(bit)")
        }
        for length in 0..<64 { #expect(!signingKey.isValid(Array(signature[..<length]), over: text)) }
        #expect(!signingKey.isValid(signature + [0], over: text))
    }

    @Test(arguments: SuiteName.all)
    func `an export imports again as the same keys`(suite: SuiteName) throws {
        let keys = try PrivateKeys.generate(suite)
        let blob = try keys.withExport { blob in blob.indices.map { blob[$0] } }
        #expect(blob.count == (suite == .xchat ? 64 : 73))
        let imported = try PrivateKeys(importing: blob.span)
        #expect(imported.suite == suite)
        #expect(imported.identityKey == keys.identityKey)
        #expect(imported.signingKey == keys.signingKey)
    }

    @Test func `a blob of the sodium suite exports again byte for byte`() throws {
        let blob = Array("xchatkey".utf8) + [1] + (101...132) + (201...232)
        let exported = try PrivateKeys(importing: blob.span).withExport { blob in blob.indices.map { blob[$0] } }
        #expect(exported == blob)
    }

    @Test func `exported private keys of any other length are refused`() throws {
        let sodium = try PrivateKeys.generate(.sodium).withExport { blob in blob.indices.map { blob[$0] } }
        for length in 0...200 {
            let bytes = (0..<length).map { $0 < sodium.count ? sodium[$0] : 7 }
            let isFit = length == 73 || length == 32 || length == 64
            #expect((code { _ = try PrivateKeys(importing: bytes.span) } == nil) == isFit, "length \(length)")
        }
        var later = sodium
        later[8] = 2
        #expect(code { _ = try PrivateKeys(importing: later.span) } == .unsupported)
    }

    @Test func `private scalars out of range are refused`() throws {
        let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
        let one = Known.scalar(1)
        for bad in [Array(repeating: 0, count: 32), order, Array(repeating: 0xff, count: 32)] {
            #expect(code { _ = try PrivateKeys(importing: bad.span) } == .invalidKey)
            #expect(code { _ = try PrivateKeys(importing: (bad + one).span) } == .invalidKey)
            #expect(code { _ = try PrivateKeys(importing: (one + bad).span) } == .invalidKey)
        }
    }

    @Test func `an identity key alone imports, unwraps, and does not sign`() throws {
        let keys = try PrivateKeys(importing: Known.scalar(1).span)
        #expect(keys.signingKey == nil)
        #expect(try keys.keys.unwrap(Base64.decode(Known.wrappedKey)).isEqual(to: Known.conversationKey()))
        #expect(code { _ = try keys.registration(version: "1") } == .notUnlocked)
        #expect(code { _ = try keys.keys.sign([1].span) } == .notUnlocked)
    }

    @Test(arguments: SuiteName.all)
    func `a public key with any bit of its header flipped is refused`(suite: SuiteName) throws {
        let keys = try PrivateKeys.generate(suite)
        let identity = keys.identityKey.spki
        let signing = try #require(keys.signingKey).spki
        let header = suite == .xchat ? 26 : 12
        for bit in 0..<header * 8 {
            #expect(
                code { _ = try IdentityPublicKey(encoded: flipped(identity, bit: bit)) } == .invalidKey,
                "bit \(bit)"
            )
            #expect(code { _ = try SigningPublicKey(encoded: flipped(signing, bit: bit)) } == .invalidKey, "bit \(bit)")
        }
        #expect(code { _ = try IdentityPublicKey(encoded: Array(identity.dropLast())) } == .invalidKey)
        #expect(code { _ = try IdentityPublicKey(encoded: identity + [0]) } == .invalidKey)
    }

    @Test func `SEC1 points are P-256 keys, and forms that clients do not send are not`() throws {
        let spki = try PrivateKeys.generate(.xchat).identityKey.spki
        let point = Array(spki.suffix(65))
        let compressed = [0x02 + point[64] % 2] + point[1...32]
        #expect(try IdentityPublicKey(encoded: point).spki == spki)
        #expect(try IdentityPublicKey(encoded: compressed).spki == spki)
        for first in [0x00, 0x05, 0x06, 0x07] as [UInt8] {
            #expect(code { _ = try IdentityPublicKey(encoded: [first] + point[1...]) } == .invalidKey)
            #expect(code { _ = try IdentityPublicKey(encoded: [first] + point[1...32]) } == .invalidKey)
        }
        #expect(code { _ = try IdentityPublicKey(encoded: Array(point.dropFirst())) } == .invalidKey)
        #expect(code { _ = try IdentityPublicKey(encoded: [UInt8](repeating: 0, count: 26) + point) } == .invalidKey)
    }

    @Test func `an Ed25519 key is no X25519 key, and the reverse`() throws {
        let keys = try PrivateKeys.generate(.sodium)
        let signing = try #require(keys.signingKey)
        #expect(code { _ = try IdentityPublicKey(encoded: signing.spki) } == .invalidKey)
        #expect(code { _ = try SigningPublicKey(encoded: keys.identityKey.spki) } == .invalidKey)
    }

    @Test func `nothing is wrapped to an X25519 point of small order`() throws {
        let weak = try IdentityPublicKey(
            encoded: SubjectPublicKeyInfo.x25519.encoding([UInt8](repeating: 0, count: 32))
        )
        #expect(code { _ = try weak.key.wrap(ConversationKey.generate()) } == .invalidKey)
    }

    @Test(arguments: SuiteName.all)
    func `a registration binds both keys and names X's fields`(suite: SuiteName) throws {
        let keys = try PrivateKeys.generate(suite)
        let registration = try keys.registration(version: "1700000000000")
        let served = RegisteredKey(
            userID: "1111",
            publicKeyVersion: "1700000000000",
            publicKey: WireString(registration.publicKey.signingPublicKey),
            identityPublicKey: WireString(registration.publicKey.publicKey),
            identityPublicKeySignature: WireString(registration.publicKey.identityPublicKeySignature),
            signingPublicKeySignature: registration.publicKey.signingPublicKeySignature.map { WireString($0) }
        )
        #expect((served.signingPublicKeySignature == nil) == (suite == .sodium))
        let bound = try VerifiedPublicKey(checking: served)
        #expect(bound.identityKey == keys.identityKey)
        #expect(bound.signingKey == keys.signingKey)
        #expect(registration.publicKey.publicKeyFingerprint == keys.identityKey.fingerprint)
        #expect(registration.publicKey.registrationMethod == "CustomPin")
        #expect(registration.generateVersion)
    }

    @Test func `a binding is refused over another key, with any bit flipped, and across suites`() throws {
        let keys = try PrivateKeys.generate(.xchat)
        let good = try keys.verifiedKey(userID: "1111", version: "1").registered
        let signature = try Base64.decode(good.identityPublicKeySignature)
        for bit in 0..<signature.count * 8 {
            var bad = good
            bad.identityPublicKeySignature = WireString(Base64.encode(flipped(signature, bit: bit)))
            #expect(code { _ = try VerifiedPublicKey(checking: bad) } == .invalidKey, "bit \(bit)")
        }
        var other = good
        other.identityPublicKey = WireString(try PrivateKeys.generate(.xchat).identityKey.base64)
        #expect(code { _ = try VerifiedPublicKey(checking: other) } == .invalidKey)
        other.identityPublicKey = WireString(try PrivateKeys.generate(.sodium).identityKey.base64)
        #expect(code { _ = try VerifiedPublicKey(checking: other) } == .wrongSuite)
        var endorsed = good
        endorsed.signingPublicKeySignature = good.identityPublicKeySignature
        #expect(code { _ = try VerifiedPublicKey(checking: endorsed) } == .invalidKey)
    }

    @Test func `a binding signature over the bare point verifies too`() throws {
        let keys = try PrivateKeys.generate(.xchat)
        let point = Array(keys.identityKey.spki.suffix(65))
        var registered = try keys.verifiedKey(userID: "1111", version: "1").registered
        registered.identityPublicKeySignature = WireString(Base64.encode(try keys.keys.sign(point.span)))
        #expect(try VerifiedPublicKey(checking: registered).identityKey == keys.identityKey)
    }
}
