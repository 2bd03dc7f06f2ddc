import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatFiles
import XChatText

struct Chat: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read and write the messages of a conversation in a terminal.",
        discussion: """
            Shows the last messages of the conversation, and new messages as they arrive. Each message has a number \
            #N, its sender and its time. An event that did not verify is shown as "refused", without its text. The \
            "~" before a handle means that only the server vouches for it: no signature covers it.

            Every line of input is sent as a message, except for commands: /attach PATH [TEXT], /react [#N] EMOJI, \
            /edit [#N] TEXT, /delete [#N], /help, /quit. A line says when your message is queued, sent or not sent.

            Ctrl-D, Ctrl-C and /quit end the chat with status 0. Messages that are not sent yet get --timeout \
            seconds to reach the server; after that they wait in the outbox.

            Press Return to send a line. In a terminal a line has at most 4,094 bytes. If a message arrives while \
            you type, it is printed over your line. Nothing is lost; Ctrl-R shows the line again. If the input is a \
            file or a pipe, its lines are sent one after the other, and /attach is refused, because otherwise the \
            author of the text could send any of your files.

            With the bearer token of the app in XCHAT_APP_TOKEN, messages arrive at once. Otherwise the history is \
            read every --poll seconds.

            Example:
              xchat chat 2222 --session alice.json
            """
    )

    @Argument(help: .conversation("to"), transform: ConversationArgument.init)
    var to: ConversationArgument

    @Option(help: ArgumentHelp("How many earlier messages to show, 0 to 10000.", valueName: "number"))
    var history = 20

    @OptionGroup
    var polling: PollOptions

    @Flag(help: "First give the conversation a new key, if its newest one must not encrypt any more.")
    var rotate = false

    @OptionGroup
    var sending: SendingOptions

    func validate() throws {
        guard (0...10_000).contains(history) else { throw ValidationError("--history takes 0 to 10000.") }
    }

    func run() async throws {
        let account = try await sending.options.account(
            rotates: rotate,
            pollInterval: polling.interval,
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
        // On Linux, a terminal in line mode silently drops everything after the first 4,095 bytes of a line.
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
        // Otherwise the author of the piped text could send any file of the user.
        if case .attachment = input, !isTerminal {
            return .wrong("not sent: /attach works at a terminal only; use: xchat send TO --attach PATH")
        }
        return input
    }
}
