import LibSodium
import Synchronization
package import XChatBackup

/// A realm of the key backup: it takes the bytes of a request and returns the bytes of the answer.
package final class BackupRealm: Sendable {
    /// Applies a request to the record of the user to whom a token belongs.
    ///
    /// - Throws: ``UnknownToken``; `CBORError` for a request with invalid values.
    package typealias Store = @Sendable (_ token: String, SecretsRequest) async throws -> SecretsResponse

    /// The token does not belong to this realm.
    package struct UnknownToken: Error {
        package init() {}
    }

    private struct Session {
        var transport: NoiseTransport
        let end: ContinuousClock.Instant
    }

    package let id: RealmID
    /// The X25519 private key of a hardware realm, 32 bytes; nil for a software realm.
    private let privateKey: Secret?
    private let sessionLifetime: Duration
    private let store: Store
    private let sessions = Mutex<[UInt32: Session]>([:])

    /// How much longer a session is kept than the answer states: a client measures the time from when the answer
    /// arrives.
    private static let leeway: Duration = .seconds(2)
    /// The most sessions that are kept; a new session replaces the one that ends first.
    private static let maximumSessions = 1000

    package init(
        id: RealmID,
        privateKey: Secret?,
        sessionLifetime: Duration = .seconds(5),
        store: @escaping Store
    ) {
        self.id = id
        self.privateKey = privateKey
        self.sessionLifetime = sessionLifetime
        self.store = store
    }

    /// The X25519 public key of a hardware realm, 32 bytes, which its configuration names; nil for a software realm.
    package var publicKey: [UInt8]? {
        get throws {
            try privateKey?.withBytes { (key) throws(SodiumError) in try ScalarMult.multiplyBase(by: key) }
        }
    }

    /// Answers a request.
    ///
    /// - Parameters:
    ///   - body: The body, at most 2,048 bytes.
    ///   - token: The token of the header, for a software realm.
    /// - Returns: The status and the body of the answer.
    /// - Throws: An error of the store other than ``UnknownToken`` and `CBORError`.
    package func answer(_ body: Secret, token: String?) async throws -> (status: Int, body: Secret) {
        let empty = try Secret(copying: [])
        if let privateKey {
            do {
                guard body.count <= 2048 else { return (413, try Self.refusal("PayloadTooLarge")) }
                let response = try await hardwareAnswer(HardwareRequest(decoding: body), privateKey)
                return (200, try response.encoded().secret())
            } catch is UnknownToken {
                return (401, try Self.refusal("InvalidAuth"))
            } catch is MissingSession {
                return (400, try Self.refusal("MissingSession"))
            } catch is SodiumError {
                return (400, try Self.refusal("SessionError"))
            } catch is CBORError {
                return (400, try Self.refusal("DecodingError"))
            }
        }
        do {
            guard body.count <= 2048 else { return (413, empty) }
            guard let token else { return (401, empty) }
            let request = try SecretsRequest(decoding: CBORNode(decoding: body))
            return (200, try await store(token, request).encoded(to: request).secret())
        } catch is UnknownToken {
            return (401, empty)
        } catch is CBORError {
            return (400, empty)
        }
    }

    private static func refusal(_ name: String) throws -> Secret {
        try HardwareResponse.refusal(name).encoded().secret()
    }

    private struct MissingSession: Error {}

    private func hardwareAnswer(_ request: HardwareRequest, _ privateKey: Secret) async throws -> HardwareResponse {
        guard request.realm == id else { throw UnknownToken() }
        let token = request.token.withBytes { bytes in
            var text: [UInt8] = []
            for index in bytes.indices { text.append(bytes[index]) }
            return String(decoding: text, as: UTF8.self)
        }
        switch request.content {
        case .handshake(let message, let carriesRequest):
            var noise = try NoiseServer(message, privateKey: privateKey)
            let answer =
                carriesRequest
                ? try await paddedAnswer(noise.payload, token: token, inHandshake: true) : SecretBuffer(capacity: 0)
            let (reply, transport) = try noise.answer(answer)
            keep(Session(transport: transport, end: .now + sessionLifetime + Self.leeway), request.sessionID)
            return .handshake(reply, sessionLifetime: sessionLifetime)
        case .transport(let ciphertext):
            // The session is removed while a request uses it, so that only one request uses it at a time.
            guard var session = sessions.withLock({ $0.removeValue(forKey: request.sessionID) }),
                session.end > .now
            else { throw MissingSession() }
            let payload = try session.transport.decrypt(ciphertext)
            let answer = try await paddedAnswer(payload, token: token, inHandshake: false)
            let box = try session.transport.encrypt(answer)
            keep(Session(transport: session.transport, end: .now + sessionLifetime + Self.leeway), request.sessionID)
            return .transport(box)
        }
    }

    private func paddedAnswer(_ payload: Secret, token: String, inHandshake: Bool) async throws -> SecretBuffer {
        let request = try SecretsRequest(decoding: CBORNode(decoding: payload))
        guard !inHandshake || request.mayRideInHandshake else { throw CBORError() }
        return try PaddedAnswer.pad(try await store(token, request).encoded(to: request))
    }

    private func keep(_ session: Session, _ id: UInt32) {
        sessions.withLock { sessions in
            if sessions.count >= Self.maximumSessions {
                let first = sessions.min { $0.value.end < $1.value.end }
                if let first { sessions[first.key] = nil }
            }
            sessions[id] = session
        }
    }

    /// Removes all sessions, as a restart of the realm does.
    package func forgetSessions() {
        sessions.withLock { $0.removeAll() }
    }
}
