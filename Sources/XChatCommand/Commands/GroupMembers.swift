import ArgumentParser
import XChat
import XChatEngine
import XChatEvents
import XChatHTTP
import XChatText

struct GroupLog: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Show the membership log of a group.",
        discussion: """
            Prints one line of JSON for each accepted change of the members, oldest first: {"effect": "founded", \
            "claim": "signed", "signer": "…", "people": ["…"], "version": "…", "digest": "…"}. Then it prints \
            {"members": ["…"], "former_members": ["…"], "unjudged": 0}, where "unjudged" counts the changes that \
            wait for the keys of their signers, and later changes that wait for those. The effect is founded, added, \
            removed or replaced. The claim says who vouches for the change:

            - signed: the signature of a member;
            - signer: the user who added this account;
            - server: the server alone;
            - own: this account, which made the change;
            - caller: you, with "group accept".

            The log contains the changes that "read" found, so read the group first. Conversation keys are wrapped \
            for the members of this log and for no one else.

            Example:
              xchat group log g5555 --session alice.json
            """
    )

    @Argument(help: .group)
    var group: GroupArgument

    @OptionGroup
    var state: StateOptions

    func run() async throws {
        let (session, conversation) = try await state.offlineSession(in: .id(group.id))
        guard let membership = session.memberships[conversation] else {
            throw CommandError(
                "the members of \(conversation) are not known; read the group first: xchat read \(conversation)"
            )
        }
        for entry in membership.log { try Output.result(json: entry.json) }
        try Output.result(json: membership.summaryJSON)
    }
}

struct GroupAccept: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept",
        abstract: "Accept the server's member list of a group.",
        discussion: """
            Use this if a group does not encrypt because only the server vouches for its member list, because a \
            change waits for keys that are not accepted, or because a member has left X; or if the list lacks a user \
            who joined by a link.

            Shows the locally known members and those that the server lists, and asks. Prints {"conversation_id": \
            "g…", "members": ["…"]}. Everyone on the accepted list can read what is encrypted afterwards, so check \
            each id. Every other known user is excluded: only an addition that is signed later, or this command, \
            brings them back.

            With --members the given list is accepted, and nothing is asked. Each user on it must be a known member \
            or on the server's list.

            Example:
              xchat group accept g5555 --members 1111,2222 --session alice.json
            """
    )

    @Argument(help: .group)
    var group: GroupArgument

    @Option(
        help: ArgumentHelp(
            "The members to accept: ids or handles, separated by commas. Nothing is asked.",
            valueName: "ids"
        ),
        transform: GroupAccept.list
    )
    var members: [UserArgument]?

    @OptionGroup
    var options: AccountOptions

    private static func list(_ text: String) throws -> [UserArgument] {
        try text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { part in
            try UserArgument(String(decoding: Array(part), as: UTF8.self))
        }
    }

    func run() async throws {
        let account = try await options.account()
        let conversation = try account.conversation(group.id)
        guard conversation.isGroup else { throw CommandError("\(conversation) is not a group") }
        let comparison = try await naming(conversation) { try await account.compareMembers(of: conversation) }
        if members == nil { try confirm(comparison) }
        let accepted = if let members { try await account.users(members) } else { comparison.listed }
        try await account.accept(accepted, from: comparison)
        let answer: JSONValue = [
            "conversation_id": .string(conversation.text),
            "members": .init(accepted.sorted()),
        ]
        try Output.result(of: "the members of \(conversation) were accepted", answer)
    }

    private func confirm(_ comparison: Account.MemberComparison) throws {
        let (known, listed) = (comparison.known, comparison.listed)
        Output.note(text("known members", known.sorted(), unlike: Set(listed)))
        Output.note(text("members on the server's list", listed.sorted(), unlike: known))
        try Terminal.confirm(
            "Accept the server's list? Type yes to accept it: ",
            orElse: "name the members of \(comparison.group) with --members"
        )
    }

    private func text(_ title: String, _ users: [UserID], unlike others: Set<UserID>) -> String {
        let lines = users.map { "  \(visible($0.string))\(others.contains($0) ? "" : "  (not on the other list)")" }
        return ([users.isEmpty ? "\(title): none" : "\(title):"] + lines).joined(separator: "\n")
    }
}
