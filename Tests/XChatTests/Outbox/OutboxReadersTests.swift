import Foundation
import Synchronization
import Testing
import XChatEngine
import XChatEvents

@testable import XChat
@testable import XChatHTTP

/// Which users may read a message that is encrypted again.
@Suite(.timeLimit(.minutes(1)))
struct OutboxReadersTests {
    private static let group = GroupSealer.group
    private let folder: ScratchFolder
    private let sealer: GroupSealer
    private let outbox: Outbox
    /// A server that refuses every message under the first key.
    private let server = ToyServer()

    init() async throws {
        folder = try ScratchFolder()
        sealer = try GroupSealer()
        outbox = try await folder.outbox()
        server.rotate(Self.group)
    }

    private func drain(_ members: Set<UserID>?) async throws {
        try await outbox.drain(client: server) { _ in try sealer.renewed(members) }
    }

    private func drain(throwing error: any Error & Sendable) async throws {
        try await outbox.drain(client: server) { _ in throw error }
    }

    private func entry(_ message: SealedMessage) async throws -> OutboxEntry {
        try #require(try await outbox.entry(message.messageID))
    }

    private func posts(of message: SealedMessage) -> Int {
        server.state.withLock { $0.postsOfMessage[message.messageID, default: 0] }
    }

    private var storedVersions: [KeyVersion?] {
        server.state.withLock { $0.stored[Self.group] ?? [] }.map { event in
            guard case .messageCreateEvent(let create) = event.detail else { return nil }
            return create.conversationKeyVersion
        }
    }

    @Test func `a message that would get a new reader is held, and the entry says who`() async throws {
        let message = try sealer.seal("x")
        try await outbox.enqueue(message)
        try await drain(["1111", "2222", "3333"])
        let entry = try await entry(message)
        #expect(entry.state == .deadLetter)
        #expect(entry.isHeld)
        #expect(entry.code == "members_changed")
        #expect(entry.reason?.hasPrefix("members_changed: ") == true)
        #expect(entry.readers == ["1111", "2222"])
        #expect(try entry.newReaders(in: sealer.renewed(["1111", "3333", "4444"])) == ["3333", "4444"])
        #expect(try entry.newReaders(in: sealer.renewed(nil)) == nil)
        #expect(storedVersions.isEmpty)
    }

    @Test("without new readers a message is encrypted again automatically", arguments: [["1111", "2222"], ["1111"]])
    func subset(_ members: Set<UserID>) async throws {
        let message = try sealer.seal("x")
        try await outbox.enqueue(message)
        try await drain(members)
        let entry = try await entry(message)
        #expect(entry.state == .sent)
        #expect(entry.readers == members)
        #expect(storedVersions == ["1002"])
    }

    @Test func `a held message goes to the readers who were allowed, and never again under the old key`() async throws {
        let message = try sealer.seal("x")
        try await outbox.enqueue(message)
        try await drain(["1111", "2222", "3333"])
        try await outbox.retry(message.messageID, allowing: ["3333"])
        try await drain(["1111", "2222", "3333"])
        #expect(posts(of: message) == 1)
        #expect(storedVersions == ["1002"])
        #expect(try await entry(message).state == .sent)
        #expect(try await entry(message).readers == ["1111", "2222", "3333"])
    }

    @Test func `a user who joins after the readers were named is not one of them`() async throws {
        let message = try sealer.seal("x")
        try await outbox.enqueue(message)
        try await drain(["1111", "2222", "3333"])
        try await outbox.retry(message.messageID, allowing: ["3333"])
        try await drain(["1111", "2222", "3333", "4444"])
        let entry = try await entry(message)
        #expect(entry.isHeld)
        #expect(entry.readers == ["1111", "2222", "3333"])
        #expect(try entry.newReaders(in: sealer.renewed(["1111", "3333", "4444"])) == ["4444"])
        #expect(posts(of: message) == 1)
        #expect(storedVersions.isEmpty)
    }

    @Test func `a held message that is retried without new readers is held again, and not posted`() async throws {
        let message = try sealer.seal("x")
        try await outbox.enqueue(message)
        try await drain(["1111", "2222", "3333"])
        // The server accepts the old key, and must not receive the message under it.
        server.rotate(Self.group, to: "1001")
        try await outbox.retry(message.messageID)
        try await drain(["1111", "2222", "3333"])
        #expect(try await entry(message).isHeld)
        #expect(posts(of: message) == 1)
        #expect(storedVersions.isEmpty)
    }

