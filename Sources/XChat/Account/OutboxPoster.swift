import Logging
import Synchronization
import XChatEngine
import XChatEvents
import XChatHTTP

/// Posts the messages in the outbox of an account, without keeping the account alive.
final class OutboxPoster: Sendable {
    private let configuration: Account.Configuration
    private let outbox: Outbox
    private let client: ChatClient
    private let isOpen = Mutex(false)
    private let state = Mutex<(any Error)?>(nil)
    /// Receives the problems of the account.
    let problems = Broadcast<Problem>()

    init(_ configuration: Account.Configuration, _ outbox: Outbox, _ client: ChatClient) {
        self.configuration = configuration
        self.client = client
        self.outbox = outbox
    }

    /// The error that prevents all posting at present; nil if messages can be posted.
    var failure: (any Error)? { state.withLock { $0 } }

    func report(_ problem: Problem) {
        problems.send(problem)
        configuration.logger?.warning("problem", metadata: ["code": "\(problem.code)"])
    }

    /// Binds the outbox to the user and the API, before its first use.
    func open() async throws {
        guard !isOpen.withLock({ $0 }) else { return }
        let api = try ChatClient.base(of: configuration.api)
        _ = try await Outbox(opening: outbox.store, userID: outbox.userID, api: api)
        isOpen.withLock { $0 = true }
    }

    /// Posts until the task is cancelled.
    ///
    /// - Parameter session: As for ``Outbox/run(client:session:)``.
    func run(session: @escaping @Sendable (ConversationID) async throws -> Session) async {
        var outbox = outbox
        outbox.deadLetters = { [weak self] entry in self?.report(Problem(deadLetter: entry)) }
        while !Task.isCancelled {
            do {
                state.withLock { $0 = nil }
                try await open()
                return try await outbox.run(client: client, session: session)
            } catch is CancellationError {
                return
            } catch {
                state.withLock { $0 = error }
                // Wakes the calls that wait for a message, so that they see the failure.
                outbox.settlements.report()
                if let error = error as? APIError {
                    report(Problem(error))
                } else {
                    report(Problem((error as? AccountError)?.code.rawValue ?? "outbox", "\(error)", isFinal: false))
                }
                try? await Task.sleep(for: .seconds(5))
            }
        }
    }
}
