import Foundation
import Testing
import XChatEngine
import XChatEvents

@testable import XChat

/// The guarantees of a session file together with its database.
@Suite(.timeLimit(.minutes(2)))
struct SessionFileStoreTests {
    @Test func `two processes with one session file lose nothing, and a refused batch changes neither part`()
        async throws
    {
        let place = try await SessionFilePlace()
        let rounds = 25
        async let first: Void = run("3", place.path, rounds)
        async let second: Void = run("4", place.path, rounds)
        _ = await (first, second)
        let store = try await SessionFileStore.open(place.path, api: "https://api.x.com")
        let counter = RecordKey.consumer("counter")
        #expect(try await store.records([counter])[counter]?.bytes == [UInt8(2 * rounds)])
        let users = try await store.list(.user, after: nil, limit: 1000).keys
        #expect(users.count == 2 * rounds)
    }

    private func run(_ name: String, _ path: String, _ rounds: Int) async {
        await #expect(processExitsWith: .success) {
            [name = name as String, path = path as String, rounds = rounds as Int] in
            try await SessionFileRace(name: name, path: path).run(rounds)
        }
    }

    @Test func `a batch that the database refuses does not touch the file`() async throws {
        let place = try await SessionFilePlace()
        let store = try await place.open()
        let counter = RecordKey.consumer("counter")
        let revision = try #require(try await store.commit(place.batch(counter, 0, expecting: 0))[counter])
        let before = try Data(contentsOf: URL(filePath: place.path))
        for expected in [0, revision + 1] {
            var batch = try place.batch(.user("3333"), 0, expecting: 0)
            batch.expected[counter] = expected
            #expect(await code { try await store.commit(batch) } == .conflict)
            batch.writes[counter] = [1]
            #expect(await code { try await store.commit(batch) } == .conflict)
        }
        #expect(try Data(contentsOf: URL(filePath: place.path)) == before)
        // And the other way around.
        var batch = try place.batch(counter, 1, expecting: revision)
        batch.expected[.user("3333")] = 1
        batch.writes[.user("3333")] = try place.value(.user("3333"), 0)
        #expect(await code { try await store.commit(batch) } == .conflict)
        #expect(try await store.records([counter])[counter]?.revision == revision)
    }
}

/// A process that increments a number in the database, and each time adds a user to the file.
struct SessionFileRace {
    let name: String
    let path: String

    func run(_ rounds: Int) async throws {
        let store = try await SessionFileStore.open(path, api: "https://api.x.com")
        let keys = try PrivateKeys.generate(.sodium)
        let counter = RecordKey.consumer("counter")
        for round in 0..<rounds {
            let user = UserID("\(name)00\(round)")
            var session = try Session(userID: "1111", privateKeys: nil, signingKeyVersion: nil)
            session.trust([try keys.verifiedKey(userID: user, version: "1")])
            while true {
                let records = try await store.records([counter, .user(user)])
                // A batch that was refused wrote nothing to the file.
                guard records[.user(user)] == nil else { throw AccountError(.conflict, "half of a batch was written") }
                var batch = RecordBatch()
                batch.expected = [counter: records[counter]?.revision ?? 0, .user(user): 0]
                batch.writes[counter] = [(records[counter]?.bytes.first ?? 0) + 1]
                batch.writes[.user(user)] = session.state(of: user)?.encoded()
                do {
                    try await store.commit(batch)
                    break
                } catch {
                    guard error.code == .conflict else { throw error }
                }
            }
        }
    }
}
