import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP

struct GroupLog: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Show the membership log of a group.",
        discussion: """
            Prints one line of JSON for each change that counted, oldest first: {"effect": "founded", "claim": "signed", \
            "signer": "…", "people": ["…"], "version": "…", "digest": "…"}; then {"members": ["…"], "former_members": \
            ["…"], "unjudged": 0}. The effect is founded, added, removed or replaced. The claim says whose word the change \
            is: signed (a signature of a member), signer (of the user who added this account), server, own or caller \
            (accepted with "group accept").

            The log is what "read" learned; read the group first. Keys are wrapped to its members and to no one else.

            Example:
              xchat group log g5555 --session alice.json
            """
    )

    @Argument(help: .group)
    var group: GroupArgument

    @OptionGroup
    var state: StateOptions

    func run() async throws {
        let session = try await state.offlineSession()
        let conversation = ConversationID(canonicalizing: group.id, sender: session.userID)
        guard let membership = session.memberships[conversation] else {
            throw CommandError(
                "the members of \(conversation) are not known; read the group first: xchat read \(conversation)"
            )
        }
        for entry in membership.log { try Output.result(entry.json.line) }
        let summary: JSONValue = [
            "members": .init(membership.present.sorted()),
            "former_members": .init(membership.bars.keys.sorted()),
            "unjudged": .number(membership.unjudged.count),
        ]
        try Output.result(summary.line)
    }
}

struct GroupAccept: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept",
        abstract: "Accept the server's member list of a group.",
        discussion: """
            The way out where a group does not encrypt: its member list is only the server's word, a change waits for keys \
            that are not accepted, or a member is gone. Shows the locally known members and those that the server lists, and \
            asks. Afterwards the members are those of the list, and everyone else who was known is barred: only an addition \
            that is signed later, or this command, brings them back.

            Everyone on the list can read what is encrypted afterwards. With --members the list is the one given, of people who \
            are known or listed; nothing is asked. Prints {"conversation_id": "g…", "members": ["…"]}.

            Example:
              xchat group accept g5555 --members 1111,2222 --session alice.json
            """
    )

    @Argument(help: .group)
    var group: GroupArgument

    @Option(
        help: ArgumentHelp(
            "The members to accept, ids or handles, separated by commas; nothing is asked.",
            valueName: "ids"
        )
    )
    var members: String?

    @OptionGroup
    var options: AccountOptions

    func validate() throws {
        if let members { _ = try Self.list(members) }
    }

    private static func list(_ text: String) throws -> [UserArgument] {
        try text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { part in
            try UserArgument(String(decoding: Array(part), as: UTF8.self))
        }
    }

    func run() async throws {
        let account = try await options.account()
        let conversation = try account.conversation(group.id)
        guard conversation.isGroup else { throw CommandError("\(conversation) is not a group") }
        let listed = try await naming(conversation) {
            _ = try await account.readHistory(of: conversation)
            return try await account.client.conversation(try ConversationTarget(conversation)).memberIDs ?? []
        }
        guard !listed.isEmpty else { throw CommandError("the server lists no members of \(conversation)") }
        let known = try await account.members(of: conversation)
        var accepted = listed
        if let members {
            accepted = try await account.users(try Self.list(members))
            if let stranger = accepted.first(where: { !known.contains($0) && !listed.contains($0) }) {
                throw CommandError(
                    "user \(stranger) is neither a known member of \(conversation) nor on the server's list; nothing was changed"
                )
            }
        } else {
            try confirm(known: known, listed: listed, conversation)
        }
        try await account.acceptMembers(accepted, of: conversation)
        let answer: JSONValue = [
            "conversation_id": .string(conversation.text),
            "members": .init(accepted.sorted()),
        ]
        try Output.result(of: "the members of \(conversation) were accepted", answer)
    }

    private func confirm(known: Set<UserID>, listed: [UserID], _ conversation: ConversationID) throws {
        Output.note(text("known members", known.sorted(), unlike: Set(listed)))
        Output.note(text("members on the server's list", listed.sorted(), unlike: known))
        guard let terminal = Terminal() else {
            throw CommandError(
                "there is no terminal to ask on, so nothing was changed: name the members of \(conversation) with --members"
            )
        }
        guard try terminal.ask("Accept the server's list? Type yes to accept it: ") == "yes" else {
            throw CommandError("not accepted; nothing was changed")
        }
    }

    private func text(_ title: String, _ users: [UserID], unlike others: Set<UserID>) -> String {
        let lines = users.map { "  \(visible($0.string))\(others.contains($0) ? "" : "  (not on the other list)")" }
        return ([users.isEmpty ? "\(title): none" : "\(title):"] + lines).joined(separator: "\n")
    }
}
