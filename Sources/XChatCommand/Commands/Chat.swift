import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatFiles

struct Chat: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Talk in a conversation: what comes is shown, what you type is sent.",
        discussion: """
            Shows the last messages of the conversation and each message as it comes. Every line of input is a message, and \
            one that starts with / is a command: /attach PATH [TEXT], /react [#N] EMOJI, /edit [#N] TEXT, /delete [#N], /help, \
            /quit. Each message has a number #N, its sender and its time. What did not verify is shown as "refused", without \
            its text. "~" marks a handle: it is the server's word, and no signature covers it.

            A line says when a message that you sent is queued, sent or not sent. Ctrl-D, Ctrl-C and /quit end the chat with \
            0, after what was sent had --timeout seconds to reach the server; the rest waits in the outbox.

            Input is read in lines, which the terminal edits. A line counts when you press Return, and has at most 4,094 bytes \
            there. If the input is a file or a pipe, its lines are sent one after the other, without /attach. While you type, a message is printed over your line: nothing is lost, and Ctrl-R shows it again. \
            With the app's token in XCHAT_APP_TOKEN messages come at once, otherwise every --poll seconds.

            Example:
              xchat chat 2222 --session alice.json
            """
    )

    @Argument(help: .conversation("to"), transform: ConversationArgument.init)
    var to: ConversationArgument

    @Option(help: ArgumentHelp("How many earlier messages to show, 0 to 10000.", valueName: "number"))
    var history = 20

    @Option(
        help: ArgumentHelp("How often to look for messages where there is no stream, 1 to 3600.", valueName: "seconds")
    )
    var poll = 5

    @Flag(help: "Give the conversation a new key, if the newest one must not encrypt any more.")
    var rotate = false

    @OptionGroup
    var sending: SendingOptions

    @OptionGroup
    var options: AccountOptions

    func validate() throws {
        guard (0...10_000).contains(history) else { throw ValidationError("--history takes 0 to 10000.") }
        guard (1...3600).contains(poll) else { throw ValidationError("--poll takes 1 to 3600 seconds.") }
    }

    func run() async throws {
        let account = try await options.account(
            rotates: rotate,
            pollInterval: .seconds(poll),
            notify: ChatScreen.notice
        )
        let conversation = try await account.conversation(to)
        let room = ChatRoom(account, conversation)
        let history = history
        _ = try await untilSignal {
            try await room.showHistory(last: history)
            account.startWorker()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await account.follow(conversation) { event in try await room.show(event) } }
                group.addTask { try await Self.readInput(room) }
                defer { group.cancelAll() }
                _ = try await group.next()
            }
        }
        await room.finish(within: .seconds(sending.timeout))
        await account.close()
    }

    /// Carries out the lines of standard input up to its end.
    private static func readInput(_ room: ChatRoom) async throws {
        let isTerminal = Descriptor.standardInput.isTerminal
        // A terminal in line mode silently cuts what follows the first 4,095 bytes of a line.
        let input = InputLines(limit: isTerminal ? 4094 : 64 << 10, dropsUnfinishedLine: isTerminal)
        for await lines in input.parts {
            input.take()
            for line in lines {
                guard try await room.handle(Self.input(line, isTerminal: isTerminal)) else { return }
            }
        }
    }

    private static func input(_ line: EventLines.Line, isTerminal: Bool) -> ChatInput {
        guard case .text(let bytes) = line else {
            return .wrong(
                isTerminal
                    ? "not sent: the terminal cuts lines at 4,095 bytes; send a longer text with: xchat send TO < FILE"
                    : "not sent: a line has at most 64 KiB"
            )
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            return .wrong("not sent: the line is not UTF-8")
        }
        let input = ChatInput(text)
        // Otherwise a program that writes to the pipe could send any file of the user.
        if case .attachment = input, !isTerminal {
            return .wrong("not sent: /attach works at a terminal only; use: xchat send TO --attach PATH")
        }
        return input
    }
}
