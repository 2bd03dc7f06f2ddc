import LibSodium

/// A request to a hardware realm: a Noise message inside CBOR.
package struct HardwareRequest: Sendable {
    package enum Content: Sendable {
        /// A handshake, which carries a request unless it only begins a session.
        case handshake(NoiseMessage, carriesRequest: Bool)
        case transport([UInt8])
    }

    package var realm: RealmID
    /// The token, ASCII.
    package var token: Secret
    package var sessionID: UInt32
    package var content: Content

    package func encoded() -> SecretBuffer {
        let writer = CBORWriter(capacity: 4096)
        writer.map(5)
        writer.text("realm")
        writer.bytes(realm.bytes)
        writer.text("auth_token")
        writer.text(utf8: token)
        writer.text("session_id")
        writer.number(sessionID)
        writer.text("kind")
        switch content {
        case .handshake(let message, let carriesRequest):
            writer.text(carriesRequest ? "SecretsRequest" : "HandshakeOnly")
            writer.text("encrypted")
            writer.map(1)
            writer.text("Handshake")
            writer.map(1)
            writer.text("handshake")
            writer.map(2)
            writer.text("client_ephemeral_public")
            writer.bytes(message.ephemeralKey)
            writer.text("payload_ciphertext")
            writer.bytes(message.payload)
        case .transport(let ciphertext):
            writer.text("SecretsRequest")
            writer.text("encrypted")
            writer.map(1)
            writer.text("Transport")
            writer.map(1)
            writer.text("ciphertext")
            writer.bytes(ciphertext)
        }
        return writer.buffer
    }

    package init(realm: RealmID, token: Secret, sessionID: UInt32, content: Content) {
        self.realm = realm
        self.token = token
        self.sessionID = sessionID
        self.content = content
    }

    /// Decodes a request, as a realm does.
    package init(decoding document: Secret) throws {
        let node = try CBORNode(decoding: document)
        realm = try RealmID(bytes: node.member("realm").bytes(RealmID.byteCount))
        guard let token = try node.member("auth_token").text, let kind = try node.member("kind").text else {
            throw CBORError()
        }
        self.token = try Secret(copying: Array(token.utf8))
        sessionID = try node.member("session_id").number()
        let isRequest = kind.utf8.elementsEqual("SecretsRequest".utf8)
        guard isRequest || kind.utf8.elementsEqual("HandshakeOnly".utf8) else { throw CBORError() }
        switch try node.member("encrypted").variant() {
        case ("Handshake", let payload?):
            let handshake = try payload.member("handshake")
            let message = NoiseMessage(
                ephemeralKey: try handshake.member("client_ephemeral_public").bytes(32),
                payload: try handshake.member("payload_ciphertext").bytes()
            )
            content = .handshake(message, carriesRequest: isRequest)
        case ("Transport", let payload?) where isRequest:
            content = .transport(try payload.member("ciphertext").bytes())
        default: throw CBORError()
        }
    }
}

/// The answer of a hardware realm.
package enum HardwareResponse: Sendable {
    case handshake(NoiseMessage, sessionLifetime: Duration)
    case transport([UInt8])
    /// A refusal by name, such as `MissingSession`.
    case refusal(String)

    package init(decoding document: Secret) throws {
        switch try CBORNode(decoding: document).variant() {
        case (let name, nil): self = .refusal(name)
        case ("Ok", let payload?):
            switch try payload.variant() {
            case ("Handshake", let payload?):
                let handshake = try payload.member("handshake")
                let message = NoiseMessage(
                    ephemeralKey: try handshake.member("server_ephemeral_public").bytes(32),
                    payload: try handshake.member("payload_ciphertext").bytes()
                )
                let lifetime = try payload.member("session_lifetime")
                let seconds = try lifetime.member("secs").number(UInt64.self)
                _ = try lifetime.member("nanos").number(UInt32.self)
                // A session ends with its operation, so a longer lifetime makes no difference.
                self = .handshake(message, sessionLifetime: .seconds(Int(min(seconds, 3600))))
            case ("Transport", let payload?):
                self = .transport(try payload.member("ciphertext").bytes())
            default: throw CBORError()
            }
        default: throw CBORError()
        }
    }

    package func encoded() -> SecretBuffer {
        let writer = CBORWriter()
        switch self {
        case .refusal(let name): writer.text(name)
        case .handshake(let message, let lifetime):
            writer.map(1)
            writer.text("Ok")
            writer.map(1)
            writer.text("Handshake")
            writer.map(2)
            writer.text("handshake")
            writer.map(2)
            writer.text("server_ephemeral_public")
            writer.bytes(message.ephemeralKey)
            writer.text("payload_ciphertext")
            writer.bytes(message.payload)
            writer.text("session_lifetime")
            writer.map(2)
            writer.text("secs")
            writer.number(UInt64(clamping: lifetime.components.seconds))
            writer.text("nanos")
            writer.number(0 as UInt32)
        case .transport(let ciphertext):
            writer.map(1)
            writer.text("Ok")
            writer.map(1)
            writer.text("Transport")
            writer.map(1)
            writer.text("ciphertext")
            writer.bytes(ciphertext)
        }
        return writer.buffer
    }
}

/// Pads the answers inside Noise to one length, so that the length does not reveal which answer it is.
package enum PaddedAnswer {
    /// The length of a padded answer: 436 bytes.
    package static let byteCount = 436

    /// Removes the padding.
    package static func unpad(_ document: Secret) throws -> Secret {
        let node = try CBORNode(decoding: document)
        let length = try node.member("unpadded_length").number(UInt16.self)
        let padded = try node.member("padded_bytes").secret(byteCount)
        guard Int(length) <= byteCount else { throw CBORError() }
        return try padded.part(0..<Int(length))
    }

    /// Adds the padding.
    package static func pad(_ answer: SecretBuffer) throws -> SecretBuffer {
        guard answer.count <= byteCount else { throw CBORError() }
        let padded = SecretBuffer(capacity: byteCount)
        answer.withBytes { padded.append($0) }
        padded.append(repeating: 0, count: byteCount - answer.count)
        let writer = CBORWriter()
        writer.map(2)
        writer.text("unpadded_length")
        writer.number(UInt16(answer.count))
        writer.text("padded_bytes")
        writer.bytes(try padded.secret())
        return writer.buffer
    }
}
