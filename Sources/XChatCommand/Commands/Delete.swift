import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP

struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Delete messages, for yourself or for all participants.",
        discussion: """
            Prints {"deleted": true}. With --for-all you can delete your own messages, and any message of a group \
            that you administer. Clients that follow the rules ignore other deletions.

            Example:
              xchat delete 2222 5001 --for-all --session alice.json
            """
    )

    @Argument(help: .conversation("to"), transform: ConversationArgument.init)
    var conversation: ConversationArgument

    @Argument(help: ArgumentHelp("The sequence ids of the messages.", valueName: "sequence-id"))
    var sequenceIDs: [String]

    @Flag(help: "Delete for all participants.")
    var forAll = false

    @OptionGroup
    var options: AccountOptions

    func validate() throws {
        for id in sequenceIDs { try requireSequenceID(id) }
    }

    func run() async throws {
        let account = try await options.account()
        let conversation = try await account.conversation(conversation)
        try await naming(conversation, isAboutMessages: true) {
            try await account.delete(sequenceIDs.map { SequenceID($0) }, in: conversation, forEveryone: forAll)
        }
        try Output.result(of: "the messages were deleted", ["deleted": .bool(true)])
    }
}
