import LibSodium
import Testing

struct SignTests {
    // RFC 8032 section 7.1, tests 1 to 3.
    static let vectors: [(seed: String, publicKey: String, message: String, signature: String)] = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ]

    @Test(arguments: vectors.indices)
    func `the keys of RFC 8032 make its signatures`(index: Int) throws {
        let vector = Self.vectors[index]
        let message = [UInt8](hex: vector.message)
        let pair = try Sign.keyPair(seed: [UInt8](hex: vector.seed).span)
        #expect(pair.publicKey == [UInt8](hex: vector.publicKey))
        let signature = try sign(message, pair)
        #expect(signature == [UInt8](hex: vector.signature))
        #expect(isValid(signature, for: message, publicKey: pair.publicKey))
    }

    @Test func `a secret key gives back its seed`() throws {
        let seed = [UInt8](7..<39)
        let pair = try Sign.keyPair(seed: seed.span)
        let again = try pair.secretKey.withBytes { (secretKey) throws(SodiumError) in try Sign.seed(of: secretKey) }
        #expect([UInt8](again) == seed)
    }

    @Test func `fresh pairs differ, and sign for themselves only`() throws {
        let pair = try Sign.keyPair()
        let other = try Sign.keyPair()
        let signature = try sign([1, 2, 3], pair)
        #expect(isValid(signature, for: [1, 2, 3], publicKey: pair.publicKey))
        #expect(!isValid(signature, for: [1, 2, 3], publicKey: other.publicKey))
    }

    @Test func `any bit flipped in signature, message or public key makes it invalid`() throws {
        let pair = try Sign.keyPair(seed: zeros(32).span)
        let message = [UInt8]("attack at dawn".utf8)
        let signature = try sign(message, pair)
        for forged in signature.withEachBitFlipped {
            #expect(!isValid(forged, for: message, publicKey: pair.publicKey))
        }
        for forged in message.withEachBitFlipped {
            #expect(!isValid(signature, for: forged, publicKey: pair.publicKey))
        }
        for forged in pair.publicKey.withEachBitFlipped {
            #expect(!isValid(signature, for: message, publicKey: forged))
        }
    }

    @Test func `under a public key of low order nothing is valid`() {
        // With s = 0 and a point of low order for R it takes no secret to forge: s·B = R + h·A holds for every message
        // under the neutral element, and for a share of all messages under the others.
        for publicKey in LowOrder.ed25519 {
            for point in LowOrder.ed25519 {
                let signature = point + zeros(32)
                let isForged = (0..<16).contains { isValid(signature, for: [$0], publicKey: publicKey) }
                #expect(!isForged)
            }
        }
    }

    @Test(arguments: vectors.indices)
    func `a signature whose s is spelled with the order added is invalid`(index: Int) {
        let vector = Self.vectors[index]
        let order = [UInt8](hex: "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
        var signature = [UInt8](hex: vector.signature)
        var carry = 0
        for (place, byte) in order.enumerated() {
            let sum = Int(signature[32 + place]) + Int(byte) + carry
            signature[32 + place] = UInt8(sum & 0xff)
            carry = sum >> 8
        }
        #expect(carry == 0)
        let message = [UInt8](hex: vector.message)
        #expect(!isValid(signature, for: message, publicKey: [UInt8](hex: vector.publicKey)))
    }

    @Test func `a signature or public key of another length is invalid`() throws {
        let pair = try Sign.keyPair(seed: zeros(32).span)
        let signature = try sign([], pair)
        for count in 0...200 where count != 64 {
            let other = [UInt8]((signature + zeros(200)).prefix(count))
            #expect(!isValid(other, for: [UInt8](), publicKey: pair.publicKey))
        }
        for count in 0...100 where count != 32 {
            let other = [UInt8]((pair.publicKey + zeros(100)).prefix(count))
            #expect(!isValid(signature, for: [UInt8](), publicKey: other))
        }
        #expect(isValid(signature, for: [UInt8](), publicKey: pair.publicKey))
    }

    @Test func `secret keys and seeds of another length are refused`() {
        for count in lengths(otherThan: 64) {
            let signing = refusal { () throws(SodiumError) in
                _ = try Sign.signature(for: [1].span, secretKey: zeros(count).span)
            }
            let seed = refusal { () throws(SodiumError) in _ = try Sign.seed(of: zeros(count).span) }
            #expect(signing?.code == .wrongLength)
            #expect(seed?.code == .wrongLength)
        }
        for count in lengths(otherThan: 32) {
            let error = refusal { () throws(SodiumError) in _ = try Sign.keyPair(seed: zeros(count).span) }
            #expect(error?.code == .wrongLength)
        }
    }

    private func sign(_ message: [UInt8], _ pair: borrowing KeyPair) throws(SodiumError) -> [UInt8] {
        try pair.secretKey.withBytes { (secretKey) throws(SodiumError) in
            try Sign.signature(for: message.span, secretKey: secretKey)
        }
    }

    // Spans cannot be arguments of a call that #expect takes apart.
    private func isValid(_ signature: [UInt8], for message: [UInt8], publicKey: [UInt8]) -> Bool {
        Sign.isValid(signature.span, for: message.span, publicKey: publicKey.span)
    }
}
