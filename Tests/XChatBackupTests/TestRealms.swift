import Foundation
import LibSodium
import Synchronization
import XChatSandbox

@testable import XChatBackup

/// What a test realm does with a request.
enum Deed: Sendable {
    /// Processes it and answers.
    case answer
    /// Processes it and answers with something else.
    case change(@Sendable (SecretsResponse) -> SecretsResponse)
    /// Processes it; the answer is lost.
    case loseAnswer
    /// Does not process it; the connection is refused.
    case refuseConnection
    /// Does not process it and answers with a status and bytes.
    case status(Int, [UInt8] = [])
    /// Never answers.
    case hang

    static func respond(_ response: SecretsResponse) -> Deed { .change { _ in response } }

    static func changeEvaluation(_ change: @escaping @Sendable (inout Evaluation) -> Void) -> Deed {
        .change { response in
            guard case .evaluation(var evaluation) = response else { return response }
            change(&evaluation)
            return .evaluation(evaluation)
        }
    }

    static func changeShare(_ change: @escaping @Sendable (inout ShareAnswer) -> Void) -> Deed {
        .change { response in
            guard case .share(var share) = response else { return response }
            change(&share)
            return .share(share)
        }
    }
}

/// One realm in this process, which does as its script says.
final class TestRealm: Sendable {
    typealias Script = @Sendable (_ request: SecretsRequest, _ time: Int) -> Deed

    struct State {
        var record = BackupRecord.notRegistered
        var script: Script = { _, _ in .answer }
        /// The names of the requests in order, those that were not processed too.
        var requests: [String] = []
        var forgottenSessions = 0
        var handshakes = 0
    }

    private struct Interruption: Error {
        let deed: Deed
    }

    /// What the realm's store has, too.
    private final class Shared: Sendable {
        let token: String
        let state = Mutex(State())

        init(token: String) {
            self.token = token
        }

        func store(_ token: String, _ request: SecretsRequest) throws -> SecretsResponse {
            guard token == self.token else { throw BackupRealm.UnknownToken() }
            return try state.withLock { state in
                let time = state.requests.count { $0 == request.name }
                state.requests.append(request.name)
                switch state.script(request, time) {
                case .answer: return try state.record.answer(to: request)
                case .change(let change): return change(try state.record.answer(to: request))
                case .loseAnswer:
                    _ = try state.record.answer(to: request)
                    throw Interruption(deed: .loseAnswer)
                case let deed: throw Interruption(deed: deed)
                }
            }
        }
    }

    let id: RealmID
    let isHardware: Bool
    let realm: BackupRealm
    private let shared: Shared

    init(_ number: UInt8, isHardware: Bool, lifetime: Duration = .seconds(5)) throws {
        id = try RealmID(bytes: [UInt8](repeating: number, count: 16))
        self.isHardware = isHardware
        let shared = Shared(token: "token-\(id)")
        self.shared = shared
        realm = BackupRealm(
            id: id,
            privateKey: isHardware ? try Secret.random(count: 32) : nil,
            sessionLifetime: lifetime
        ) { token, request in try shared.store(token, request) }
    }

    var token: String { shared.token }

    var record: BackupRecord {
        get { shared.state.withLock { $0.record } }
        set { shared.state.withLock { $0.record = newValue } }
    }

    var guessesUsed: Int? {
        guard case .registered(_, let used) = record else { return nil }
        return Int(used)
    }

    var handshakes: Int { shared.state.withLock { $0.handshakes } }

    var requests: [String] { shared.state.withLock { $0.requests } }

    func script(_ script: @escaping Script) { shared.state.withLock { $0.script = script } }

    func forgetRequests() { shared.state.withLock { $0.requests = [] } }

    /// Has a hardware realm forget the session before each of the next messages in one.
    func forgetSessions(_ count: Int) { shared.state.withLock { $0.forgottenSessions = count } }

