import LibSodium

/// Sends the requests of one operation to one realm, one after the other.
///
/// The client retries after temporary failures. It sends a request that spends a guess again only if the realm cannot
/// have processed it; otherwise one recovery could spend several guesses.
actor RealmClient {
    /// The maximum number of times that a request is sent.
    private static let attempts = 3

    private struct Session {
        let id: UInt32
        var transport: NoiseTransport
        let lifetime: Duration
        var lastUse: ContinuousClock.Instant
    }

    nonisolated let realm: Realm
    private let transport: RealmTransport
    private var session: Session?

    init(_ realm: Realm, transport: @escaping RealmTransport) {
        self.realm = realm
        self.transport = transport
    }

    func ask(_ request: SecretsRequest) async -> Result<SecretsResponse, RealmFailure> {
        var attempt = 1
        while true {
            let failure: RealmFailure
            do {
                return .success(try await send(request))
            } catch let error as RealmFailure {
                failure = error
            } catch {
                // The answer cannot be decoded, or was not made with the realm's key.
                failure = .violation("sent an answer that breaks the protocol")
            }
            session = nil
            let mayRepeat =
                switch failure {
                case .notProcessed, .missingSession: true
                case .unclear: request.isRepeatable
                default: false
                }
            guard mayRepeat, attempt < Self.attempts, !Task.isCancelled else { return .failure(failure) }
            try? await Task.sleep(for: .milliseconds(50 * attempt * attempt))
            attempt += 1
        }
    }

    private func send(_ request: SecretsRequest) async throws -> SecretsResponse {
        guard let token = realm.token else { throw RealmFailure.noToken }
        let answer: Secret
        if let key = realm.publicKey {
            answer = try await sendToHardware(request, token: token, key: key)
        } else {
            let body = try request.encoded().secret()
            let reply = try await transport(RealmRequest(realm: realm, bearer: token, body: body))
            // The status is checked first, because a proxy in front of the realm answers with a body of its own.
            if let failure = Self.failure(status: reply.status) { throw failure }
            answer = reply.body
        }
        switch try SecretsResponse(decoding: answer, to: request) {
        case .notRegistered: throw RealmFailure.notRegistered
        case .noGuesses: throw RealmFailure.noGuesses
        case .versionMismatch: throw RealmFailure.versionMismatch
        case .wrongTag(let remaining): throw RealmFailure.wrongTag(guessesRemaining: Int(remaining))
        case let response: return response
        }
    }

    // MARK: Hardware realms

    private func sendToHardware(_ request: SecretsRequest, token: Secret, key: [UInt8]) async throws -> Secret {
        if let session, session.lastUse + session.lifetime <= .now { self.session = nil }
        if session == nil, request.mayRideInHandshake {
            return try PaddedAnswer.unpad(try await handshake(request.encoded(), true, token: token, key: key))
        }
        let isFresh = session == nil
        if isFresh {
            do {
                _ = try await handshake(SecretBuffer(capacity: 0), false, token: token, key: key)
            } catch RealmFailure.unclear(let reason) {
                // The request itself has not been sent yet.
                throw RealmFailure.notProcessed(reason)
            }
        }
        guard var session else { throw RealmFailure.missingSession }
        let ciphertext = try session.transport.encrypt(request.encoded())
        self.session = nil
        do {
            guard case .transport(let box) = try await exchange(.transport(ciphertext), session.id, token: token) else {
                throw RealmFailure.violation("sent an answer that breaks the protocol")
            }
            let answer = try PaddedAnswer.unpad(session.transport.decrypt(box))
            session.lastUse = .now
            self.session = session
            return answer
        } catch RealmFailure.missingSession where isFresh {
            throw RealmFailure.violation("forgot a session that it had just begun")
        }
    }

    /// Begins a session; `payload` is a request or empty.
    private func handshake(
        _ payload: SecretBuffer,
        _ carriesRequest: Bool,
        token: Secret,
        key: [UInt8]
    ) async throws -> Secret {
        var noise = try NoiseClient(payload, serverPublicKey: key)
        let id = UInt32.random(in: .min ... .max)
        let content = HardwareRequest.Content.handshake(noise.message, carriesRequest: carriesRequest)
        guard case .handshake(let message, let lifetime) = try await exchange(content, id, token: token) else {
            throw RealmFailure.violation("sent an answer that breaks the protocol")
        }
        let (answer, transport) = try noise.finish(message)
        session = Session(id: id, transport: transport, lifetime: lifetime, lastUse: .now)
        return answer
    }

    private func exchange(
        _ content: HardwareRequest.Content,
        _ sessionID: UInt32,
        token: Secret
    ) async throws -> HardwareResponse {
        let request = HardwareRequest(realm: realm.id, token: token, sessionID: sessionID, content: content)
        let body = try request.encoded().secret()
        let reply = try await transport(RealmRequest(realm: realm, bearer: nil, body: body))
        let response = try? HardwareResponse(decoding: reply.body)
        if case .refusal(let name) = response {
            switch name {
            case "MissingSession": throw RealmFailure.missingSession
            case "InvalidAuth": throw RealmFailure.unauthorized
            case "RateLimitExceeded": throw RealmFailure.rateLimited
            case "Unavailable": throw RealmFailure.unclear("is unavailable")
            case "SessionError", "DecodingError", "PayloadTooLarge":
                throw RealmFailure.violation("answered \(name) to a well-formed request")
            default: throw RealmFailure.violation("sent an answer that breaks the protocol")
            }
        }
        if let failure = Self.failure(status: reply.status) { throw failure }
        guard let response else { throw RealmFailure.violation("sent an answer that breaks the protocol") }
        return response
    }

    // MARK: Statuses

    /// The failure that a status means; nil for success.
    private static func failure(status: Int) -> RealmFailure? {
        switch status {
        case 200..<300: nil
        case 401, 403: .unauthorized
        case 426: .upgradeRequired
        case 429: .rateLimited
        case 300..<400: .notProcessed("redirects to another address, which is not followed")
        case 400..<500: .notProcessed("answered with status \(status)")
        // The realm may have counted the guess before it failed.
        default: .unclear("answered with status \(status)")
        }
    }
}