    @Test func `later messages of the conversation do not wait for a held one`() async throws {
        let held = try sealer.seal("held")
        let later = try sealer.renewed(["1111", "2222", "3333"]).seal(.text("later"), in: Self.group)
        try await outbox.enqueue([held, later])
        try await drain(["1111", "2222", "3333"])
        #expect(try await entry(held).isHeld)
        #expect(try await entry(later).state == .sent)
    }

    @Test func `a message whose readers are not known is held, and all other members are new readers`() async throws {
        let sealed = try sealer.seal("x")
        let message = try SealedMessage(
            messageID: sealed.messageID,
            senderID: "1111",
            conversationID: Self.group,
            encodedMessageCreateEvent: sealed.encodedMessageCreateEvent,
            encodedMessageEventSignature: sealed.encodedMessageEventSignature
        )
        try await outbox.enqueue(message)
        let members: Set<UserID> = ["1111", "2222", "3333"]
        try await drain(members)
        #expect(try await entry(message).isHeld)
        #expect(try await entry(message).readers == nil)
        let new = try #require(try await entry(message).newReaders(in: sealer.renewed(members)))
        #expect(new == ["2222", "3333"])
        try await outbox.retry(message.messageID, allowing: new)
        try await drain(members)
        #expect(try await entry(message).state == .sent)
    }

    @Test func `the policy of a library can send to new readers without a question`() async throws {
        var outbox = outbox
        outbox.policy.newReaders = .send
        let message = try sealer.seal("x")
        try await outbox.enqueue(message)
        try await outbox.drain(client: server) { _ in try sealer.renewed(["1111", "3333"]) }
        #expect(try await entry(message).state == .sent)
        #expect(storedVersions == ["1002"])
    }

    @Test(
        "a message that cannot be encrypted for its group is a dead letter, and retried only on request",
        arguments: [
            XChatError.Code.rotationNeeded, .membershipUnjudged, .membershipUnproven, .disputedKey, .notAParticipant,
        ]
    )
    func blocked(_ code: XChatError.Code) async throws {
        let message = try sealer.seal("x")
        try await outbox.enqueue(message)
        try await drain(throwing: XChatError(code, "why"))
        #expect(try await entry(message).state == .deadLetter)
        #expect(try await entry(message).reason == "\(code.rawValue): why")
        #expect(try await !entry(message).isHeld)
        try await outbox.retry(message.messageID)
        try await drain(["1111", "2222"])
        #expect(try await entry(message).state == .sent)
        #expect(posts(of: message) == 1)
    }

    @Test func `a message that the server stored is not held`() async throws {
        let message = try sealer.seal("x")
        server.rotate(Self.group, to: "1001")
        _ = try await server.post(message)
        server.rotate(Self.group)
        try await outbox.enqueue(message)
        try await drain(["1111", "3333"])
        #expect(try await entry(message).state == .sent)
        #expect(try await entry(message).messageID == message.messageID)
    }

    @Test func `a message that the server stored is settled as sent, even if encrypting fails`() async throws {
        let message = try sealer.seal("x")
        server.rotate(Self.group, to: "1001")
        _ = try await server.post(message)
        server.rotate(Self.group)
        try await outbox.enqueue(message)
        try await drain(throwing: XChatError(.rotationNeeded, "why"))
        #expect(try await entry(message).state == .sent)
    }

    // MARK: The file

    @Test("a list of readers is kept", arguments: [0, 1, 2, 10_000])
    func list(_ count: Int) throws {
        let readers = Set((0..<count).map { UserID("\(UInt64(9_000_000_000_000_000_000) + UInt64($0))") })
        let text = try ReaderList.text(readers)
        #expect(text.utf8.count == max(0, count * 20 - 1))
        #expect(try ReaderList.readers(text) == readers)
    }

    @Test("a list with an invalid id is not written", arguments: ["", "12345678901234567890", "x", "1 2", "-1", "١"])
    func refusedID(_ id: String) async {
        #expect(await code { _ = try ReaderList.text([UserID(id)]) } == .invalidReaders)
    }

    @Test func `more readers than a group has members are not written`() async {
        let readers = Set((0...10_000).map { UserID("\($0)") })
        #expect(await code { _ = try ReaderList.text(readers) } == .invalidReaders)
    }

    @Test(
        "a malformed list of readers is refused",
        arguments: [
            " ", "1 ", " 1", "1  2", "1 1", "x", "1,2", "1\n2", "+1", "12345678901234567890", "1\u{0}",
            String(repeating: "1 ", count: 200_000), (0...10_000).map(String.init).joined(separator: " "),
        ]
    )
    func strict(_ text: String) async {
        #expect(await code { _ = try ReaderList.readers(text) } == .damaged)
    }
}
