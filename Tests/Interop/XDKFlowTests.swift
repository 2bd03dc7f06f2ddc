import Foundation
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatHTTP
import XChatSandbox

/// X's own client and engine with the sandbox.
@Suite(.enabled(if: Bots.isWanted, Bots.absence), .timeLimit(.minutes(2)))
struct XDKFlowTests {
    /// The operations of X's OpenAPI document that the sandbox serves: all except those of webhooks.
    private static let operations: Set = [
        "activityStream", "addChatGroupMembers", "addConversationKeys", "addUserPublicKey", "chatMediaDownload",
        "chatMediaUploadAppend", "chatMediaUploadFinalize", "chatMediaUploadInitialize", "createActivitySubscription",
        "createChatConversation", "deleteActivitySubscription", "deleteActivitySubscriptionsByIds",
        "deleteChatMessages", "getActivitySubscriptions", "getChatConversation", "getChatConversationEvents",
        "getChatConversations", "getUsersPublicKey", "getUsersPublicKeys", "initializeChatGroup",
        "markChatConversationRead", "sendChatMessage", "sendChatTypingIndicator", "updateActivitySubscription",
    ]

    @Test func `X's getting-started guide runs with the sandbox, whose answers match X's document`() async throws {
        try await Sandbox().serving { url in
            var arguments = ["url": url.absoluteString]
            arguments["document"] = Bots.document
            let answers = try await Bots().call("run", of: "flow", arguments, returning: [String: [Int]].self)
            guard Bots.document != nil else { return }
            #expect(Set(answers.keys) == Self.operations)
            for (operation, statuses) in answers {
                #expect(statuses.contains { $0 < 300 } && statuses.contains { $0 >= 400 }, "\(operation)")
            }
            report(
                answers.values.map(\.count).reduce(0, +),
                "kinds of answers of the sandbox to xdk as X's document says"
            )
        }
    }

    @Test func `X's client signs in, refreshes and revokes, as a public and as a confidential app`() async throws {
        try await Sandbox().serving { url in
            let steps = try await Bots().call(
                "sign_in",
                of: "app",
                ["url": url.absoluteString],
                returning: [String].self
            )
            #expect(
                steps == ["exchange 1111", "revoke 401", "exchange 1111", "refresh 1111", "reuse 400", "revoke 401"]
            )
            report(steps.count, "steps of a sign-in with xdk at the sandbox")
        }
    }

    @Test func `this client and X's client write to each other through the sandbox`() async throws {
        try await Sandbox().serving { url in
            let bots = try Bots()
            try await bots.perform("connect", of: "bob", ["url": url.absoluteString, "user": "2222"])
            try await bots.perform("register", of: "bob", [:])
            var alice = try await Alice(url)

            // Our client starts the conversation, and X's client reads.
            try await alice.start()
            var texts: [String] = [
                "", "a\u{0}b", ",", "👩‍👩‍👧‍👦🏳️‍🌈", "مرحبا", "e\u{301}\u{E9}", String(repeating: "x", count: 10_000),
            ]
            for text in texts { try await alice.send(text) }
            let people = ["conversation": "1111-2222", "people": "[1111,2222"]
            var read = try await bots.call("texts", of: "bob", people, returning: [String].self)
            #expect(read.map { Array($0.utf8) } == texts.map { Array($0.utf8) })

            // X's client changes the key and answers, and our client reads.
            try await bots.perform("start", of: "bob", ["other": "1111"])
            for text in ["from X's own", "", "\u{202E}gnp"] {
                try await bots.perform("send", of: "bob", ["conversation": "1111-2222", "text": text])
                texts.append(text)
            }
            read = try await alice.read()
            #expect(read.map { Array($0.utf8) } == texts.map { Array($0.utf8) })
            #expect(alice.session.keyRing.versions(in: alice.conversation).count == 2)

            // Our client writes again, under the new key.
            try await alice.send("with your key")
            read = try await bots.call("texts", of: "bob", people, returning: [String].self)
            #expect(read.last == "with your key")
            report(read.count, "messages between this client and xdk through the sandbox")
        }
    }
}

/// A user of this package's client.
struct Alice {
    let client: ChatClient
    var session: Session
    let conversation = ConversationID.oneToOne("1111", "2222")

    init(_ url: URL) async throws {
        client = try ChatClient(api: url.absoluteString, token: Token("sandbox-1111"))
        let keys = try PrivateKeys.generate()
        let version = try await client.register(keys.registration(version: "1"), user: "1111")
        session = try Session(userID: "1111", privateKeys: keys, signingKeyVersion: version)
        session.trust([try keys.verifiedKey(userID: "1111", version: version)])
        try session.pin(try await client.publicKeys(of: "2222"), of: "2222")
    }

    /// Registers keys for user 2222, who never writes.
    static func registerBob(_ url: URL) async throws {
        let client = try ChatClient(api: url.absoluteString, token: Token("sandbox-2222"))
        _ = try await client.register(try PrivateKeys.generate().registration(version: "1"), user: "2222")
    }

    mutating func start() async throws {
        let change = try session.prepareKeyChange(
            in: conversation,
            participants: session.pins["1111"] + session.pins["2222"]
        )
        _ = try await client.addKeys(change)
        try session.addConversationKey(change.key, in: conversation, version: change.version)
    }

    /// Starts a group with user 2222, whose title is not encrypted.
    mutating func startGroup(_ title: String) async throws {
        let group = try await client.initializeGroup()
        var draft = GroupDraft(members: ["1111", "2222"], admins: ["1111"])
        draft.title = title
        let change = try session.prepareGroupCreate(
            draft,
            in: group,
            participants: session.pins["1111"] + session.pins["2222"]
        )
        _ = try await client.createGroup(change)
    }

    func send(_ text: String) async throws {
        _ = try await client.send(session.seal(.text(text), in: conversation))
    }

    /// The texts of the history, each verified.
    mutating func read() async throws -> [String] {
        let history = try await client.history(in: ConversationTarget(conversation))
        for event in history.keyEvents { _ = try session.open(MessageEvent(base64: event)) }
        return try history.events.compactMap { event in
            let opened = try session.open(MessageEvent(base64: event.encodedEvent))
            guard opened.isVerified, case .message(let message) = opened.contents?.contents else { return nil }
            return message.messageText?.string
        }
    }
}
