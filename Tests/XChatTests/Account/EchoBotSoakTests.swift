import Foundation
import Synchronization
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatHTTP
import XChatSandbox

@testable import XChat

/// An echo bot that is killed repeatedly, with a failing server, answers every message once and in order.
///
/// `XCHAT_SOAK_MESSAGES=10000 XCHAT_SOAK_KILLS=20` is the long form. `XCHAT_ECHOBOT` names the built program of
/// `Examples/`: `script/soak` and `script/examples` run this suite.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["XCHAT_ECHOBOT"] != nil))
struct EchoBotSoakTests {
    @Test(.timeLimit(.minutes(60)))
    func `a bot that is killed answers every message once and in order`() async throws {
        let total = Self.number("XCHAT_SOAK_MESSAGES") ?? 60
        let kills = Self.number("XCHAT_SOAK_KILLS") ?? 3
        let peers = min(20, total / 10)
        var faults = SandboxFaults()
        faults.drop = 0.02
        faults.http500 = 0.02
        let fixture = try Scratch()
        let start = ContinuousClock.now
        let report = try await Sandbox(faults: faults).serving { url in
            try await Self.soak(fixture, url, total: total / peers * peers, peers: peers, kills: kills)
        }
        print("soak: echo bot: \(report), \((ContinuousClock.now - start).components.seconds) s")
    }

    private static func number(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }

    private static func soak(
        _ scratch: Scratch,
        _ url: URL,
        total: Int,
        peers: Int,
        kills: Int
    ) async throws -> String {
        let fixture = AccountFixture(scratch: scratch, url: url)
        let bot = BotProcess(path: scratch.file("1.db"), url: url.absoluteString)
        // The bot's keys are registered before the other users start conversations with it.
        try await insist { await (try await fixture.open("1")).close() }
        let echoes = Echoes()
        let share = total / peers
        let accounts = try await withThrowingTaskGroup(of: Account.self) { group in
            for number in 0..<peers {
                group.addTask {
                    let account = try await insist { try await fixture.open(UserID("\(2000 + number)")) }
                    let conversation = try await insist { try await account.startConversation(with: "1") }
                    for index in 0..<share { try await account.enqueue(.text("\(index)"), to: conversation) }
                    return account
                }
            }
            var accounts: [Account] = []
            for try await account in group { accounts.append(account) }
            return accounts
        }
        let readers = accounts.map { account in
            Task {
                for try await message in account.messages() where !message.isOwn {
                    echoes.add(account.userID, message.text ?? "")
                }
            }
        }
        for kill in 0..<kills {
            let goal = total * (kill + 1) / (kills + 1)
            try await bot.runUntilKilled { echoes.count >= goal }
        }
        try await bot.run { echoes.count >= total }
        // Leaves time for a superfluous answer.
        try await Task.sleep(for: .seconds(2))
        for reader in readers { reader.cancel() }
        var (once, twice, disordered) = (0, 0, 0)
        for account in accounts {
            let numbers = echoes.texts(account.userID).map { text in
                text.hasPrefix("echo: ") ? Int(text.dropFirst(6)) ?? -1 : -1
            }
            let counts = Dictionary(numbers.map { ($0, 1) }, uniquingKeysWith: +)
            once += (0..<share).count { counts[$0] == 1 }
            twice += counts.values.count { $0 > 1 }
            disordered += zip(numbers, numbers.dropFirst()).count { $0 >= $1 }
        }
        for account in accounts { await account.close() }
        let never = total - once - twice
        #expect(once == total)
        #expect(twice == 0 && never == 0 && disordered == 0)
        return "\(total) messages from \(peers) peers, \(kills) SIGKILLs: answered once \(once), twice \(twice), never "
            + "\(never), out of order \(disordered)"
    }
}

/// Repeats a call until the faulty server answers.
private func insist<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
    for _ in 0..<50 {
        if let value = try? await body() { return value }
    }
    return try await body()
}

/// The echo bot in a separate process.
private struct BotProcess {
    let path: String
    let url: String

    /// Runs the bot until a condition holds, then kills it with SIGKILL.
    func runUntilKilled(_ isReached: () -> Bool) async throws {
        let process = try start()
        while !isReached(), process.isRunning { try await Task.sleep(for: .milliseconds(20)) }
        #expect(process.isRunning, "the bot ended by itself")
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Runs the bot until a condition holds, and starts it again when an error ends it.
    func run(_ isReached: () -> Bool) async throws {
        while !isReached() {
            let process = try start()
            while !isReached(), process.isRunning { try await Task.sleep(for: .milliseconds(20)) }
            process.terminate()
            process.waitUntilExit()
        }
    }

    private func start() throws -> Process {
        let program = try #require(
            ProcessInfo.processInfo.environment["XCHAT_ECHOBOT"],
            "XCHAT_ECHOBOT names the echo bot of Examples/, which script/soak builds"
        )
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.environment = [
            "XCHAT_ACCOUNT": path, "XCHAT_PASSPHRASE": "correct horse", "XCHAT_API_URL": url,
            "XCHAT_TOKEN": "sandbox-1",
            "XCHAT_APP_TOKEN": "sandbox-app", "PATH": "/usr/bin:/bin",
        ]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        return process
    }
}

/// The answers, by the user who received them.
private final class Echoes: Sendable {
    private let entries = Mutex<[UserID: [String]]>([:])

    func add(_ user: UserID, _ text: String) { entries.withLock { $0[user, default: []].append(text) } }

    var count: Int { entries.withLock { $0.values.reduce(0) { $0 + $1.count } } }

    func texts(_ user: UserID) -> [String] { entries.withLock { $0[user] ?? [] } }
}
