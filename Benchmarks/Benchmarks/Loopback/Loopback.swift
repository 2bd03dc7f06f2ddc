import Benchmark
import Fixtures
import Foundation
import XChatEngine
import XChatEvents
import XChatHTTP
import XChatSandbox

/// Messages through the whole client, real HTTP and the sandbox, all in one process.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .cpuTotal, .throughput, .peakMemoryResident],
        maxDuration: .seconds(5),
        thresholds: [
            .wallClock: .init(relative: [.p90: 200]),
            .throughput: .init(relative: [.p90: 70]),
            .peakMemoryResident: .init(relative: [.p90: 50]),
        ]
    )
    for senders in [1, 16] {
        // A thousand messages, reported as one.
        Benchmark("send-by-\(senders)", configuration: .init(scalingFactor: .kilo)) { benchmark in
            let count = benchmark.configuration.scalingFactor.rawValue
            // Handed to the task that serves, and used by no other.
            nonisolated(unsafe) let benchmark = benchmark
            try await Sandbox().serving { url in
                let sender = try await Sender(url)
                benchmark.startMeasurement()
                try await withThrowingTaskGroup { group in
                    for number in 0..<senders {
                        group.addTask {
                            for _ in stride(from: number, to: count, by: senders) { try await sender.send() }
                        }
                    }
                    try await group.waitForAll()
                }
                benchmark.stopMeasurement()
            }
        }
    }
}

/// A registered user, in a conversation that has begun.
private struct Sender: Sendable {
    let client: ChatClient
    let session: Session

    init(_ url: URL) async throws {
        let bob = try await Self.register("2222", url)
        let alice = try await Self.register("1111", url)
        client = alice.client
        var session = try Session(userID: "1111", privateKeys: alice.keys, signingKeyVersion: alice.version)
        session.trust([try bob.keys.verifiedKey(userID: "2222", version: bob.version)])
        let change = try session.prepareKeyChange(in: People.conversation)
        _ = try await client.addKeys(change)
        try session.adopt(change)
        self.session = session
    }

    private static func register(
        _ user: UserID,
        _ url: URL
    ) async throws -> (client: ChatClient, keys: PrivateKeys, version: KeyVersion) {
        let client = try ChatClient(api: url.absoluteString, token: try Token("sandbox-\(user)"))
        let keys = try PrivateKeys.generate()
        return (client, keys, try await client.register(keys.registration(version: "1"), user: user))
    }

    func send() async throws {
        _ = try await client.send(try session.seal(.text(text(200)), in: People.conversation))
    }
}
