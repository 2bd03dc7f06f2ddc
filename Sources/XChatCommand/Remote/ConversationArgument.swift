import ArgumentParser
import XChat
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

extension ArgumentHelp {
    /// The help of a conversation.
    static func conversation(_ valueName: String) -> ArgumentHelp {
        ArgumentHelp(
            "The conversation: the other user's id, two ids as A:B or A-B, or a group as g and digits.",
            valueName: valueName
        )
    }

    /// The help of a group.
    static var group: ArgumentHelp { ArgumentHelp("The group: g and digits.", valueName: "group") }
}

/// Adds the conversation, and what to do, to the server's answer that it has no such conversation.
///
/// - Parameters:
///   - conversation: The conversation that the calls are about.
///   - body: The calls.
/// - Returns: What the calls return.
/// - Throws: What they throw.
func naming<Value>(_ conversation: ConversationID, _ body: () async throws -> Value) async throws -> Value {
    do {
        return try await body()
    } catch let error as APIError where error.code == .notFound {
        let advice =
            conversation.isGroup
            ? "check the id; a group can be used by its members only"
            : "begin it with: xchat conversation start \(conversation)"
        throw CommandError("the server has no conversation \(conversation) of yours; \(advice)")
    }
}
