import Foundation
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatSandbox

@testable import XChatHTTP

/// A message from encryption to decryption, over HTTP and the sandbox, in both cipher suites.
@Suite(.timeLimit(.minutes(1)))
struct EndToEndTests {
    @Test("one user's message reaches and decrypts for the other", arguments: [SuiteName.xchat, .sodium])
    func wholeWay(_ suite: SuiteName) async throws {
        let sandbox = Sandbox()
        try await sandbox.serving { url in
            var alice = try await User("1111", suite, url)
            var bob = try await User("2222", suite, url)
            let conversation = try await alice.start(with: bob)
            let target = try ConversationTarget(conversation)

            var sent: [SentMessage] = []
            for text in ["hello", "", "مرحبا 👋🏽\u{0}"] {
                sent.append(try await alice.send(text, in: conversation))
            }
            #expect(sent.map(\.conversationID) == [conversation, conversation, conversation])
            let sequenceIDs = sent.compactMap(\.sequenceID.number)
            #expect(sequenceIDs == sequenceIDs.sorted() && Set(sequenceIDs).count == 3)
            #expect(sequenceIDs.allSatisfy { $0 > 2_070_276_095_283_454_002 })

            let history = try await bob.client.history(in: target)
            #expect(history.keyEvents.count == 1)
            #expect(history.events.map(\.id) == sent.map(\.sequenceID.string))
            try bob.session.pin(try await bob.client.publicKeys(of: "1111"), of: "1111")
            #expect(try bob.open(history) == ["hello", "", "مرحبا 👋🏽\u{0}"])

            // The server sees no plaintext, only the event.
            let stored = try await sandbox.storedEvents(in: conversation)
            #expect(stored.count == 4)
            #expect(!stored.contains { String(decoding: $0.encoded(), as: UTF8.self).contains("hello") })
            #expect(stored.last.map { Base64.encode($0.encoded()) } == history.events.last?.encodedEvent)
        }
    }

    @Test func `the three forms of a target address the same conversation`() async throws {
        try await Sandbox().serving { url in
            var alice = try await User("1111", .xchat, url)
            let bob = try await User("2222", .xchat, url)
            let conversation = try await alice.start(with: bob)
            for form in ["2222", "1111-2222", "2222-1111", "1111:2222"] {
                let message = try alice.session.seal(.text(form), in: conversation)
                let sent = try await alice.client.send(
                    message,
                    to: ConversationTarget(WireString(form)),
                    conversationToken: "any"
                )
                #expect(sent.conversationID == conversation)
            }
            let message = try alice.session.seal(.text("x"), in: conversation)
            for form in ["3333", "1111-3333", "g1"] {
                let target = try ConversationTarget(WireString(form))
                #expect(await thrownCode { _ = try await alice.client.send(message, to: target) } == .invalidArgument)
            }
        }
    }

    @Test func `sending a message twice returns the same event`() async throws {
        try await Sandbox().serving { url in
            var alice = try await User("1111", .xchat, url)
            let bob = try await User("2222", .xchat, url)
            let conversation = try await alice.start(with: bob)
            let message = try alice.session.seal(.text("once"), in: conversation)
            let first = try await alice.client.send(message)
            #expect(try await alice.client.send(message) == first)
            #expect(try await alice.client.history(in: ConversationTarget(conversation)).events.count == 1)
        }
    }

    @Test func `a history of many pages is complete and in order`() async throws {
        try await Sandbox().serving { url in
            var alice = try await User("1111", .sodium, url)
            let bob = try await User("2222", .sodium, url)
            let conversation = try await alice.start(with: bob)
            for number in 0..<250 {
                _ = try await alice.send("\(number)", in: conversation)
                if number == 120 { _ = try await alice.start(with: bob) }
            }
            let target = try ConversationTarget(conversation)
            let page = try await alice.client.events(in: target, maxResults: 7)
            #expect(page.events.count == 7 && page.nextToken != nil && page.keyEvents.count == 2)
            let history = try await alice.client.history(in: target)
            #expect(history.keyEvents.count == 2)
            #expect(try alice.open(history) == (0..<250).map { "\($0)" })
        }
    }

    @Test func `a message under an old key is answered with failure type 6`() async throws {
        try await Sandbox().serving { url in
            var alice = try await User("1111", .xchat, url)
            let bob = try await User("2222", .xchat, url)
            let conversation = try await alice.start(with: bob)
            let stale = try alice.session.seal(.text("late"), in: conversation)
            _ = try await alice.start(with: bob)
            do throws(APIError) {
                _ = try await alice.client.send(stale)
                Issue.record("the stale message was taken")
            } catch {
                #expect(error.code == .failureEvent)
                #expect(error.failure == .nonLatestCkeyVersion)
                #expect(error.status == 201)
                #expect(error.description.contains("NON_LATEST_CKEY_VERSION (6)"))
            }
        }
    }

    @Test func `an unregistered user and a conversation without keys are not found`() async throws {
        try await Sandbox().serving { url in
            let alice = try await User("1111", .xchat, url)
            #expect(await thrownCode { _ = try await alice.client.publicKeys(of: "9") } == .notFound)
            #expect(await thrownCode { _ = try await alice.client.history(in: ConversationTarget("9")) } == .notFound)
            let stranger = try ChatClient(api: url.absoluteString, token: Token("sandbox-x"))
            #expect(await thrownCode { _ = try await stranger.publicKeys(of: "1111") } == .unauthorized)
            let app = try ChatClient(api: url.absoluteString, token: Token("sandbox-app"))
            #expect(await thrownCode { _ = try await app.publicKeys(of: "1111") } == .forbidden)
        }
    }
}
