import ArgumentParser
import XChatEvents
import XChatHTTP

/// A conversation on the command line: a user's id, two ids as `A:B` or `A-B`, or a group as `g` and digits.
struct ConversationArgument: ExpressibleByArgument {
    let id: WireString

    init?(argument: String) {
        id = WireString(argument)
        guard (try? ConversationTarget(id)) != nil else { return nil }
    }
}
