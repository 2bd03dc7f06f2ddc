import LibSodium

// Noise_NK_25519_ChaChaPoly_BLAKE2s with an empty prologue (revision 34 of the framework). The ephemeral key and the
// payload of each message are sent as separate fields.

/// The hash and the chaining key of a handshake, which both sides compute.
private struct SymmetricState {
    private static let name = "Noise_NK_25519_ChaChaPoly_BLAKE2s"

    private var hash: Secret
    private var chainingKey: Secret
    private var key: Secret?

    init(serverPublicKey: [UInt8]) throws {
        let buffer = SecretBuffer()
        buffer.append(Self.name)
        hash = try buffer.withBytes { try BLAKE2s.hash($0, key: Span()) }
        chainingKey = hash
        try mixHash([])
        try mixHash(serverPublicKey)
    }

    mutating func mixHash(_ data: [UInt8]) throws {
        let buffer = SecretBuffer()
        buffer.append(hash)
        buffer.append(data)
        hash = try buffer.withBytes { try BLAKE2s.hash($0, key: Span()) }
    }

    mutating func mixKey(_ point: [UInt8], _ scalar: Secret) throws {
        let shared = Secret(
            try scalar.withBytes { (scalar) throws(SodiumError) in
                try ScalarMult.multiply(point.span, by: scalar)
            }
        )
        let output = try BLAKE2s.hkdf(chainingKey: chainingKey, input: shared)
        (chainingKey, key) = (output.first, output.second)
    }

    mutating func encrypt(_ payload: SecretBuffer) throws -> [UInt8] {
        guard let key else { throw CBORError() }
        let box = try payload.withBytes { payload in
            try Secret.withBytes(key, hash) { (key, hash) throws(SodiumError) in
                try ChaCha20Poly1305.seal(payload, associatedData: hash, nonce: nonce(0).span, key: key)
            }
        }
        try mixHash(box)
        return box
    }

    mutating func decrypt(_ box: [UInt8]) throws -> Secret {
        guard let key else { throw CBORError() }
        let payload = Secret(
            try Secret.withBytes(key, hash) { (key, hash) throws(SodiumError) in
                try ChaCha20Poly1305.open(box.span, associatedData: hash, nonce: nonce(0).span, key: key)
            }
        )
        try mixHash(box)
        return payload
    }

    /// The keys from client to server, and from server to client.
    func split() throws -> (toServer: Secret, toClient: Secret) {
        let keys = try BLAKE2s.hkdf(chainingKey: chainingKey, input: Secret(copying: []))
        return (keys.first, keys.second)
    }
}

private func nonce(_ counter: UInt64) -> [UInt8] {
    [0, 0, 0, 0] + (0..<8).map { UInt8(truncatingIfNeeded: counter >> ($0 * 8)) }
}

/// One message of a handshake: an ephemeral public key and an encrypted payload.
package struct NoiseMessage: Sendable {
    package var ephemeralKey: [UInt8]
    package var payload: [UInt8]

    package init(ephemeralKey: [UInt8], payload: [UInt8]) {
        self.ephemeralKey = ephemeralKey
        self.payload = payload
    }
}

/// The client's side of a handshake.
package struct NoiseClient {
    private var state: SymmetricState
    private let ephemeral: Secret
    /// The message to send.
    package let message: NoiseMessage

    /// Begins a handshake.
    ///
    /// - Parameters:
    ///   - payload: The payload of the first message; it has no forward secrecy.
    ///   - serverPublicKey: The realm's key, 32 bytes.
    ///   - ephemeral: The ephemeral secret key, 32 bytes; random except in known-answer tests.
    /// - Throws: `SodiumError` for a key of low order.
    package init(_ payload: SecretBuffer, serverPublicKey: [UInt8], ephemeral: Secret? = nil) throws {
        self.ephemeral = try ephemeral ?? Secret.random(count: 32)
        let publicKey = try self.ephemeral.withBytes { (key) throws(SodiumError) in try ScalarMult.multiplyBase(by: key)
        }
        state = try SymmetricState(serverPublicKey: serverPublicKey)
        try state.mixHash(publicKey)
        try state.mixKey(serverPublicKey, self.ephemeral)
        message = NoiseMessage(ephemeralKey: publicKey, payload: try state.encrypt(payload))
    }

    /// Finishes the handshake with the server's answer.
    ///
    /// - Throws: `SodiumError` for an answer that was not made with the realm's key.
    package mutating func finish(_ answer: NoiseMessage) throws -> (payload: Secret, transport: NoiseTransport) {
        try state.mixHash(answer.ephemeralKey)
        try state.mixKey(answer.ephemeralKey, ephemeral)
        let payload = try state.decrypt(answer.payload)
        let keys = try state.split()
        return (payload, NoiseTransport(sending: keys.toServer, receiving: keys.toClient))
    }
}

/// The server's side of a handshake.
package struct NoiseServer {
    private var state: SymmetricState
    private let clientKey: [UInt8]
    /// The payload of the client's message.
    package let payload: Secret

    package init(_ message: NoiseMessage, privateKey: Secret) throws {
        let publicKey = try privateKey.withBytes { (key) throws(SodiumError) in try ScalarMult.multiplyBase(by: key) }
        state = try SymmetricState(serverPublicKey: publicKey)
        try state.mixHash(message.ephemeralKey)
        try state.mixKey(message.ephemeralKey, privateKey)
        payload = try state.decrypt(message.payload)
        clientKey = message.ephemeralKey
    }

    /// Answers the handshake.
    package mutating func answer(
        _ payload: SecretBuffer,
        ephemeral: Secret? = nil
    ) throws -> (message: NoiseMessage, transport: NoiseTransport) {
        let ephemeral = try ephemeral ?? Secret.random(count: 32)
        let publicKey = try ephemeral.withBytes { (key) throws(SodiumError) in try ScalarMult.multiplyBase(by: key) }
        try state.mixHash(publicKey)
        try state.mixKey(clientKey, ephemeral)
        let message = NoiseMessage(ephemeralKey: publicKey, payload: try state.encrypt(payload))
        let keys = try state.split()
        return (message, NoiseTransport(sending: keys.toClient, receiving: keys.toServer))
    }
}

/// The two keys of a session, one for each direction; the nonce of a message is the number of messages before it in the
/// same direction.
package struct NoiseTransport: Sendable {
    private let sendingKey: Secret
    private let receivingKey: Secret
    private var sent: UInt64 = 0
    private var received: UInt64 = 0

    fileprivate init(sending: Secret, receiving: Secret) {
        sendingKey = sending
        receivingKey = receiving
    }

    package mutating func encrypt(_ message: SecretBuffer) throws -> [UInt8] {
        defer { sent &+= 1 }
        return try message.withBytes { message in
            try sendingKey.withBytes { (key) throws(SodiumError) in
                try ChaCha20Poly1305.seal(message, associatedData: Span(), nonce: nonce(sent).span, key: key)
            }
        }
    }

    package mutating func decrypt(_ box: [UInt8]) throws -> Secret {
        let message = Secret(
            try receivingKey.withBytes { (key) throws(SodiumError) in
                try ChaCha20Poly1305.open(box.span, associatedData: Span(), nonce: nonce(received).span, key: key)
            }
        )
        received &+= 1
        return message
    }
}
