import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatFiles
import XChatHTTP
import XChatText

struct OutboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outbox",
        abstract: "List, send or discard encrypted messages that are not sent yet.",
        discussion: """
            A message that could not be sent waits in the outbox, as ciphertext. Later messages of its conversation \
            wait until it is sent. The next "send" or "outbox retry" sends them.

            A message that the server refuses becomes a dead letter: it stays in the outbox with the reason and the \
            state set_aside, and later messages are sent without it.

            The outbox is part of the account file. With --session it is in a folder with the file's name and \
            ".outbox", so use the same --session as for "send".

            Example:
              xchat outbox list --session alice.json
            """,
        subcommands: [OutboxList.self, OutboxRetry.self, OutboxDrop.self]
    )
}

struct OutboxList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the messages that are not sent.",
        discussion: """
            Prints one line of JSON per message, in the order of their queues: {"message_id": "…", \
            "conversation_id": "…", "conversation_key_version": "…", "state": "queued", "failures": 0, "reason": \
            null, "sequence_id": null, "replaces": null, "replaced_by": null, "enqueued_at": "…", "not_before": \
            null}. The state is queued or set_aside. "not_before" is the time of the next attempt. With --all, sent, \
            replaced and dropped messages are listed too; these are kept for seven days.

            Example:
              xchat outbox list --all --session alice.json
            """
    )

    @OptionGroup
    var options: AccountOptions

    @Flag(help: "List sent, replaced and dropped messages too.")
    var all = false

    func run() async throws {
        let outbox = try await Account.outbox(try options.configuration(), changes: false)
        let states = Set(all ? OutboxEntry.State.allCases : [.queued, .deadLetter])
        for entry in try await outbox.list(states) {
            try Output.result(json: entry.json)
        }
    }
}

struct OutboxRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Send waiting messages and dead letters now.",
        discussion: """
            Puts the messages back into their queues and sends them, after earlier messages of the same \
            conversations. Prints one line per message, as "outbox list --all" does. The exit status is 0 only if \
            all of them were sent.

            A message is held with the reason members_changed if it would now be encrypted for members who were not \
            in the group when it was written. To send it to these new readers, name its id: they are listed on \
            standard error, and the message is sent to them. If other users have joined by then, it is held again. \
            To discard it, use "outbox drop".

            Example:
              xchat outbox retry --session alice.json
            """
    )

    @Argument(
        help: ArgumentHelp(
            "The ids of the messages. (default: all waiting messages, no dead letters)",
            valueName: "message-id"
        )
    )
    var messages: [String] = []

    @OptionGroup
    var sending: SendingOptions

    func run() async throws {
        let account = try await sending.options.account()
        try await account.openOutbox()
        let ids = try await retry(in: account)
        account.startWorker()
        let deadline = ContinuousClock.now + .seconds(sending.timeout)
        var isAllSent = true
        for id in ids {
            let rest = max(deadline - ContinuousClock.now, .zero)
            guard let entry = try await account.outcome(of: id, within: rest) else { continue }
            isAllSent = isAllSent && entry.state == .sent
            if entry.state == .sent {
                try Output.result(of: "the message was sent", entry.json)
            } else {
                try Output.result(json: entry.json)
            }
        }
        await account.close()
        if !isAllSent { throw ExitCode(1) }
    }

    /// Puts the named messages, or else all waiting ones, back into their queues, and returns their ids.
    private func retry(in account: Account) async throws -> [MessageID] {
        let outbox = account.outbox
        guard !messages.isEmpty else {
            let ids = try await outbox.list([.queued]).map(\.messageID)
            for id in ids { try await outbox.retryIfQueued(id) }
            return ids
        }
        let ids = messages.map { MessageID($0) }
        for id in ids {
            var readers: Set<UserID> = []
            if let entry = try await outbox.entry(id), entry.messageID == id, entry.isHeld {
                readers = try await account.nameNewReaders(of: entry)
            }
            try await outbox.retry(id, allowing: readers)
        }
        return ids
    }
}

struct OutboxDrop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop",
        abstract: "Discard unsent messages.",
        discussion: """
            An attempt in progress is not cancelled, so the server can still receive its message.

            Example:
              xchat outbox drop 7D1A0C5E-2F14-4D0B-9F6E-0D4D3D6C1A55 --session alice.json
            """
    )

    @Argument(help: ArgumentHelp("The ids of the messages.", valueName: "message-id"))
    var messages: [String]

    @OptionGroup
    var options: AccountOptions

    func run() async throws {
        let outbox = try await Account.outbox(try options.configuration(), changes: true)
        for id in messages { try await outbox.drop(MessageID(id)) }
    }
}

extension Account {
    /// Names on standard error the new readers of a held message: members who joined after it was written.
    ///
    /// - Returns: The users who were named, and no others.
    fileprivate func nameNewReaders(of entry: OutboxEntry) async throws -> Set<UserID> {
        let conversation = entry.conversationID
        guard let readers = try await newReaders(of: entry) else {
            throw CommandError(
                "the message \(visible(entry.messageID.string)) cannot be sent: the members of \(conversation) are not "
                    + "known; read the group first: xchat read \(conversation)"
            )
        }
        guard !readers.isEmpty else { return [] }
        let names = readers.map(\.string).sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }.map { visible($0) }
        Output.note(
            "xchat: \(names.count) new readers of the message \(visible(entry.messageID.string)), who were not in the "
                + "group when it was written: \(names.joined(separator: ", "))"
        )
        return readers
    }
}
