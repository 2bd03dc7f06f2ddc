import ArgumentParser
import Foundation
import XChat
import XChatEngine
import XChatEvents
import XChatFiles
import XChatHTTP

struct OutboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outbox",
        abstract: "List, send or discard encrypted messages that are not sent yet.",
        discussion: """
            A message that could not be sent waits in the outbox, as ciphertext, and its conversation's later messages \
            wait after it, until the next "send" or "outbox retry". A message that the server refuses is set aside with \
            the reason, and later messages are sent.

            Each user and API has one outbox. It is in the folder of the session file or the key store, under the \
            file's name with ".outbox" appended: use the same --session and --api as for "send".
            """,
        subcommands: [OutboxList.self, OutboxRetry.self, OutboxDrop.self]
    )
}

struct OutboxList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the messages that are not sent.",
        discussion: """
            Prints one line of JSON per message, in the order of their queues: {"message_id": "…", "conversation_id": "…", \
            "conversation_key_version": "…", "state": "queued", "failures": 0, "reason": null, "sequence_id": null, \
            "replaces": null, "replaced_by": null, "enqueued_at": "…", "not_before": null}. The state is queued or \
            set_aside; "not_before" is the time of the next try. With --all also sent, replaced and dropped, which are \
            remembered for seven days.
            """
    )

    @OptionGroup
    var state: StateOptions

    @OptionGroup
    var server: ServerOptions

    @Flag(help: "List the finished ones too.")
    var all = false

    func run() throws {
        let user = try state.store().read().userID()
        guard try state.hasOutbox(of: user, server) else { return }
        let outbox = try state.outbox(of: user, server)
        let states = Set(all ? OutboxEntry.State.allCases : [.queued, .setAside])
        for entry in try outbox.list(states) {
            try Output.result(entry.json.line)
        }
    }
}

struct OutboxRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Send messages that wait or were set aside now.",
        discussion: """
            Puts them back into their places and posts; what waits before them in their conversations goes first. Prints \
            one line per message, as "outbox list --all" does; the exit status is 1 unless all of them were sent.

            A message that was set aside with members_changed would be encrypted for members who were not in the group \
            when it was written. Naming its id names these new readers on standard error and sends it to them; it is set \
            aside again if other users have joined by then. "outbox drop" discards it instead.
            """
    )

    @Argument(
        help: ArgumentHelp(
            "The ids of the messages. (default: all that wait, none of those set aside)",
            valueName: "message-id"
        )
    )
    var messages: [String] = []

    @OptionGroup
    var sending: SendingOptions

    @OptionGroup
    var state: StateOptions

    @OptionGroup
    var server: ServerOptions

    func run() async throws {
        var remote = try RemoteSession(state, server)
        let outbox = try state.outbox(of: remote.session.userID, server)
        let ids = messages.isEmpty ? try outbox.list([.queued]).map(\.messageID) : messages.map { WireString($0) }
        for id in ids {
            if !messages.isEmpty, let entry = try outbox.entry(id), entry.messageID == id, entry.isHeld {
                try outbox.retry(id, allowing: try await remote.nameNewReaders(of: entry))
            } else {
                try outbox.hurry(id, mayBeFinished: messages.isEmpty)
            }
        }
        let deadline = ContinuousClock.now + .seconds(sending.timeout)
        var isAllSent = true
        for id in ids {
            let rest = deadline - ContinuousClock.now
            try await remote.drain(outbox, until: id, timeout: max(rest, .zero))
            guard let entry = try outbox.entry(id) else { continue }
            isAllSent = isAllSent && entry.state == .sent
            try Output.result(entry.json.line)
        }
        if !isAllSent { throw ExitCode(1) }
    }
}

struct OutboxDrop: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop",
        abstract: "Discard unsent messages.",
        discussion: "An attempt in progress is not cancelled."
    )

    @Argument(help: ArgumentHelp("The ids of the messages.", valueName: "message-id"))
    var messages: [String]

    @OptionGroup
    var state: StateOptions

    @OptionGroup
    var server: ServerOptions

    func run() throws {
        let outbox = try state.outbox(of: try state.store().read().userID(), server)
        for id in messages { try outbox.drop(WireString(id)) }
    }
}

extension StateOptions {
    /// The outbox of a user and the API that the options name, made where there is none.
    func outbox(of user: UserID, _ server: ServerOptions) throws -> Outbox {
        try Files.makeFolder(outboxFolder)
        return try Outbox.open(try outboxPath(of: user, server), userID: user, api: try server.url)
    }

    /// Whether anything was ever put into that outbox.
    func hasOutbox(of user: UserID, _ server: ServerOptions) throws -> Bool {
        Files.exists(try outboxPath(of: user, server))
    }

    private var outboxFolder: String {
        get throws {
            // By whatever link the state is reached, it has one outbox.
            Files.resolved(try session ?? keyStore.keyStore().path) + ".outbox"
        }
    }

    private func outboxPath(of user: UserID, _ server: ServerOptions) throws -> String {
        "\(try outboxFolder)/\(Self.name(user, try server.url)).sqlite"
    }

    /// A file name that only this user and API have: whatever is not plain stands as its number.
    private static func name(_ user: UserID, _ api: String) -> String {
        let bytes = Array(user.utf8) + Array("@".utf8) + Array(api.utf8)
        return bytes.map { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x40:
                String(UnicodeScalar(byte))
            default:
                "_\(String(byte, radix: 16))_"
            }
        }.joined()
    }
}

extension RemoteSession {
    /// Writes to standard error who would read a held message and could not when it was written.
    ///
    /// - Returns: Exactly those who were named.
    fileprivate mutating func nameNewReaders(of entry: OutboxEntry) async throws -> Set<UserID> {
        let conversation = entry.conversationID
        try await fetchKeys(of: conversation)
        guard let readers = entry.newReaders(in: session) else {
            throw CommandError(
                "the message \(visible(entry.messageID.string)) cannot be sent: the members of \(conversation) are not "
                    + "known; see them with: xchat read \(conversation)"
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

extension Outbox {
    /// Ends the waiting of a message; one that was only listed may be finished by another process by now.
    func hurry(_ id: WireString, mayBeFinished: Bool) throws {
        do {
            try retry(id)
        } catch {
            guard mayBeFinished, error.code == .finished else { throw error }
        }
    }
}

extension OutboxEntry {
    fileprivate var json: JSONValue {
        [
            "message_id": .string(messageID),
            "conversation_id": .string(conversationID.value),
            "conversation_key_version": .string(conversationKeyVersion),
            "state": .string(state.rawValue),
            "failures": .number(failures),
            "reason": reason.map { .string($0) } ?? .null,
            "sequence_id": sequenceID.map { .string($0) } ?? .null,
            "replaces": replaces.map { .string($0) } ?? .null,
            "replaced_by": replacedBy.map { .string($0) } ?? .null,
            "enqueued_at": .string(enqueuedAt.formatted(.iso8601)),
            "not_before": notBefore.map { .string($0.formatted(.iso8601)) } ?? .null,
        ]
    }
}
