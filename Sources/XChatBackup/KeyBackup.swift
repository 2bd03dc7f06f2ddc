import Dispatch
import LibSodium

/// The client of a user's key backup.
///
/// The secret is encrypted with a key that depends on the PIN and on a value that is split among several servers, the
/// realms. A PIN is easy to guess, so the realms count each recovery before they answer: after a limited number of
/// wrong PINs in a row, the backup is locked for good. A value of this type keeps no connection and may be shared.
public struct KeyBackup: Sendable {
    /// The longest times that an operation waits.
    package struct Timing: Sendable {
        /// For the answers to one round of requests, including retries.
        package var round: Duration = .seconds(15)
        /// For the remaining realms once enough of them have answered.
        package var stragglers: Duration = .seconds(2)

        package init() {}

        package init(round: Duration, stragglers: Duration) {
            self.round = round
            self.stragglers = stragglers
        }
    }

    let configuration: BackupConfiguration
    private let transport: RealmTransport
    private let timing: Timing

    /// Creates a client.
    ///
    /// - Parameters:
    ///   - configuration: The realms that hold the backup, and its rules.
    ///   - pins: The pins that were stored after the first use; nil for the first use.
    /// - Throws: ``BackupError`` with `realms_changed` if the configuration differs from `pins`.
    public init(_ configuration: BackupConfiguration, pins: RealmPins? = nil) throws(BackupError) {
        try self.init(configuration, pins: pins, timing: Timing(), transport: HTTPRealmTransport.send)
    }

    package init(
        _ configuration: BackupConfiguration,
        pins: RealmPins? = nil,
        timing: Timing,
        transport: @escaping RealmTransport
    ) throws(BackupError) {
        if let pins, pins != configuration.pins {
            throw BackupError(
                .realmsChanged,
                "the realms or public keys in the backup configuration differ from the pinned ones "
                    + "(\(configuration.pins.changes(from: pins))); nothing was sent; continue without the pins only if the "
                    + "change is expected"
            )
        }
        self.configuration = configuration
        self.timing = timing
        self.transport = transport
    }

    /// Clients of the realms for one operation, by the index of their shares.
    var clients: [Int: RealmClient] {
        let clients = configuration.realms.map { RealmClient($0, transport: transport) }
        return Dictionary(uniqueKeysWithValues: zip(1..., clients))
    }

    /// Checks a new PIN, as X's clients do: at least four bytes, not one byte repeated, no run of digits.
    ///
    /// - Parameter pin: The PIN in UTF-8.
    /// - Throws: ``BackupError`` with `weak_pin`.
    public static func check(newPIN pin: Span<UInt8>) throws(BackupError) {
        guard pin.count >= 4 else { throw BackupError(.weakPIN, "the PIN must have at least 4 bytes") }
        let steps = (1..<pin.count).map { Int(pin[$0]) - Int(pin[$0 - 1]) }
        if steps.allSatisfy({ $0 == 0 }) {
            throw BackupError(.weakPIN, "the PIN must not be one character repeated")
        }
        let areDigits = pin.indices.allSatisfy { (0x30...0x39).contains(pin[$0]) }
        if areDigits, steps.allSatisfy({ $0 == 1 }) || steps.allSatisfy({ $0 == -1 }) {
            throw BackupError(.weakPIN, "the PIN must not be a run of consecutive digits")
        }
    }

    // MARK: Rounds

    typealias Answers = [Int: Result<SecretsResponse, RealmFailure>]

    /// Asks several realms at once.
    ///
    /// - Parameters:
    ///   - clients: The realms by index.
    ///   - isEnough: Whether the operation can continue with these answers; it then waits only `stragglers` for the
    ///     other realms.
    ///   - request: The request to the realm of an index.
    /// - Returns: An answer for each of `clients`; for a realm that did not answer in time, the failure `silent`.
    /// - Throws: `CancellationError`.
    func ask(
        _ clients: [Int: RealmClient],
        until isEnough: (Answers) -> Bool,
        _ request: (Int) throws -> SecretsRequest
    ) async throws -> Answers {
        enum Step: Sendable {
            case answer(Int, Result<SecretsResponse, RealmFailure>)
            case time
        }
        let requests = try clients.map { (index: $0.key, client: $0.value, request: try request($0.key)) }
        let timing = timing
        return try await withThrowingTaskGroup(of: Step.self) { group in
            for (index, client, request) in requests {
                group.addTask { .answer(index, await client.ask(request)) }
            }
            group.addTask {
                try await Task.sleep(for: timing.round)
                return .time
            }
            var answers: Answers = [:]
            var isEnding = false
            defer { group.cancelAll() }
            while answers.count < clients.count, let step = try await group.next() {
                guard case .answer(let index, let answer) = step else { break }
                answers[index] = answer
                if !isEnding, isEnough(answers) {
                    isEnding = true
                    group.addTask {
                        try await Task.sleep(for: timing.stragglers)
                        return .time
                    }
                }
            }
            try Task.checkCancellation()
            for index in clients.keys where answers[index] == nil {
                answers[index] = .failure(.silent)
            }
            return answers
        }
    }

    /// Returns the error of a round in which too many realms failed.
    ///
    /// - Parameter failures: The failures by index of the realm.
    /// - Returns: The error; it depends only on the failures, not on the order in which they occurred.
    func error(_ failures: [Int: RealmFailure]) -> BackupError {
        let worst = failures.values.min { $0.severity.rank < $1.severity.rank } ?? .silent
        let listed = failures.sorted { $0.key < $1.key }
        var detail = listed.prefix(3).map { "realm \(name($0.key)) \($0.value.description)" }.joined(separator: "; ")
        if listed.count > 3 { detail += "; and \(listed.count - 3) more" }
        return BackupError(
            worst.severity.code,
            "\(listed.count) of \(configuration.realms.count) realms failed: \(detail)"
        )
    }

    private func name(_ index: Int) -> String {
        configuration.realms.indices.contains(index - 1) ? configuration.realms[index - 1].id.description : "?"
    }
}

extension KeyBackup.Answers {
    var failures: [Int: RealmFailure] {
        compactMapValues { if case .failure(let failure) = $0 { failure } else { nil } }
    }

    /// The failures of realms that hold no part of a backup, or none any more.
    var lost: [RealmFailure] {
        failures.values.filter { $0 == .notRegistered || $0 == .noGuesses }
    }
}

/// Hashes a PIN outside of Swift's cooperative thread pool, because it takes a third of a second.
func hash(_ pin: Secret, version: [UInt8], hashing: PINHashing) async throws -> PINHash {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async {
            continuation.resume(with: Result { try PINHash(pin: pin, version: version, hashing: hashing) })
        }
    }
}
