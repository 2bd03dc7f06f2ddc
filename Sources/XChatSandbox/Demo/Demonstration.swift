import Foundation
package import XChatEngine
import XChatEvents
import XChatHTTP

/// One message from its sender over a server to its recipient, step by step; throws at the first step that fails.
package struct Demonstration {
    private static let text = "The key to a good secret: 🔑 tell no one, not even the server."

    private let suite: SuiteName
    private let say: @Sendable (String) throws -> Void
    private let sandbox = Sandbox()
    private let sender: UserID = "1111"
    private let recipient: UserID = "2222"

    /// Creates a demonstration, which does not run yet.
    ///
    /// - Parameters:
    ///   - suite: The cipher suite of both users.
    ///   - say: Receives lines that are safe to print.
    package init(suite: SuiteName, say: @escaping @Sendable (String) throws -> Void) {
        self.suite = suite
        self.say = say
    }

    /// Runs the demonstration.
    ///
    /// - Throws: ``DemonstrationError`` for a step with a wrong result; the errors of the engine, the server and `say`.
    package func run() async throws {
        try say("One message from user \(sender) to user \(recipient), end to end, in the suite \(suite).")
        try await sandbox.serving { url in
            try say("A sandbox of X's chat API listens on \(url.absoluteString), inside this program.")
            var writer = try await DemoUser(sender, suite, url)
            var reader = try await DemoUser(recipient, suite, url)
            try identities([writer, reader])
            let key = try await exchangeKey(&writer, with: reader)
            let message = try await send(&writer, in: key.conversationID)
            try await serverKnowsNoSecret(of: key)
            let received = try await read(&reader, from: writer, message)
            try tamper(with: received, reader)
        }
        try say("\nEvery step held.")
    }

    // MARK: - The steps

    private func identities(_ users: [DemoUser]) throws {
        try title("1. Two identities, registered with the server")
        for user in users {
            try show("user \(user.session.userID)", "fingerprint \(user.keys.identityKey.fingerprint)")
            try show("", "registered by the server as version \(user.version)")
        }
        try show("server sees", "the public keys and their signatures; the private keys never left their owners")
    }

    private func exchangeKey(_ writer: inout DemoUser, with reader: DemoUser) async throws -> KeyChange {
        try title("2. A key for the conversation")
        let served = try await writer.pinKeys(of: recipient)
        try require(
            served.map(\.identityKey) == [reader.keys.identityKey]
                && served.map(\.signingKey) == [reader.keys.signingKey],
            "the server serves the keys that were registered"
        )
        try show(
            "user \(sender)",
            "fetched the keys of user \(recipient), checked that they vouch for each other, pinned them"
        )
        let change = try await writer.startConversation(with: recipient)
        let lengths = Set(change.participantKeys.map { (try? Base64.decode($0.encryptedConversationKey).count) ?? 0 })
        try require(change.participantKeys.count == 2 && lengths.count == 1, "the key is wrapped for both")
        try show(
            "",
            "made 32 random bytes, wrapped them for both (\(lengths.max() ?? 0) bytes each) and signed the change"
        )
        for wrapped in change.participantKeys {
            try show("server sees", "for user \(wrapped.userID): \(short(wrapped.encryptedConversationKey.string))")
        }
        return change
    }

    private func send(_ writer: inout DemoUser, in conversation: ConversationID) async throws -> SealedMessage {
        try title("3. The message, encrypted, signed and posted")
        try show("user \(sender)", "writes: \(Self.text)")
        let message = try writer.session.seal(.text(Self.text), in: conversation)
        let payload = try SignedPayload(of: message.event)
        try show("", "signs: \(short(String(decoding: payload.bytes, as: UTF8.self), keeping: 84))")
        let sent = try await writer.client.send(message)
        try show("server sees", "sender \(sender), conversation \(conversation), message id \(message.messageID)")
        try show("", "ciphertext \(short(message.encodedMessageCreateEvent))")
        try show("server gave it", "sequence id \(sent.sequenceID)")
        return message
    }

    /// Searches all events that the server holds for the text and the conversation key.
    private func serverKnowsNoSecret(of change: KeyChange) async throws {
        let held = try await sandbox.storedEvents(in: change.conversationID).map { $0.encoded() }
        try require(held.count == 2, "the server holds the key change and the message")
        let key = change.key.withBytes { key in key.indices.map { key[$0] } }
        let secrets = [Array(Self.text.utf8), key, Array(Base64.encode(key, padding: false).utf8)]
        for secret in secrets {
            let isSeen = held.contains { Data($0).range(of: Data(secret)) != nil }
            try require(!isSeen, "the server holds no secret")
        }
        try show("server sees not", "the text and the conversation key: looked for in all that it holds, not found")
    }

    private func read(
        _ reader: inout DemoUser,
        from writer: DemoUser,
        _ message: SealedMessage
    ) async throws -> MessageEvent {
        try title("4. Read, verified and decrypted")
        let served = try await reader.pinKeys(of: sender)
        try require(
            served.map(\.signingKey) == [writer.keys.signingKey],
            "the server serves the keys that were registered"
        )
        let history = try await reader.client.history(in: try ConversationTarget(message.conversationID))
        let keyChanges = try history.keyEvents.map { try MessageEvent(base64: $0) }
        let events = try history.events.map { try MessageEvent(base64: $0.encodedEvent) }
        try require(keyChanges.count == 1 && events.count == 1, "the history is one key change and one message")
        for keyChange in keyChanges {
            try require(try reader.session.open(keyChange).isVerified, "the key change verifies")
        }
        try show("user \(recipient)", "verified the key change and unwrapped the conversation key")
        for received in events {
            let event = try reader.session.open(received)
            try require(event.isVerified, "the message verifies")
            try show("", "verified the message: signed by user \(sender) with the key of version \(writer.version)")
            guard case .message(let contents) = event.contents?.contents else {
                throw DemonstrationError(claim: "the contents are a text")
            }
            try require(contents.messageText == WireString(Self.text), "the text is the one that was written")
            try show("", "reads: \(visible(contents.messageText?.string ?? ""))")
            return received
        }
        throw DemonstrationError(claim: "there is a message")
    }

    private func tamper(with received: MessageEvent, _ reader: DemoUser) throws {
        try title("5. The same message, tampered with on its way")
        guard case .messageCreateEvent(var create) = received.detail, var contents = create.contents,
            let last = contents.indices.last
        else { throw DemonstrationError(claim: "the message has contents") }
        contents[last] ^= 1
        create.contents = contents
        var flipped = received
        flipped.detail = .messageCreateEvent(create)
        try refuse(flipped, "one bit of the ciphertext changed", .wrongSignature, reader)

        var renamed = received
        renamed.senderID = recipient
        try refuse(renamed, "user \(recipient) named as the sender", .unknownSigner, reader)

        var unsigned = received
        unsigned.messageEventSignature = nil
        try refuse(unsigned, "the signature taken off", .noSignature, reader)
    }

    private func refuse(_ event: MessageEvent, _ what: String, _ code: XChatError.Code, _ reader: DemoUser) throws {
        var session = reader.session
        do {
            _ = try session.open(event)
        } catch {
            try require(error.code == code, "\(what) is refused as \(code.rawValue)")
            try show("user \(recipient)", "\(what): refused, \(error.code.rawValue)")
            return
        }
        throw DemonstrationError(claim: "\(what) is refused")
    }

    // MARK: - Output

    private func require(_ condition: Bool, _ claim: String) throws(DemonstrationError) {
        guard condition else { throw DemonstrationError(claim: claim) }
    }

    private func title(_ text: String) throws {
        try say("\n\(text)")
    }

    private func show(_ who: String, _ what: String) throws {
        try say("   \(who.padding(toLength: 16, withPad: " ", startingAt: 0))\(what)")
    }

    private func short(_ text: String, keeping count: Int = 48) -> String {
        text.utf8.count > count ? "\(text.prefix(count))… (\(text.utf8.count) characters)" : text
    }
}

/// A step of the demonstration that failed.
package struct DemonstrationError: Error, CustomStringConvertible {
    let claim: String

    package var description: String { "this did not hold: \(claim)" }
}
