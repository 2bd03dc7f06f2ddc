import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP

/// A conversation on the command line: a user's id or handle, two ids as `A:B` or `A-B`, or a group as `g` and digits.
enum ConversationArgument {
    case id(WireString)
    case handle(Handle)

    init(_ argument: String) throws(ValidationError) {
        if argument.utf8.first == UInt8(ascii: "@") {
            self = .handle(try Handle(argument: argument))
            return
        }
        let id = WireString(argument)
        guard (try? ConversationTarget(id)) != nil else {
            throw ValidationError(
                "a conversation is a user id, a handle as in @bob, two ids as A:B or A-B, or a group as g and digits."
                    + handleHint(argument)
            )
        }
        self = .id(id)
    }
}

/// A group on the command line: `g` and digits.
struct GroupArgument: ExpressibleByArgument {
    let id: WireString

    init?(argument: String) {
        id = WireString(argument)
        guard (try? ConversationTarget(id)) != nil else { return nil }
    }
}

/// A user on the command line: an id, or a handle with `@`.
enum UserArgument {
    case id(UserID)
    case handle(Handle)

    init(_ argument: String) throws(ValidationError) {
        if argument.utf8.first == UInt8(ascii: "@") {
            self = .handle(try Handle(argument: argument))
            return
        }
        guard let id = UserID(validating: argument) else {
            throw ValidationError(
                "\(quoted(argument)) is not a user id, which has 1 to 19 digits, nor a handle as in @bob."
                    + handleHint(argument)
            )
        }
        self = .id(id)
    }

    fileprivate var handle: Handle? {
        guard case .handle(let handle) = self else { return nil }
        return handle
    }

    fileprivate func user(_ users: [Handle: UserID]) -> UserID? {
        switch self {
        case .id(let id): id
        case .handle(let handle): users[handle]
        }
    }
}

/// Advice for an argument that would be a handle if it began with `@`; empty for any other argument.
private func handleHint(_ argument: String) -> String {
    (try? Handle(argument)).map { " For the user with this handle, write \($0)." } ?? ""
}

extension Handle {
    /// The handle of an argument.
    init(argument: String) throws(ValidationError) {
        do throws(APIError) {
            try self.init(argument)
        } catch {
            throw ValidationError("\(error.detail).")
        }
    }
}

extension Account {
    /// The conversation of an argument; a handle is looked up.
    func conversation(_ argument: ConversationArgument) async throws -> ConversationID {
        switch argument {
        case .id(let id): try conversation(id)
        case .handle(let handle):
            try conversation((try await users(handles: [handle])[handle])?.text ?? "")
        }
    }

    /// The users of arguments, in their order; handles are looked up at the server, up to 100 in one call.
    func users(_ arguments: [UserArgument]) async throws -> [UserID] {
        let users = try await users(handles: arguments.compactMap(\.handle))
        return arguments.compactMap { $0.user(users) }
    }
}

extension StateOptions {
    /// The session with the whole state, and the users of arguments, for work without a server.
    ///
    /// A session file keeps the users of handles for each API.
    func offlineSession(
        with arguments: [UserArgument],
        api: String? = nil
    ) async throws -> (session: Session, users: [UserID]) {
        let handles = arguments.compactMap(\.handle)
        var configuration = try configuration()
        if !handles.isEmpty { configuration.api = try ServerOptions.url(api) }
        let (session, users) = try await Account.session(configuration, handles: handles)
        return (session, arguments.compactMap { $0.user(users) })
    }

    /// The session with the whole state, and the conversation of an argument, for work without a server.
    func offlineSession(
        in argument: ConversationArgument
    ) async throws -> (session: Session, conversation: ConversationID) {
        switch argument {
        case .id(let id):
            let session = try await offlineSession()
            return (session, ConversationID(canonicalizing: id, sender: session.userID))
        case .handle(let handle):
            let (session, users) = try await offlineSession(with: [.handle(handle)])
            return (session, ConversationID(canonicalizing: users.first?.text ?? "", sender: session.userID))
        }
    }
}

extension ArgumentHelp {
    /// The help of a conversation.
    static func conversation(_ valueName: String) -> ArgumentHelp {
        ArgumentHelp(
            "The conversation: the other user's id or handle as in @bob, two ids as A:B or A-B, or a group as g and digits.",
            valueName: valueName
        )
    }

    /// The help of a group.
    static var group: ArgumentHelp { ArgumentHelp("The group: g and digits.", valueName: "group") }
}

/// Runs calls about a conversation; if the server does not have it, the error names it and the next step.
///
/// - Parameters:
///   - conversation: The conversation that the calls are about.
///   - isAboutMessages: Whether the server gives the same answer for a message that does not exist.
///   - body: The calls.
/// - Returns: What the calls return.
/// - Throws: The errors of the calls.
func naming<Value>(
    _ conversation: ConversationID,
    isAboutMessages: Bool = false,
    _ body: () async throws -> Value
) async throws -> Value {
    do {
        return try await body()
    } catch let error as APIError where error.code == .notFound {
        let advice =
            conversation.isGroup
            ? "check the id, and whether you are a member of the group"
            : "check the id, or start it with: xchat conversation start \(conversation)"
        let messages =
            isAboutMessages
            ? "; or not all of these messages are in it: check their ids with: xchat read \(conversation)" : ""
        throw CommandError("the server has no conversation \(conversation) of yours; \(advice)\(messages)")
    }
}
