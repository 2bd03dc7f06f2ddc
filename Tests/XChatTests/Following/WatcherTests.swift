import Foundation
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatHTTP
import XChatSandbox

@testable import XChat

/// When the watcher relies on the activity stream: after any doubt it reads the list of conversations.
@Suite(.timeLimit(.minutes(2)))
struct WatcherTests {
    /// Long enough to fail a test that waits for it.
    private static let hour = Duration.seconds(3600)

    @Test func `a message whose line on the stream is unreadable still arrives at once`() async throws {
        try await AccountFixture.run(faults: "garble=1") { fixture in
            let alice = try await fixture.open("1111")
            var configuration = try fixture.configuration("2222", app: true)
            configuration.pollInterval = Self.hour
            let bob = try await Account.open(configuration)
            let conversation = try await alice.startConversation(with: "2222")
            var problems = bob.problems.makeAsyncIterator()
            let messages = bob.messages().makeAsyncIterator()
            let start = ContinuousClock.now
            for text in ["one", "two", "three"] {
                try await alice.send(text, to: conversation)
                #expect(try await messages.next()?.text == text)
            }
            #expect(ContinuousClock.now - start < .seconds(40), "without a doubt it takes a minute each")
            #expect(await problems.next()?.code == APIError.Code.malformedResponse.rawValue)
            await alice.close()
            await bob.close()
        }
    }

    @Test func `a doubt about the stream ends the wait, even one from before the wait`() async {
        let trust = StreamTrust()
        await trust.set(isConnected: true)
        let known = await trust.doubts
        await trust.doubt()
        await trust.wait(for: Self.hour, whileConnected: Self.hour, unlessAfter: known)
        let doubts = await trust.doubts
        async let wait: Void = trust.wait(for: Self.hour, whileConnected: Self.hour, unlessAfter: doubts)
        try? await Task.sleep(for: .milliseconds(20))
        await trust.doubt()
        await wait
    }

    @Test func `the beginning and the end of a connection are doubts`() async {
        let trust = StreamTrust()
        #expect(await trust.doubts == 0)
        await trust.set(isConnected: false)
        #expect(await trust.doubts == 0, "there was no connection")
        await trust.set(isConnected: true)
        #expect(await trust.doubts == 1)
        await trust.set(isConnected: true)
        #expect(await trust.doubts == 2, "another connection")
        await trust.set(isConnected: false)
        #expect(await trust.doubts == 3)
    }

    @Test func `the interval depends on the connection, and a cancelled task does not wait`() async {
        let trust = StreamTrust()
        await trust.wait(for: .milliseconds(1), whileConnected: Self.hour, unlessAfter: 0)
        await trust.set(isConnected: true)
        await trust.wait(for: Self.hour, whileConnected: .milliseconds(1), unlessAfter: 1)
        let task = Task { await trust.wait(for: Self.hour, whileConnected: Self.hour, unlessAfter: 1) }
        try? await Task.sleep(for: .milliseconds(20))
        task.cancel()
        await task.value
    }

    // MARK: Where an event belongs

    private func event(_ payload: String, of user: String = "2222") throws -> ActivityEvent {
        let text = #"{"data":{"event_type":"chat.received","filter":{"user_id":"\#(user)"},"payload":{\#(payload)}}}"#
        return try ActivityEvent(webhookBody: Array(text.utf8))
    }

    @Test(
        "an event without a valid conversation is a doubt, and one of another user is not",
        arguments: [
            (#""encoded_event":"not base64","conversation_id":"1111:2222""#, "2222", "1111:2222"),
            (#""conversation_id":"1111-2222""#, "2222", "1111:2222"),
            (#""conversation_id":"g7""#, "2222", "g7"),
            (#""conversation_id":"1111","sender_id":"2222""#, "2222", "1111:2222"),
            (#""conversation_id":"1111:3333""#, "2222", "elsewhere"),
            (#""encoded_event":"not base64""#, "2222", nil), ("", "2222", nil),
            (#""conversation_id":7"#, "2222", nil), (#""conversation_id":"x""#, "2222", nil),
            (#""encoded_event":"not base64""#, "3333", "elsewhere"),
        ] as [(String, String, String?)]
    )
    func place(_ payload: String, _ user: String, _ expected: String?) throws {
        switch try event(payload, of: user).location(for: "2222") {
        case .conversation(let conversation): #expect(conversation.string == expected)
        case .elsewhere: #expect(expected == "elsewhere")
        case .unknown: #expect(expected == nil)
        }
    }
}