    func send(_ request: RealmRequest) async throws -> RealmReply {
        if isHardware {
            switch try HardwareRequest(decoding: request.body).content {
            case .handshake: shared.state.withLock { $0.handshakes += 1 }
            case .transport:
                let isForgotten = shared.state.withLock { state in
                    state.forgottenSessions -= 1
                    return state.forgottenSessions >= 0
                }
                if isForgotten { realm.forgetSessions() }
            }
        }
        do {
            let token = request.bearer.map { String(decoding: $0.published, as: UTF8.self) }
            let (status, body) = try await realm.answer(request.body, token: token)
            return RealmReply(status: status, body: body)
        } catch let interruption as Interruption {
            switch interruption.deed {
            case .answer, .change: throw interruption
            case .loseAnswer: throw RealmFailure.unclear("did not answer")
            case .refuseConnection: throw RealmFailure.notProcessed("refuses connections")
            case .status(let status, let body): return RealmReply(status: status, body: try Secret(copying: body))
            case .hang:
                try await Task.sleep(for: .seconds(3600))
                throw interruption
            }
        }
    }
}

/// Several realms and a client of them.
struct TestRealms {
    let realms: [TestRealm]
    let backup: KeyBackup

    /// Makes realms: `s` is a software realm, `h` a hardware realm.
    init(
        _ kinds: String = "sss",
        register: Int? = nil,
        guesses: Int = 5,
        round: Duration = .seconds(5),
        stragglers: Duration = .milliseconds(100),
        lifetime: Duration = .seconds(5)
    ) throws {
        var made: [TestRealm] = []
        for (number, kind) in kinds.enumerated() {
            made.append(try TestRealm(UInt8(number + 1), isHardware: kind == "h", lifetime: lifetime))
        }
        let realms = made
        self.realms = realms
        let json = try Self.json(realms, register: register ?? realms.count, guesses: guesses)
        backup = try KeyBackup(
            BackupConfiguration(json: json),
            timing: .init(round: round, stragglers: stragglers)
        ) { request in
            guard let realm = realms.first(where: { $0.id == request.realm.id }) else {
                throw RealmFailure.notProcessed("is unknown")
            }
            return try await realm.send(request)
        }
    }

    static func json(_ realms: [TestRealm], register: Int, guesses: Int) throws -> [UInt8] {
        let inner: [String: Any] = [
            "realms": try realms.map { realm in
                var entry = ["id": realm.id.description, "address": "http://127.0.0.1:1/"]
                if let key = try realm.realm.publicKey { entry["public_key"] = Hexadecimal.encode(key) }
                return entry
            },
            "register_threshold": register, "recover_threshold": realms.count / 2 + 1,
            "pin_hashing_mode": "FastInsecure",
        ]
        let text = String(decoding: try JSONSerialization.data(withJSONObject: inner), as: UTF8.self)
        let outer: [String: Any] = [
            "sdk_config": text, "max_guess_count": guesses,
            "tokens": Dictionary(uniqueKeysWithValues: realms.map { ($0.id.description, $0.token) }),
        ]
        return Array(try JSONSerialization.data(withJSONObject: outer))
    }

    subscript(number: Int) -> TestRealm { realms[number] }

    /// Has the first `count` realms do something in answer to requests of a name.
    func have(_ count: Int = 1, from first: Int = 0, _ name: String, _ deed: @escaping @Sendable (Int) -> Deed) {
        for realm in realms[first..<first + count] {
            realm.script { request, time in request.name == name ? deed(time) : .answer }
        }
    }

    func haveAll(_ deed: Deed, _ count: Int, from first: Int = 0) {
        for realm in realms[first..<first + count] { realm.script { _, _ in deed } }
    }

    func reset() {
        for realm in realms {
            realm.script { _, _ in .answer }
            realm.forgetRequests()
        }
    }

    static let secret = [UInt8](1...64)

    @discardableResult
    func store(_ pin: String = "2580", _ secret: [UInt8] = secret) async throws -> BackupReceipt {
        try await backup.store(SecretBytes(copying: secret.span), pin: secretBytes(pin))
    }

    func recover(_ pin: String = "2580") async throws -> [UInt8] {
        [UInt8](try await backup.recover(pin: secretBytes(pin)))
    }

    func recoverError(_ pin: String = "2580") async -> BackupError? {
        do {
            _ = try await recover(pin)
            return nil
        } catch {
            return error as? BackupError
        }
    }

    func storeError(_ pin: String = "2580") async -> BackupError? {
        do {
            try await store(pin)
            return nil
        } catch {
            return error as? BackupError
        }
    }
}
