import Foundation
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatHTTP
import XChatSandbox

@testable import XChat

/// An outbox whose process ended before it received the answer to a message.
@Suite(.timeLimit(.minutes(1)))
struct OutboxRepeatTests {
    @Test(
        "a known id is answered as the option says, and the outbox sends once, however wrong the local clock is",
        arguments: ["first", "400", "stale"],
        [0, 2, -2, 24 * 365]
    )
    func repeats(_ kind: String, hoursAhead: Double) async throws {
        let folder = try ScratchFolder()
        try await Sandbox(faults: try SandboxFaults("repeat=" + kind)).serving { url in
            var alice = try await User("1111", .sodium, url)
            let bob = try await User("2222", .sodium, url)
            let conversation = try await alice.start(with: bob)
            let message = try alice.session.seal(.text("once"), in: conversation)
            let sent = try await alice.client.send(message)
            func again() async -> APIError? {
                do throws(APIError) {
                    #expect(try await alice.client.send(message) == sent)
                    return nil
                } catch {
                    return error
                }
            }
            #expect(await again()?.status == (kind == "400" ? 400 : nil))
            _ = try await alice.start(with: bob)
            let refusal = await again()
            #expect(refusal?.status == (kind == "400" ? 400 : kind == "stale" ? 201 : nil))
            #expect(refusal?.failure == (kind == "stale" ? .nonLatestCkeyVersion : nil))

            // The outbox of a process that ended before the answer.
            var outbox = try await folder.outbox(api: url.absoluteString)
            outbox.clock = { Date().addingTimeInterval(hoursAhead * 3600) }
            try await outbox.enqueue(message)
            let session = alice.session
            try await outbox.drain(client: alice.client) { _ in session }
            #expect(try await outbox.entry(message.messageID)?.state == .sent)
            #expect(try await outbox.entry(message.messageID)?.sequenceID == sent.sequenceID)
            let history = try await alice.client.history(in: ConversationTarget(conversation))
            #expect(history.events.count == 1)
        }
    }
}
