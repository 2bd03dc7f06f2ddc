import Foundation
import LibSodium
import Logging
import ServiceLifecycle
import TestSupport
import Testing
import UnixSignals
import XChat
import XChatEngine
import XChatHTTP
import XChatSandbox

/// The code of the articles, run against a sandbox; `SnippetTests` checks that the articles have this code.
@Suite(.timeLimit(.minutes(2)))
struct ArticleTests {
    /// Collects the output of the code of the articles.
    private final class Output: @unchecked Sendable {
        private let lock = NSLock()
        private var text: [String] = []

        func callAsFunction(_ items: Any...) {
            lock.withLock { text.append(items.map { "\($0)" }.joined(separator: " ")) }
        }

        var lines: [String] { lock.withLock { text } }
    }

    @Test func `Getting started`() async throws {
        try await AccountFixture.run { fixture in
            let print = Output()
            let account = try await fixture.open("1111")
            let bob = try await fixture.open("2222")

            let conversation = try await account.startConversation(with: "2222")
            let receipt = try await account.send("hello", to: conversation)
            print("the server has it as", receipt.sequenceID ?? "?")

            for event in try await account.history(of: conversation) {
                guard let message = event.message else { continue }
                print(message.sender, message.text ?? "")
            }

            #expect(print.lines.last == "1111 hello")
            #expect(try await fixture.texts(bob, conversation) == ["hello"])
            await account.close()
            await bob.close()
        }
    }

    @Test func `A configuration without environment variables`() async throws {
        try await AccountFixture.run { fixture in
            let (path, passphrase, token) = (fixture.scratch.file("a.db"), "correct horse", "sandbox-1111")

            var configuration = Account.Configuration(.accountFile(path)) { _ in
                try SecretBytes(copying: Array(passphrase.utf8).span)
            }
            configuration.user = "1111"
            configuration.token = TokenSource(try Token(token))

            configuration.api = fixture.url.absoluteString
            configuration.passwordLimits = .minimum
            await (try await Account.open(configuration)).close()
        }
    }

    @Test func `Messages`() async throws {
        try await AccountFixture.run { fixture in
            let print = Output()
            let account = try await fixture.open("2222")
            let alice = try await fixture.open("1111")
            await (try await fixture.open("3333")).close()
            let conversation = try await alice.startConversation(with: "2222")
            let report = try fixture.scratch.write("report.txt", "the report")
            let folder = fixture.scratch.path
            try await alice.send("hello", files: [report], to: conversation)
            for text in ["bad", "last"] { try await alice.send(text, to: conversation) }

            @Sendable func answer(to text: String) async throws -> String {
                if text == "bad" { throw InvalidInput() }
                if text == "last" { await account.close() }
                return "echo: \(text)"
            }
            let messages = account.messages(consumer: "calls").makeAsyncIterator()
            let message = try #require(try await messages.next())
            let text = try #require(message.text)

            try await message.reply("I am looking for it.")
            try await message.react("👀")
            try await message.send(.text("This takes a minute."))

            // Mark the message as read, and show that the user is typing while a function runs.
            if let id = message.sequenceID { try await account.markRead(message.conversation, until: id) }
            let result = try await account.typing(in: message.conversation) { try await answer(to: text) }

            // Answer with the file at a path, and send into another conversation.
            try await account.send("the report", files: [report], to: message.conversation)
            let owner = try await account.startConversation(with: "3333")
            try await account.send("user \(message.sender) wrote: \(text)", to: owner)

            // Save the files of the message in a folder.
            for case .media(let media) in message.attachments {
                try await account.download(media, of: message, to: "\(folder)/\(UUID())")
            }

            for _ in 0..<2 { try await message.reply(result, id: "result") }
            let saved = try #require(fixture.scratch.names().first { UUID(uuidString: $0) != nil })
            #expect(try fixture.scratch.read(saved) == Array("the report".utf8))
            #expect(try await fixture.texts(account, owner) == ["user 1111 wrote: hello"])

            @Sendable func loop() async throws {
                for try await message in account.messages() {
                    guard !message.isOwn, let text = message.text else { continue }
                    do {
                        try await message.reply(try await answer(to: text))
                    } catch let error as AccountError where error.code == .closed {
                        throw error  // The program closed the account.
                    } catch let error as APIError where error.disposition == .stop {
                        throw error  // No call can succeed, for example because the token expired.
                    } catch {
                        try Task.checkCancellation()
                        print("no answer to user", message.sender, error)
                    }
                }
            }
            let error = await #expect(throws: AccountError.self) { try await loop() }
            #expect(error?.code == .closed)
            #expect(print.lines == ["no answer to user 1111 InvalidInput()"])
            let answers = ["I am looking for it.", "This takes a minute.", "the report", "echo: hello", "echo: hello"]
            #expect(try await fixture.texts(alice, conversation) == ["hello", "bad", "last"] + answers)
            await alice.close()
        }
    }

