import LibSodium
import Testing

struct KeyExchangeTests {
    @Test func `both sides compute the same two keys, one for each direction`() throws {
        let client = try KeyExchange.keyPair()
        let server = try KeyExchange.keyPair()
        let clientKeys = try clientKeys(client, to: server.publicKey)
        let serverKeys = try serverKeys(server, to: client.publicKey)
        #expect([UInt8](clientKeys.receive) == [UInt8](serverKeys.transmit))
        #expect([UInt8](clientKeys.transmit) == [UInt8](serverKeys.receive))
        #expect([UInt8](clientKeys.receive) != [UInt8](clientKeys.transmit))
    }

    @Test func `seeds lead to known keys`() throws {
        // Worked out apart from libsodium, from its definition: secret key = BLAKE2b-256(seed), public key = X25519 of
        // the base point, receive ‖ transmit of the client = BLAKE2b-512(shared point ‖ client key ‖ server key).
        let client = try KeyExchange.keyPair(seed: [UInt8](0..<32).span)
        let server = try KeyExchange.keyPair(seed: [UInt8](32..<64).span)
        #expect(client.publicKey == [UInt8](hex: "0e0216223f147143d32615a91189c288c1728cba3cc5f9f621b1026e03d83129"))
        #expect(server.publicKey == [UInt8](hex: "99f4674ecc87c0b8e712f192b8f49e7442a9376b4875967ababa28471019a93e"))
        let keys = try clientKeys(client, to: server.publicKey)
        #expect(
            [UInt8](keys.receive) == [UInt8](hex: "59f8af2a2061b2e35fd1cbfb708efd27a85c9924e6b83932e8a67c901a9998cb")
        )
        #expect(
            [UInt8](keys.transmit) == [UInt8](hex: "17821f6861b0f9ac897981c01cca46b711a0afd09010d3694895333903865af2")
        )
    }

    @Test func `a stranger's key gives other session keys`() throws {
        let client = try KeyExchange.keyPair()
        let server = try KeyExchange.keyPair()
        let stranger = try KeyExchange.keyPair()
        let expected = try clientKeys(client, to: server.publicKey)
        let other = try clientKeys(client, to: stranger.publicKey)
        #expect([UInt8](expected.receive) != [UInt8](other.receive))
    }

    @Test func `a peer key of low order is refused`() throws {
        let pair = try KeyExchange.keyPair(seed: zeros(32).span)
        for point in LowOrder.x25519 {
            #expect(refusal { () throws(SodiumError) in _ = try clientKeys(pair, to: point) }?.code == .weakPoint)
            #expect(refusal { () throws(SodiumError) in _ = try serverKeys(pair, to: point) }?.code == .weakPoint)
        }
    }

    @Test(arguments: lengths(otherThan: 32))
    func `keys and seeds of another length are refused`(count: Int) {
        let good = [UInt8](repeating: 9, count: 32)
        let bad = zeros(count)
        let refusals = [
            refusal { () throws(SodiumError) in _ = try KeyExchange.keyPair(seed: bad.span) },
            refusal { () throws(SodiumError) in
                _ = try KeyExchange.clientSessionKeys(
                    publicKey: bad.span,
                    secretKey: good.span,
                    serverPublicKey: good.span
                )
            },
            refusal { () throws(SodiumError) in
                _ = try KeyExchange.clientSessionKeys(
                    publicKey: good.span,
                    secretKey: bad.span,
                    serverPublicKey: good.span
                )
            },
            refusal { () throws(SodiumError) in
                _ = try KeyExchange.clientSessionKeys(
                    publicKey: good.span,
                    secretKey: good.span,
                    serverPublicKey: bad.span
                )
            },
            refusal { () throws(SodiumError) in
                _ = try KeyExchange.serverSessionKeys(
                    publicKey: bad.span,
                    secretKey: good.span,
                    clientPublicKey: good.span
                )
            },
            refusal { () throws(SodiumError) in
                _ = try KeyExchange.serverSessionKeys(
                    publicKey: good.span,
                    secretKey: bad.span,
                    clientPublicKey: good.span
                )
            },
            refusal { () throws(SodiumError) in
                _ = try KeyExchange.serverSessionKeys(
                    publicKey: good.span,
                    secretKey: good.span,
                    clientPublicKey: bad.span
                )
            },
        ]
        let names = ["seed", "publicKey", "secretKey", "serverPublicKey", "publicKey", "secretKey", "clientPublicKey"]
        #expect(refusals.map { $0?.what } == names)
        #expect(refusals.allSatisfy { $0?.code == .wrongLength && $0?.actual == count })
    }

    private func clientKeys(
        _ pair: borrowing KeyPair,
        to server: [UInt8]
    ) throws(SodiumError) -> KeyExchange.SessionKeys {
        let publicKey = pair.publicKey
        return try pair.secretKey.withBytes { (secretKey) throws(SodiumError) in
            try KeyExchange.clientSessionKeys(
                publicKey: publicKey.span,
                secretKey: secretKey,
                serverPublicKey: server.span
            )
        }
    }

    private func serverKeys(
        _ pair: borrowing KeyPair,
        to client: [UInt8]
    ) throws(SodiumError) -> KeyExchange.SessionKeys {
        let publicKey = pair.publicKey
        return try pair.secretKey.withBytes { (secretKey) throws(SodiumError) in
            try KeyExchange.serverSessionKeys(
                publicKey: publicKey.span,
                secretKey: secretKey,
                clientPublicKey: client.span
            )
        }
    }
}
