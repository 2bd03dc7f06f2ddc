import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP
import XChatText

struct Group: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make and change groups.",
        discussion: """
            Example:
              xchat group create 2222 3333 --title "Lunch" --session alice.json
            """,
        subcommands: [
            GroupCreateCommand.self, GroupAdd.self, GroupRemove.self, GroupTitle.self, GroupLog.self, GroupAccept.self,
        ]
    )
}

struct GroupCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make a group with its first conversation key.",
        discussion: """
            Prints {"conversation_id": "g…", "conversation_key_version": "…", "sequence_id": "…"}. The keys of all \
            members are fetched from the server and pinned on first use. You become a member and an administrator.

            If the answer of the server is lost, the error names the group. Repeat the same command within a day: it \
            finds that group and does not make a second one.

            The title is signed but not encrypted, so the server can read it. It cannot contain a comma, because \
            commas separate the parts of the signed text.

            Example:
              xchat group create 2222 3333 --title "Lunch" --session alice.json
            """
    )

    @Argument(
        help: ArgumentHelp("The other members: ids, or handles as in @bob.", valueName: "member"),
        transform: UserArgument.init
    )
    var members: [UserArgument]

    @Option(help: "The title of the group.")
    var title: String?

    @Option(
        help: ArgumentHelp("Another administrator; give the option once for each.", valueName: "member"),
        transform: UserArgument.init
    )
    var admin: [UserArgument] = []

    @OptionGroup
    var options: AccountOptions

    func run() async throws {
        let account = try await options.account()
        let users = try await account.users(members + admin)
        let created = try await account.newGroup(
            of: Array(users.prefix(members.count)),
            title: title,
            administrators: Array(users.dropFirst(members.count))
        )
        try Output.result(of: "the group was created", created.json)
    }
}

struct GroupAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add members to a group, and give it a new conversation key.",
        discussion: """
            Prints {"conversation_id": "g…", "conversation_key_version": "…", "sequence_id": "…"}. The present \
            members are those of the group's membership log (see "group log"). The administrators and the title come \
            from the server. The signature of the change covers all of these.

            Example:
              xchat group add g5555 3333 --session alice.json
            """
    )

    @Argument(help: .group)
    var group: GroupArgument

    @Argument(
        help: ArgumentHelp("The new members: ids, or handles as in @bob.", valueName: "member"),
        transform: UserArgument.init
    )
    var members: [UserArgument]

    @OptionGroup
    var options: AccountOptions

    func run() async throws {
        let account = try await options.account()
        let group = try account.conversation(group.id)
        let members = try await account.users(members)
        let added = try await naming(group) { try await account.addMembers(members, to: group) }
        try Output.result(of: "the members were added", added.json)
    }
}

/// The help text for actions that X's SDK and API have no call for: they are signed and printed, not sent.
private let noRoute = """
    Nothing is sent, because X documents no call for this. Prints the signed action as one entry of \
    "action_signatures", for a server that accepts it.
    """

struct GroupRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Sign the removal of members from a group.",
        discussion: """
            \(noRoute)

            A removed member can read new messages until the key changes, so run "conversation rotate" afterwards.

            Example:
              xchat group remove g5555 2222 --session alice.json
            """
    )

    @Argument(help: .group)
    var group: GroupArgument

    @Argument(
        help: ArgumentHelp("The members: ids, or handles as in @bob that were used before.", valueName: "member"),
        transform: UserArgument.init
    )
    var members: [UserArgument]

    @OptionGroup
    var state: StateOptions

    func run() async throws {
        let (session, users) = try await state.offlineSession(with: members)
        let conversation = ConversationID(canonicalizing: group.id, sender: session.userID)
        let signed = try session.sign(.removeMembers(users), in: conversation)
        try Output.result(json: signed.requestMember)
    }
}

struct GroupTitle: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "title",
        abstract: "Sign a new title for a group.",
        discussion: """
            \(noRoute)

            The title is encrypted under the newest conversation key of the group. With --plain it is signed but not \
            encrypted, and cannot contain a comma. Put a title that begins with a dash after --.

            Example:
              xchat group title g5555 "Lunch on Friday" --session alice.json
            """
    )

    @Argument(help: .group)
    var group: GroupArgument

    @Argument(help: "The title.")
    var title: String

    @Flag(help: "Do not encrypt the title: the server can read it.")
    var plain = false

    @OptionGroup
    var state: StateOptions

    func run() async throws {
        let (session, conversation) = try await state.offlineSession(in: .id(group.id))
        let version = try session.keyToEncrypt(in: conversation).version
        let title = plain ? self.title : try session.encrypt(self.title, in: conversation).string
        let signed = try session.sign(.setTitle(title, keyVersion: version), in: conversation)
        try Output.result(json: signed.requestMember)
    }
}