    /// The end of a program is compiled but not run, because it would end the process of the tests.
    private struct Bot {
        static func main() async {
            do {
                try await answerMessages(of: try await Account.open(.environment))
            } catch {
                FileHandle.standardError.write(Data("bot: \(error)\n".utf8))
                exit(1)
            }
        }

        private static func answerMessages(of account: Account) async throws {
            for try await message in account.messages() where !message.isOwn { try await message.react("👍") }
        }
    }

    @Test func `Groups`() async throws {
        try await AccountFixture.run { fixture in
            let print = Output()
            let account = try await fixture.open("1111")
            for user in ["2222", "3333", "4444"] as [UserID] { await (try await fixture.open(user)).close() }

            let group = try await account.createGroup(of: ["2222", "3333"], title: "Book club")
            try await account.send("Welcome!", to: group)
            try await account.add(["4444"], to: group)
            print(try await account.members(of: group).sorted())

            if let log = try await account.membership(of: group)?.log {
                for entry in log { print(entry.effect, entry.claim, entry.people) }
            }

            try await account.rotateKey(of: group)

            #expect(print.lines.count == 3)
            try await account.acceptMembers(["1111", "2222"], of: group)
            #expect(try await account.members(of: group) == ["1111", "2222"])
            await account.close()
        }
    }

    @Test func `Attachments`() async throws {
        try await AccountFixture.run { fixture in
            let print = Output()
            let account = try await fixture.open("1111")
            let bob = try await fixture.open("2222")
            let conversation = try await account.startConversation(with: "2222")
            let plan = try fixture.scratch.write("plan.txt", "the plan")
            let folder = fixture.scratch.path

            try await account.send("the plan", files: [plan], to: conversation) { index, progress in
                print("file", index, progress.doneBytes, "bytes")
            }

            @Sendable func receive(_ account: Account) async throws {
                for try await message in account.messages() {
                    for case .media(let media) in message.attachments {
                        let file = "\(folder)/\(UUID()).download"
                        try await account.download(media, of: message, to: file)
                        print("received", media.filename ?? "a file", "as", file)
                    }
                    break
                }
            }
            try await receive(bob)
            let name = try #require(fixture.scratch.names().first { $0.hasSuffix(".download") })
            #expect(try fixture.scratch.read(name) == Array("the plan".utf8))
            await account.close()
            await bob.close()
        }
    }

    @Test func `Verifying a history`() async throws {
        try await AccountFixture.run { fixture in
            let print = Output()
            let account = try await fixture.open("1111")
            let bob = try await fixture.open("2222")
            let conversation = try await account.startConversation(with: "2222")
            try await account.send("hello", to: conversation)

            let watcher = Task {
                for await problem in account.problems {
                    print("refused or notable:", problem.code, problem.message)
                }
            }
            for event in try await account.history(of: conversation) {
                guard let message = event.message else { continue }
                let marks = message.marks.map(\.rawValue).sorted().joined(separator: ", ")
                print(message.sender, message.text ?? "", marks)
            }

            #expect(print.lines.contains("1111 hello "))
            await account.close()
            await watcher.value
            await bob.close()
        }
    }

    @Test func `Verifying without an account`() throws {
        let print = Output()
        var session = try Session(userID: "1111", privateKeys: try PrivateKeys.generate(), signingKeyVersion: "1")
        let lines = ["CwACAAAAA20tMQA=", "not an event"]

        for result in session.open(base64: lines) {
            switch result {
            case .success(let event):
                print("verified:", event.isVerified, "signer:", event.received.senderID ?? "?")
            case .failure(let error):
                print("refused:", error.code, error.message)
            }
        }

        #expect(print.lines.count == 2)
    }

    @Test func `Trust and safety codes`() async throws {
        try await AccountFixture.run { fixture in
            let print = Output()
            let account = try await fixture.open("1111")
            let bob = try await fixture.open("2222")
            let typed = try #require(try await bob.compareKeys(of: "1111").safetyCode).description

            let comparison = try await account.compareKeys(of: "2222")
            if let code = comparison.safetyCode {
                print("Compare with user 2222, over another channel:", code)
            }

            guard let code = SafetyCode(typed) else { throw InvalidInput() }
            try await account.accept(comparison, ifSafetyCodeIs: code)

            #expect(print.lines == ["Compare with user 2222, over another channel: \(typed)"])
            await account.close()
            await bob.close()
        }
    }

