import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP

/// The time limit of commands that send.
struct SendingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How many seconds to try, 1 to 86400; a message that is not sent by then waits in the outbox.",
            valueName: "seconds"
        )
    )
    var timeout = 20

    func validate() throws {
        guard (1...86_400).contains(timeout) else { throw ValidationError("--timeout takes 1 to 86400 seconds.") }
    }
}

/// Sends messages through the outbox and prints the outcome, for every command that sends.
struct Sender {
    let account: Account
    private let timeout: Duration

    init(
        _ options: AccountOptions,
        _ sending: SendingOptions,
        rotates: Bool = false
    ) async throws {
        account = try await options.account(rotates: rotates)
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
        let display = UploadDisplay(files.count, isQuiet: isQuiet)
        let receipt = try await naming(conversation) {
            try await account.enqueue(
                text,
                files: files,
                to: conversation,
                progress: display.show
            )
        }
        try await report(receipt)
    }

    /// Waits until a message is settled, for the time of the options, and prints the result.
    private func report(_ receipt: Account.Receipt) async throws {
        let earlier = try await account.outbox.queue(before: receipt.messageID, in: receipt.conversation)
        try await hurry(earlier)
        let watch = Task { await tellFirstFailure(before: receipt) }
        defer { watch.cancel() }
        let entry = try await account.outbox.outcome(
            of: receipt.messageID,
            within: timeout,
            orWhen: { _ in account.workerFailure != nil }
        )
        try? await tellDeadLetters(of: earlier)
        let answer = try await outcome(of: receipt, entry)
        await account.close()
        try Output.result(of: "the message was sent", answer)
    }

    private func outcome(of receipt: Account.Receipt, _ entry: OutboxEntry?) async throws -> JSONValue {
        let id = entry?.messageID ?? receipt.messageID
        switch entry?.state {
        case .sent:
            return [
                "message_id": .string(id),
                "sequence_id": .init(entry?.sequenceID),
                "conversation_id": .string(receipt.conversation.text),
            ]
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

    /// Ends the backoff of earlier messages that could not be posted: a user who sends now expects a working network.
    private func hurry(_ waiting: [OutboxEntry]) async throws {
        guard let first = waiting.first else { return }
        let (count, goes) =
            waiting.count == 1 ? ("an earlier message", "is") : ("\(waiting.count) earlier messages", "are")
        Output.note("xchat: \(count) of this conversation waited in the outbox, and \(goes) sent first")
        // A message that fails for another reason keeps its backoff, until its failures make it a dead letter.
        let isUnreachable = ["connection", "timed_out", "server"].contains(first.reason?.prefix { $0 != ":" } ?? "")
        if first.failures > 0, isUnreachable { try await account.outbox.retryIfQueued(first.messageID) }
    }

    /// Reports the earlier messages that became dead letters, because the result is about the last message alone.
    private func tellDeadLetters(of earlier: [OutboxEntry]) async throws {
        for entry in earlier {
            guard let now = try await account.outbox.entry(entry.messageID), now.state == .deadLetter else { continue }
            Output.warning(
                "the earlier message \(now.messageID) was not sent and is a dead letter: \(visible(now.reason ?? ""))"
            )
        }
    }

    private func tellFirstFailure(before receipt: Account.Receipt) async {
        while !Task.isCancelled {
            if let reason = try? await account.outbox.delay(of: receipt.conversation) {
                Output.note(
                    "xchat: not sent yet: \(visible(reason)); the message stays in the outbox and is retried"
                )
                return
            }
            try? await Task.sleep(for: .milliseconds(250))
        }
    }
}
