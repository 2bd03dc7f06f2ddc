import Foundation
import LibSodium
import Synchronization
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatHTTP
import XChatSandbox

@testable import XChat

/// Accounts of several users at a sandbox, in a folder that is deleted after the test.
struct AccountFixture {
    let scratch: Scratch
    let url: URL

    /// Runs a test with its own sandbox.
    static func run(
        faults: String? = nil,
        _ body: @escaping @Sendable (AccountFixture) async throws -> Void
    ) async throws {
        let scratch = try Scratch()
        let sandbox = Sandbox(faults: try faults.map { try SandboxFaults($0) } ?? SandboxFaults())
        try await sandbox.serving { url in try await body(AccountFixture(scratch: scratch, url: url)) }
    }

    /// The configuration of a user's account file.
    func configuration(_ user: UserID, app: Bool = false) throws -> Account.Configuration {
        var configuration = Account.Configuration(.accountFile(scratch.file("\(user).db"))) { _ in
            try SecretBytes(copying: Array("correct horse".utf8).span)
        }
        configuration.user = user
        configuration.api = url.absoluteString
        configuration.token = TokenSource(try Token("sandbox-\(user)"))
        if app { configuration.appToken = try Token("sandbox-app") }
        configuration.suite = .sodium
        configuration.pollInterval = .milliseconds(50)
        configuration.passwordLimits = .minimum
        return configuration
    }

    func open(_ user: UserID, app: Bool = false) async throws -> Account {
        try await Account.open(try configuration(user, app: app))
    }

    /// The texts of a conversation's messages on the server, oldest first, as a user's account reads them.
    func texts(_ account: Account, _ conversation: ConversationID) async throws -> [String] {
        try await account.history(of: conversation).compactMap { $0.message?.text }
    }
}

@Suite(.timeLimit(.minutes(2)))
struct AccountTests {
    private let conversation = ConversationID.oneToOne("1111", "2222")

    @Test func `a first run registers once, and a second one finds the same keys`() async throws {
        try await AccountFixture.run { fixture in
            let first = try await fixture.open("1111")
            let version = try first.ownKey().version
            await first.close()
            let second = try await fixture.open("1111")
            #expect(try second.ownKey().version == version)
            #expect(try await second.client.publicKeys(of: "1111").count == 1)
            await second.close()
        }
    }

    @Test func `keys that the server has already are not replaced unless the caller says so`() async throws {
        try await AccountFixture.run { fixture in
            _ = try await User("1111", .sodium, fixture.url)
            let error = await #expect(throws: AccountError.self) { _ = try await fixture.open("1111") }
            #expect(error?.code == .keysExist)
            var configuration = try fixture.configuration("1111")
            configuration.replacesKeys = true
            let account = try await Account.open(configuration)
            #expect(try await account.client.publicKeys(of: "1111").count == 2)
            await account.close()
        }
    }