    private struct InvalidInput: Error {}

    @Test func `Offline development with the sandbox`() async throws {
        let scratch = try Scratch()
        let path = scratch.file("alice.db")

        let sandbox = Sandbox(faults: try SandboxFaults("duplicate=0.5,reorder=0.2"))
        try await sandbox.serving { url in
            var configuration = Account.Configuration(.accountFile(path)) { _ in
                try SecretBytes(copying: Array("only for tests".utf8).span)
            }
            configuration.user = "1111"
            configuration.api = url.absoluteString
            configuration.token = TokenSource(try Token("sandbox-1111"))
            let account = try await Account.open(configuration)
            let conversation = try await account.startConversation(with: "1111")
            try await account.send("a note to self", to: conversation)
            await account.close()
        }
    }

    @Test func `Errors and retries`() async throws {
        try await AccountFixture.run { fixture in
            let print = Output()
            let account = try await fixture.open("1111")
            let bob = try await fixture.open("2222")
            let conversation = try await account.startConversation(with: "2222")

            do {
                try await account.send("hello", to: conversation)
            } catch let error as AccountError where error.code == .refused {
                print("The server finally refused it; it is kept as a dead letter:", error)
            } catch let error as APIError where error.disposition == .stop {
                print("Nothing can be sent now, for example because the token expired:", error)
            } catch let error as XChatError {
                print("It was not encrypted, and the error says what to do:", error.code, error.message)
            }

            let receipt = try await account.enqueue(.text("later"), to: conversation)
            switch try await account.receipt(receipt.messageID)?.outcome {
            case .sent(let sequenceID): print("sent as", sequenceID ?? "?")
            case .queued: print("still waiting")
            case .refused(let reason): print("refused:", reason)
            case nil: print("no such message")
            }

            #expect(print.lines.count == 1)
            await account.close()
            await bob.close()
        }
    }

    @Test func `Private deployments`() async throws {
        let scratch = try Scratch()
        try await Sandbox().serving { url in
            var configuration = Account.Configuration(.accountFile(scratch.file("a.db"))) { _ in
                try SecretBytes(copying: Array("only for tests".utf8).span)
            }
            configuration.user = "1111"
            configuration.token = TokenSource(try Token("sandbox-1111"))
            configuration.passwordLimits = .minimum
            let ownServer = url.absoluteString

            configuration.api = ownServer
            configuration.suite = .sodium
            let account = try await Account.open(configuration)

            let served = try #require(try await account.client.publicKeys(of: "1111").first)
            #expect(try VerifiedPublicKey(checking: served).suite == .sodium)
            await account.close()
        }
    }

    /// This code is compiled but not run, because it serves until a signal arrives.
    private func runningInProduction() async throws {
        let account = try await Account.open(.environment)
        let logger = Logger(label: "bot")
        let services = ServiceGroup(
            services: [account],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await services.run() }
            group.addTask {
                try await account.messages(inParallel: 8) { message in
                    guard !message.isOwn, let text = message.text else { return }
                    try await message.reply("echo: \(text)")
                }
            }
            group.addTask {
                for await problem in account.problems {
                    logger.warning("\(problem.code)", metadata: ["final": "\(problem.isFinal)"])
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    @Test func `Migrating from chatxdk`() throws {
        let print = Output()
        let generated = try PrivateKeys.generate()
        let blob = try generated.withExport { blob in blob.indices.map { blob[$0] } }
        let served = [try generated.verifiedKey(userID: "1111", version: "7").registered]

        // import_keys(blob); set_identity("1111", "7")
        let keys = try PrivateKeys(importing: blob.span)
        var session = try Session(userID: "1111", privateKeys: keys, signingKeyVersion: "7")
        // set_signing_keys(served)
        for (user, keys) in Dictionary(grouping: served, by: \.userID) { try session.pin(keys, of: user) }
        // prepare_conversation_key_change(...), encrypt_message(...)
        let conversation = ConversationID.oneToOne("1111", "1111")
        let change = try session.prepareKeyChange(in: conversation)
        try session.adopt(change)  // after the server accepted it
        let message = try session.seal(.text("hello"), in: conversation)
        // decrypt_events([...])
        for result in session.open(base64: [Base64.encode(message.event.encoded())]) {
            let event = try result.get()
            print(event.message?.text ?? "another kind of event")
        }

        #expect(print.lines == ["hello"])
    }
}
