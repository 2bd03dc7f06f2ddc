import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP
import XChatText

struct Read: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fetch, verify, decrypt and print all events of a conversation.",
        discussion: """
            Prints the events, oldest first: time, sequence id, sender and contents. With --json an event is one \
            line of JSON, as "decrypt" prints it. Key change events are used but not printed. New keys and pins are \
            saved before anything is printed.

            The exit status is 1 in each of these cases:

            - an event was refused, or is marked "disputed_key";
            - a key change event was refused, unless the error is key_missing or unknown_signer and the event has no \
            key for this account, for example because it is older than the membership;
            - the keys of a signer were refused, or could not be fetched;
            - the server says that something is missing.

            Keys of other users are pinned on first use. Served keys that differ from the pins are not used until \
            you accept them: see "keys trust".

            A sender with a handle is shown as ~@bob (2222). The "~" means that only the server vouches for the \
            handle: no signature covers it. In JSON it is "sender_username_unverified". If the server does not \
            return handles within five seconds, ids are shown.

            With --follow the command continues and prints each new event once, until SIGINT or SIGTERM ends it with \
            status 0. New events come from the activity stream. For the stream, X requires the bearer token of the \
            app in XCHAT_APP_TOKEN; the app is subscribed to the user's messages if it is not yet. The stream can \
            leave out events, so the history is also read after every new connection, after a line that cannot be \
            read, and every minute. Without that token, or if the stream is not available, the history is read every \
            --poll seconds.

            Example:
              xchat read 2222 --session alice.json
              xchat read 2222 --follow --json --session alice.json
            """
    )

    @Argument(help: .conversation("conversation"), transform: ConversationArgument.init)
    var conversation: ConversationArgument

    @Flag(help: "Print one line of JSON per event.")
    var json = false

    @Flag(help: "Continue, and print new events as they arrive.")
    var follow = false

    @OptionGroup
    var polling: PollOptions

    @OptionGroup
    var options: AccountOptions

    func run() async throws {
        let account = try await options.account(pollInterval: polling.interval)
        let conversation = try await account.conversation(conversation)
        if follow { return try await followUntilSignal(account, conversation) }
        let delivery = try await naming(conversation) { try await account.readHistory(of: conversation) }
        var failed = !delivery.distrusted.isEmpty || !delivery.unavailable.isEmpty || delivery.isIncomplete
        let handles = await SenderNames(account).handles(ofSendersIn: delivery.events)
        var printer = EventPrinter()
        var seen = SeenEvents()
        var index = 0
        for event in delivery.events {
            guard let event = event.unlessRepeated(&seen) else { continue }
            try Output.result(event.line(&printer, handles: handles, isJSON: json, index: index))
            index += 1
            failed = failed || event.result.isBad
        }
        if failed {
            throw ExitCode.failure
        }
    }

    private func followUntilSignal(_ account: Account, _ conversation: ConversationID) async throws {
        if try Environment.token("XCHAT_APP_TOKEN") == nil {
            Output.note(
                "xchat: XCHAT_APP_TOKEN is not set: without the activity stream, the conversation is read every \(polling.poll) s"
            )
        }
        let isJSON = json
        _ = try await untilSignal {
            let names = SenderNames(account)
            try await names.ask(for: conversation)
            var printer = EventPrinter()
            var index = 0
            try await naming(conversation) {
                try await account.follow(conversation) { event in
                    let handles = await names.handles(ofSendersIn: [event])
                    try Output.result(event.line(&printer, handles: handles, isJSON: isJSON, index: index))
                    index += 1
                }
            }
        }
    }
}

extension OpenedEvent {
    /// The event as a line of output.
    func line(
        _ printer: inout EventPrinter,
        handles: [UserID: Handle],
        isJSON: Bool,
        index: Int
    ) -> String {
        isJSON
            ? resultJSON(result, received: received, servedID: servedID, handles: handles, index: index).line
            : printer.line(result, received: received, servedID: servedID, handles: handles)
    }
}
