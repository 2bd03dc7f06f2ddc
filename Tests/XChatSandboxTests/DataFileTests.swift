import Foundation
import Testing
import XChatEngine
import XChatEvents

@testable import XChatSandbox

/// A sandbox whose data are in a file.
@Suite(.timeLimit(.minutes(1)))
struct DataFileTests {
    private func inFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sandbox-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    @Test func `what was stored is there after a restart, for its owner alone`() async throws {
        try await inFolder { folder in
            let path = folder.appending(path: "data").path
            let conversation = ConversationID.oneToOne("1111", "2222")
            let first = Sandbox(data: path)
            try await Router.test(first) { router in
                var alice = try await Member("1111", at: router)
                let bob = try await Member("2222", at: router)
                try await alice.start(with: bob, at: router)
                let body = Member.body(of: try alice.seal("x", to: bob))
                _ = try await router.ask(.post, "/2/chat/conversations/2222/messages", user: "1111", json: body)
                for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
                    let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/" + name)
                    #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
                }
            }
            let events = try await first.storedEvents(in: conversation)
            let second = Sandbox(data: path)
            #expect(try await second.storedEvents(in: conversation) == events)
            #expect(events.count == 2)
            try await Router.test(second) { router in
                let keys = try await router.ask(.get, "/2/users/1111/public_keys", user: "2222")
                #expect((try keys.json["data"] as? [Any])?.count == 1)
                // Sequence ids after the restart are greater than those before it.
                let group = try await router.ask(.post, "/2/chat/conversations/group/initialize", user: "1111")
                let id = try #require(try group.data["conversation_id"] as? String)
                let last = try #require(events.last?.sequenceID?.number)
                #expect(try #require(WireString(String(id.dropFirst())).number) > last)
            }
        }
    }

    @Test func `what is no data file is an error that names it, and stays as it is`() async throws {
        try await inFolder { folder in
            let text = folder.appending(path: "text")
            try Data("this is no database, whatever its name says, and must not be written to".utf8).write(
                to: text
            )
            for path in [text.path, folder.path, folder.appending(path: "none/data").path] {
                let error = await #expect(throws: (any Error).self) { try await Sandbox(data: path).serving { _ in } }
                #expect(error.map { "\($0)".contains(path) } == true)
            }
            #expect(try String(contentsOf: text, encoding: .utf8).hasPrefix("this is no database"))
        }
    }
}
