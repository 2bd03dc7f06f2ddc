import ArgumentParser

@main
struct XChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "xchat", abstract: "End-to-end encrypted X Chat.")
}
