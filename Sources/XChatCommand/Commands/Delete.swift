import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP

struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Delete messages, for oneself or for everybody.",
        discussion: """
            Prints {"deleted": true}. For everybody means one's own messages, or any message of a group that one \
            administers; readers that follow the rules ignore other deletions.
            """
    )

    @Argument(
        help: ArgumentHelp("The other user's id, two ids as A:B or A-B, or a group as g and digits.", valueName: "to")
    )
    var conversation: ConversationArgument

    @Argument(help: ArgumentHelp("The sequence ids of the messages.", valueName: "sequence-id"))
    var sequenceIDs: [String]

    @Flag(help: "Delete for everybody.")
    var forAll = false

    @OptionGroup
    var state: StateOptions

    @OptionGroup
    var server: ServerOptions

    func validate() throws {
        guard sequenceIDs.allSatisfy({ WireString($0).isDigits }) else {
            throw ValidationError("A sequence id has digits.")
        }
    }

    func run() async throws {
        let remote = try RemoteSession(state, server)
        let conversation = try remote.conversation(self.conversation)
        let action = ConversationAction.deleteMessages(sequenceIDs.map { WireString($0) }, forAll: forAll)
        let signed = try remote.session.sign(action, in: conversation)
        try await remote.client.deleteMessages(signed, in: try ConversationTarget(conversation))
        try Output.result((["deleted": .bool(true)] as JSONValue).line)
    }
}