    @Test func `restored keys are used under the version of the server, and replace no other keys`() async throws {
        try await AccountFixture.run { fixture in
            let configuration = try fixture.configuration("1111")
            let client = try ChatClient(api: fixture.url.absoluteString, token: Token("sandbox-1111"))
            let keys = try PrivateKeys.generate(.sodium)
            let version = try await client.register(keys.registration(version: "1"), user: "1111")
            try await Account.restore(keys, version: version, of: "1111", configuration)
            let account = try await Account.open(configuration)
            #expect(try account.ownKey().version == version)
            #expect(try await client.publicKeys(of: "1111").count == 1)
            await account.close()
            let other = try PrivateKeys.generate(.sodium)
            let error = await #expect(throws: AccountError.self) {
                try await Account.restore(other, version: version, of: "1111", configuration)
            }
            #expect(error?.code == .exists)
            let wrongUser = await #expect(throws: AccountError.self) {
                try await Account.restore(keys, version: version, of: "2222", configuration)
            }
            #expect(wrongUser?.code == .invalidArgument)
        }
    }

    @Test func `with the token of another user no key is registered`() async throws {
        try await AccountFixture.run { fixture in
            var configuration = try fixture.configuration("1111")
            configuration.token = TokenSource(try Token("sandbox-2222"))
            let error = await #expect(throws: APIError.self) { _ = try await Account.open(configuration) }
            #expect(error?.code == .wrongUser)
            let client = try ChatClient(api: fixture.url.absoluteString, token: Token("sandbox-2222"))
            for user in ["1111", "2222"] as [UserID] {
                #expect(await thrownCode { _ = try await client.publicKeys(of: user) } == .notFound)
            }
        }
    }

    @Test func `an account of another user is refused`() async throws {
        try await AccountFixture.run { fixture in
            await (try await fixture.open("1111")).close()
            var configuration = try fixture.configuration("1111")
            configuration.user = "2222"
            let error = await #expect(throws: AccountError.self) { _ = try await Account.open(configuration) }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test("messages arrive in order, with a stream and without one", arguments: [true, false])
    func messages(app: Bool) async throws {
        try await AccountFixture.run { fixture in
            let alice = try await fixture.open("1111", app: app)
            let bob = try await fixture.open("2222", app: app)
            let conversation = try await alice.startConversation(with: "2222")
            let reader = Task {
                var texts: [String] = []
                for try await message in bob.messages() {
                    #expect(message.sender == "1111" && !message.isOwn && message.conversation == conversation)
                    texts.append(message.text ?? "")
                    if texts.count == 20 { break }
                }
                return texts
            }
            for number in 0..<20 { try await alice.send("\(number)", to: conversation) }
            #expect(try await reader.value == (0..<20).map(String.init))
            await alice.close()
            await bob.close()
        }
    }

    @Test func `a message is handled when the next one is requested, and its reply is sent once`() async throws {
        try await AccountFixture.run { fixture in
            let alice = try await fixture.open("1111")
            let conversation: ConversationID
            do {
                let bob = try await fixture.open("2222")
                conversation = try await alice.startConversation(with: "2222")
                for text in ["a", "b", "c"] { try await alice.send(text, to: conversation) }
                var seen: [String] = []
                for try await message in bob.messages() {
                    seen.append(message.text ?? "")
                    try await message.reply("first answer to \(message.text ?? "")")
                    // The process ends here, before "b" is handled.
                    if seen.count == 2 { break }
                }
                #expect(seen == ["a", "b"])
                await bob.close()
            }
            let bob = try await fixture.open("2222")
            var seen: [String] = []
            for try await message in bob.messages() where !message.isOwn {
                seen.append(message.text ?? "")
                let receipt = try await message.reply("second answer to \(message.text ?? "")")
                #expect(receipt.sequenceID != nil)
                if seen.count == 2 { break }
            }
            #expect(seen == ["b", "c"])
            let texts = try await fixture.texts(alice, conversation)
            #expect(
                texts == ["a", "b", "c", "first answer to a", "first answer to b", "second answer to c"]
            )
            await alice.close()
            await bob.close()
        }
    }

    @Test func `a reply of another kind under the id of an earlier reply is refused`() async throws {
        try await AccountFixture.run { fixture in
            let alice = try await fixture.open("1111")
            let bob = try await fixture.open("2222")
            let conversation = try await alice.startConversation(with: "2222")
            try await alice.send("a", to: conversation)
            let messages = bob.messages().makeAsyncIterator()
            let message = try #require(try await messages.next())
            let receipt = try await message.reply("once", id: "greeting")
            #expect(try await message.reply("twice", id: "greeting").messageID == receipt.messageID)
            let error = await #expect(throws: AccountError.self) { try await message.react("👍", id: "greeting") }
            #expect(error?.code == .invalidArgument)
            #expect(try await fixture.texts(alice, conversation) == ["a", "once"])
            await alice.close()
            await bob.close()
        }
    }

    @Test func `a refused reply throws once, and stays refused when its message is delivered again`() async throws {
        let scratch = try Scratch()
        let data = scratch.file("server")
        try await Sandbox(data: data).serving { url in
            let fixture = AccountFixture(scratch: scratch, url: url)
            let bob = try await fixture.open("2222")
            let alice = try await fixture.open("1111")
            try await alice.send("a", to: try await alice.startConversation(with: "2222"))
            await alice.close()
            await bob.close()
        }
        try await Sandbox(data: data, faults: try SandboxFaults("failure-event=3")).serving { url in
            let fixture = AccountFixture(scratch: scratch, url: url)
            let first = try await fixture.open("2222")
            var problems = first.problems.makeAsyncIterator()
            let message = try #require(try await first.messages().makeAsyncIterator().next())
            let error = await #expect(throws: AccountError.self) { try await message.reply("b") }
            #expect(error?.code == .refused)
            var problem = await problems.next()
            while let other = problem, other.code != Problem.deadLetter { problem = await problems.next() }
            #expect(problem?.messageID != nil)
            await first.close()

            let second = try await fixture.open("2222")
            let again = try #require(try await second.messages().makeAsyncIterator().next())
            let receipt = try await again.reply("b")
            guard case .refused = receipt.outcome else {
                Issue.record("the outcome is \(receipt.outcome)")
                return
            }
            #expect(receipt.messageID == problem?.messageID)
            await second.close()
        }
    }

    @Test func `a dead letter can be listed, sent again and discarded`() async throws {
        let scratch = try Scratch()
        let data = scratch.file("server")
        // The outbox is bound to the server's address.
        let port = try await Sandbox(data: data).serving { url in
            let fixture = AccountFixture(scratch: scratch, url: url)
            await (try await fixture.open("2222")).close()
            let alice = try await fixture.open("1111")
            _ = try await alice.startConversation(with: "2222")
            await alice.close()
            return url.port ?? 0
        }
        try await Sandbox(port: port, data: data, faults: try SandboxFaults("failure-event=3")).serving { url in
            let fixture = AccountFixture(scratch: scratch, url: url)
            let alice = try await fixture.open("1111")
            for text in ["again", "never"] {
                await #expect(throws: AccountError.self) { try await alice.send(text, to: self.conversation) }
            }
            let unsent = try await alice.unsentMessages()
            #expect(unsent.map(\.state) == [.deadLetter, .deadLetter])
            #expect(unsent.allSatisfy { $0.conversationID == conversation && $0.reason != nil && !$0.isHeld })
            await alice.close()
        }
        try await Sandbox(port: port, data: data).serving { url in
            let fixture = AccountFixture(scratch: scratch, url: url)
            let alice = try await fixture.open("1111")
            let ids = try await alice.unsentMessages().map(\.messageID)
            try await alice.discardMessage(ids[1])
            try await alice.retryMessage(ids[0])
            while let receipt = try await alice.receipt(ids[0]), receipt.outcome == .queued {
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(try await alice.unsentMessages().isEmpty)
            #expect(try await fixture.texts(alice, conversation) == ["again"])
            for id in [ids[1], "unknown"] {
                await #expect(throws: AccountError.self) { try await alice.retryMessage(id) }
                await #expect(throws: AccountError.self) { try await alice.discardMessage(id) }
            }
            await alice.close()
        }
    }

    @Test func `a service that is cancelled closes its account`() async throws {
        try await AccountFixture.run { fixture in
            let account = try await fixture.open("1111")
            let waiting = Task {
                var count = 0
                for try await _ in account.messages() { count += 1 }
                return count
            }
            let service = Task { try await account.run() }
            try await Task.sleep(for: .milliseconds(100))
            service.cancel()
            try await service.value
            #expect(try await waiting.value == 0)
        }
    }

    @Test func `a second follower of the same name is refused, and one of another name has its own position`()
        async throws
    {
        try await AccountFixture.run { fixture in
            let alice = try await fixture.open("1111")
            let bob = try await fixture.open("2222")
            let conversation = try await alice.startConversation(with: "2222")
            for text in ["a", "b"] { try await alice.send(text, to: conversation) }
            let first = bob.messages().makeAsyncIterator()
            #expect(try await first.next()?.text == "a")
            let second = bob.messages().makeAsyncIterator()
            let error = await #expect(throws: AccountError.self) { _ = try await second.next() }
            #expect(error?.code == .alreadyFollowing)
            let other = bob.messages(consumer: "other").makeAsyncIterator()
            #expect(try await other.next()?.text == "a")
            #expect(try await other.next()?.text == "b")
            #expect(try await first.next()?.text == "b")
            await alice.close()
            await bob.close()
        }
    }

    @Test func `conversations are handled in parallel, each in order`() async throws {
        try await AccountFixture.run { fixture in
            let bot = try await fixture.open("1")
            let peers = ["2", "3", "4", "5"] as [UserID]
            var accounts: [Account] = []
            for peer in peers {
                let account = try await fixture.open(peer)
                let conversation = try await account.startConversation(with: "1")
                for number in 0..<10 { try await account.enqueue(.text("\(number)"), to: conversation) }
                accounts.append(account)
            }
            let log = Log()
            let follower = Task {
                try await bot.messages(inParallel: 3) { message in
                    log.add(message.sender, message.text ?? "")
                }
            }
            while log.count < 40 { try await Task.sleep(for: .milliseconds(20)) }
            follower.cancel()
            _ = await follower.result
            for peer in peers { #expect(log.texts(peer) == (0..<10).map(String.init)) }
            for account in accounts + [bot] { await account.close() }
        }
    }

    @Test func `a group is created, added to, and greeted`() async throws {
        try await AccountFixture.run { fixture in
            let alice = try await fixture.open("1111")
            let bob = try await fixture.open("2222")
            let carol = try await fixture.open("3333")
            let group = try await alice.createGroup(of: ["2222"], title: "Club")
            try await alice.send("hello", to: group)
            let messages = bob.messages().makeAsyncIterator()
            #expect(try await messages.next()?.text == "hello")
            try await bob.add(["3333"], to: group)
            #expect(try await bob.members(of: group) == ["1111", "2222", "3333"])
            try await bob.send("welcome", to: group)
            let first = carol.messages().makeAsyncIterator()
            #expect(try await first.next()?.text == "welcome")
            for account in [alice, bob, carol] { await account.close() }
        }
    }

    @Test func `a creation founds one group, although the account loads one group at a time`() async throws {
        try await AccountFixture.run { fixture in
            let alice = try await fixture.open("1111")
            var bob = try await User("2222", .sodium, fixture.url)
            let keys = [try alice.ownKey(), try #require(bob.session.pins.current(of: "2222"))]
            let (first, second) = (ConversationID(canonicalizing: "g5"), ConversationID(canonicalizing: "g8"))
            let draft = GroupDraft(members: ["2222", "1111"], admins: ["2222"])
            let created = try bob.session.prepareGroupCreate(draft, in: first, participants: keys)
            let version = created.keyChange.version
            _ = try await alice.deliver(
                [encoded(created.event)],
                keyEvents: [encoded(created.keyChange.event)],
                in: first
            )
            #expect(try await alice.members(of: first) == ["1111", "2222"])
            // The same creation, and a key change of the same signer and version for another group.
            let change = try bob.session.prepareKeyChange(in: second, participants: keys, version: version)
            var moved = created.event
            moved.conversationID = second.text
            _ = try await alice.deliver([encoded(moved)], keyEvents: [encoded(change.event)], in: second)
            #expect(try await alice.membership(of: second) == nil)
            await alice.close()
        }
    }

    @Test func `an event that names another conversation than the one asked for has no effect`() async throws {
        try await AccountFixture.run { fixture in
            let alice = try await fixture.open("1111")
            var bob = try await User("2222", .sodium, fixture.url)
            let keys = [try alice.ownKey(), try #require(bob.session.pins.current(of: "2222"))]
            let conversation = ConversationID.oneToOne("1111", "2222")
            let change = try bob.session.prepareKeyChange(in: conversation, participants: keys)
            try bob.session.adopt(change)
            let message = try bob.session.seal(.text("hi"), in: conversation)
            let other = ConversationID.oneToOne("1111", "3333")
            let served = try await alice.deliver(
                [encoded(message.event)],
                keyEvents: [encoded(change.event)],
                in: other
            )
            guard case .failure(let error)? = served.events.first?.result else {
                Issue.record("the event was accepted")
                return
            }
            #expect(error.code == .inconsistent)
            #expect(try await alice.state.conversations().isEmpty)
            await alice.close()
        }
    }

    private func encoded(_ event: MessageEvent) -> String { Base64.encode(event.encoded()) }

    @Test func `what is kept on disk shows no id, key or text`() async throws {
        try await AccountFixture.run { fixture in
            let alice = try await fixture.open("111122223333444455")
            let bob = try await fixture.open("666677778888999900")
            let conversation = try await alice.startConversation(with: "666677778888999900")
            try await alice.send("a text that must not be found", to: conversation)
            let messages = bob.messages().makeAsyncIterator()
            let message = try #require(try await messages.next())
            try await message.reply("an answer that must not be found")
            _ = try? await bob.enqueue(.text("a queued text"), to: conversation)
            await alice.close()
            await bob.close()
            let secrets = try bob.identity.privateKeys.map { keys in try keys.withExport { Base64.encode($0) } } ?? ""
            var needles: [[UInt8]] = [
                "111122223333444455", "666677778888999900", "must not be found", "queued text",
                message.received.id.string,
                message.sequenceID?.string, secrets, conversation.string,
            ].compactMap { $0 }.map { Array($0.utf8) }
            let key = try await bob.key(of: conversation, version: nil).key
            needles.append(key.withBytes { bytes in (0..<bytes.count).map { bytes[$0] } })
            needles.append(key.withBytes { Array(Base64.encode($0).utf8) })
            let files = try fixture.scratch.contents().filter { $0.key.hasPrefix("6666") }
            #expect(!files.isEmpty)
            for (name, content) in files {
                for needle in needles { #expect(content.firstRange(of: needle) == nil, "\(name)") }
            }
        }
    }
}

/// Texts by sender.
final class Log: Sendable {
    private let entries = Mutex<[(UserID, String)]>([])

    func add(_ user: UserID, _ text: String) { entries.withLock { $0.append((user, text)) } }

    var count: Int { entries.withLock { $0.count } }

    func texts(_ user: UserID) -> [String] { entries.withLock { $0.filter { $0.0 == user }.map(\.1) } }
}
