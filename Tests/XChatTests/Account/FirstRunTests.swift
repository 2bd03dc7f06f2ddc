import Foundation
import LibSodium
import Synchronization
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatHTTP
import XChatSandbox

import class GRDB.DatabaseQueue

@testable import XChat

/// First runs that are killed at any step, or whose answers are lost, lead to exactly one registered version.
@Suite(.timeLimit(.minutes(2)))
struct FirstRunTests {
    @Test("a first run killed before or after any commit ends with one version", arguments: 0..<4, [true, false])
    func killed(commit: Int, before: Bool) async throws {
        try await AccountFixture.run { fixture in
            let plan = FirstRun(folder: fixture.scratch.path, url: fixture.url.absoluteString)
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [plan = plan as FirstRun, commit = commit as Int, before = before as Bool] in
                try await plan.run(killedAt: commit, before: before)
                // If there are fewer commits, the run ends by itself, and this ends the process.
                kill(getpid(), SIGKILL)
            }
            let account = try await fixture.open("1111")
            #expect(try await account.client.publicKeys(of: "1111").count == 1)
            await account.close()
        }
    }

    @Test("registrations whose answers are lost end with one version", arguments: 1...6)
    func lostAnswers(seed: Int) async throws {
        try await AccountFixture.run(faults: "drop=0.6,seed=\(seed)") { fixture in
            var account: Account?
            for _ in 0..<30 where account == nil { account = try? await fixture.open("1111") }
            let opened = try #require(account)
            var served: [RegisteredKey]?
            for _ in 0..<30 where served == nil { served = try? await opened.client.publicKeys(of: "1111") }
            #expect(served?.count == 1)
            #expect(served?.first?.publicKeyVersion == (try opened.ownKey().version))
            await opened.close()
        }
    }

    @Test func `two processes that start at the same time register once`() async throws {
        try await AccountFixture.run { fixture in
            let accounts = try await withThrowingTaskGroup(of: Account.self) { group in
                for _ in 0..<4 { group.addTask { try await fixture.open("1111") } }
                var accounts: [Account] = []
                for try await account in group { accounts.append(account) }
                return accounts
            }
            #expect(try await accounts[0].client.publicKeys(of: "1111").count == 1)
            #expect(try Set(accounts.map { try $0.ownKey().version }).count == 1)
            for account in accounts { await account.close() }
        }
    }

    @Test func `a file that another process is creating is created, not refused as empty`() async throws {
        try await AccountFixture.run { fixture in
            // The file that SQLite has written after the journal mode was set, before the first commit.
            let queue = try DatabaseQueue(path: fixture.scratch.file("1111.db"))
            try await queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = WAL") }
            try queue.close()
            let account = try await fixture.open("1111")
            #expect(try await account.client.publicKeys(of: "1111").count == 1)
            await account.close()
        }
    }
}

/// The work of a process that is killed.
private struct FirstRun: Codable, Sendable {
    let folder: String
    let url: String

    func run(killedAt commit: Int, before: Bool) async throws {
        var configuration = Account.Configuration(.accountFile(folder + "/1111.db")) { _ in
            try SecretBytes(copying: Array("correct horse".utf8).span)
        }
        configuration.user = "1111"
        configuration.api = url
        configuration.token = TokenSource(try Token("sandbox-1111"))
        configuration.suite = .sodium
        configuration.passwordLimits = .minimum
        configuration.location = .store(
            HookedStore.killing(try await configuration.store(), commit: commit, before: before)
        )
        _ = try await Account.open(configuration)
    }
}

/// A store that runs a function before and after each commit.
final class HookedStore: AccountStore {
    typealias Hook = @Sendable (_ batch: RecordBatch, _ isDone: Bool) throws(AccountError) -> Void

    private let store: any AccountStore
    private let hook: Hook

    init(_ store: any AccountStore, _ hook: @escaping Hook) {
        self.store = store
        self.hook = hook
    }

    /// A store that ends the process at one of its commits.
    static func killing(_ store: any AccountStore, commit: Int, before: Bool) -> HookedStore {
        let count = Mutex(0)
        return HookedStore(store) { _, isDone in
            let number = count.withLock { count in
                defer { if isDone { count += 1 } }
                return count
            }
            if number == commit, isDone != before { kill(getpid(), SIGKILL) }
        }
    }

    func records(_ keys: [RecordKey]) async throws(AccountError) -> [RecordKey: Record] {
        try await store.records(keys)
    }

    func list(_ kind: RecordKey.Kind, after position: [UInt8]?, limit: Int) async throws(AccountError) -> RecordPage {
        try await store.list(kind, after: position, limit: limit)
    }

    func commit(_ batch: RecordBatch) async throws(AccountError) -> [RecordKey: UInt64] {
        try hook(batch, false)
        let revisions = try await store.commit(batch)
        try hook(batch, true)
        return revisions
    }

    func lease(_ name: String) async throws(AccountError) -> (any StoreLease)? { try await store.lease(name) }

    // MARK: The outbox, which a first run does not use

    var queueChanges: QueueChanges { store.queueChanges }

    func openOutbox(of user: UserID, api: String) async throws(AccountError) {
        try await store.openOutbox(of: user, api: api)
    }

    func dueMessages(
        at now: Date,
        limit: Int,
        total: Int,
        excluding excluded: Set<QueuePosition.Queue>
    ) async throws(AccountError) -> DueMessages {
        try await store.dueMessages(at: now, limit: limit, total: total, excluding: excluded)
    }

    func queuedMessages(
        after position: QueuePosition,
        limit: Int
    ) async throws(AccountError) -> [QueuedMessage] {
        try await store.queuedMessages(after: position, limit: limit)
    }

    func settle(_ outcomes: [MessageOutcome], at now: Date) async throws(AccountError) {
        try await store.settle(outcomes, at: now)
    }

    func retry(
        _ messageID: MessageID,
        allowing readers: Set<UserID>,
        at now: Date
    ) async throws(AccountError) {
        try await store.retry(messageID, allowing: readers, at: now)
    }

    func drop(_ messageID: MessageID, at now: Date) async throws(AccountError) {
        try await store.drop(messageID, at: now)
    }

    func entry(_ messageID: MessageID) async throws(AccountError) -> OutboxEntry? {
        try await store.entry(messageID)
    }

    func entries(in states: Set<OutboxEntry.State>) async throws(AccountError) -> [OutboxEntry] {
        try await store.entries(in: states)
    }

    func queuedCount() async throws(AccountError) -> Int { try await store.queuedCount() }

    func forgetMessages(finishedBefore time: Date) async throws(AccountError) {
        try await store.forgetMessages(finishedBefore: time)
    }
}
