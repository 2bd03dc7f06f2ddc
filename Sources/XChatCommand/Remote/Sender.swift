import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP
import XChatText

/// The account and the time limit of commands that send.
struct SendingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How many seconds to try, 1 to 86400; a message that is not sent by then waits in the outbox.",
            valueName: "seconds"
        )
    )
    var timeout = 20

    @OptionGroup
    var options: AccountOptions

    func validate() throws {
        guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout takes 1 to 86400 seconds.") }
    }
}

/// Sends messages through the outbox and prints the outcome, for every command that sends.
struct Sender {
    let account: Account
    private let timeout: Duration

    init(_ sending: SendingOptions, rotates: Bool = false) async throws {
        account = try await sending.options.account(rotates: rotates)
        timeout = .seconds(sending.timeout)
    }

    /// Encrypts a draft once, posts it after the waiting messages of its conversation, and prints the outcome.
    ///
    /// - Throws: If the message was not sent, or not yet, or if the result cannot be printed.
    func send(_ draft: Draft, in conversation: ConversationID) async throws {
        try await report(await naming(conversation) { try await account.enqueue(draft, to: conversation) })
    }

    /// Uploads files under the conversation's newest key, and sends a text with them.
    func send(
        _ text: String,
        with files: [String],
        in conversation: ConversationID,
        isQuiet: Bool
    ) async throws {
        let display = ProgressDisplay(isQuiet: isQuiet)
        let count = files.count
        let receipt = try await naming(conversation) {
            try await account.enqueue(text, files: files, to: conversation) { index, progress in
                display.show(progress, of: count == 1 ? "uploading" : "uploading \(index + 1) of \(count)")
            }
        }
        try await report(receipt)
    }

    /// Waits until a message is settled, for the time of the options, and prints the result.
    private func report(_ receipt: Account.Receipt) async throws {
        let outbox = account.outbox
        let earlier = try await outbox.queue(before: receipt.messageID, in: receipt.conversation)
        if let first = earlier.first {
            let (messages, go) =
                earlier.count == 1 ? ("an earlier message", "is") : ("\(earlier.count) earlier messages", "are")
            Output.note("xchat: \(messages) of this conversation waited in the outbox, and \(go) sent first")
            // A user who sends now expects a working network.
            try await outbox.retryIfUnreachable(first)
        }
        let watch = Task {
            guard let reason = await outbox.nextDelay(of: receipt.conversation) else { return }
            Output.note("xchat: not sent yet: \(visible(reason)); the message stays in the outbox and is retried")
        }
        defer { watch.cancel() }
        let entry = try await account.outcome(of: receipt.messageID, within: timeout)
        // The result is about the last message alone.
        for letter in (try? await outbox.deadLetters(among: earlier)) ?? [] {
            Output.warning(
                "the earlier message \(letter.messageID) was not sent and is a dead letter: \(visible(letter.reason ?? ""))"
            )
        }
        let answer = try await answer(to: receipt, entry)
        await account.close()
        try Output.result(of: "the message was sent", answer)
    }

    /// The result if the message was sent; otherwise throws why it was not.
    private func answer(to receipt: Account.Receipt, _ entry: OutboxEntry?) async throws -> JSONValue {
        let id = entry?.messageID ?? receipt.messageID
        switch entry?.state {
        case .sent:
            return entry?.sentJSON ?? .null
        case .deadLetter:
            throw CommandError(
                "not sent: \(entry?.reason ?? "the server does not take the message"); it is kept in the outbox as \(id), "
                    + "and does not hold up later messages: xchat outbox retry ID, or xchat outbox drop ID"
            )
        case .queued:
            var reason = account.workerFailure.map { "\($0)" }
            if reason == nil { reason = try await account.outbox.delay(of: receipt.conversation) }
            if reason == nil, let process = await account.otherPoster() {
                throw CommandError(
                    "not sent yet: process \(process) posts the messages of this account, one process at a time, and did not "
                        + "post this one within \(timeout.components.seconds) s; it waits in the outbox as \(id). That process "
                        + "posts it later; if the process hangs, end it, then: xchat outbox retry"
                )
            }
            throw CommandError(
                "not sent yet: \(reason ?? "the server did not take it within \(timeout.components.seconds) s"); it waits in the "
                    + "outbox as \(id), and is sent before the next message of \(receipt.conversation) or by: xchat outbox retry"
            )
        case .dropped, .replaced, nil:
            throw CommandError("not sent: another command took the message \(id) out of the outbox")
        }
    }
}
