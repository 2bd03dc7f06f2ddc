public import XChatEngine
public import XChatEvents
package import XChatHTTP

extension Account {
    // MARK: Reading

    /// The canonical form of a conversation's id; throws for a conversation of two other users.
    ///
    /// - Parameter id: A user's id, two ids joined by `:` or `-`, or `g` and digits.
    /// - Returns: The conversation.
    /// - Throws: ``AccountError`` with `invalid_argument`.
    public func conversation(_ id: WireString) throws(AccountError) -> ConversationID {
        guard (try? ConversationTarget(id)) != nil else {
            throw AccountError(
                .invalidArgument,
                "\(quoted(id.string)) is not a conversation id; use a user id, two user ids joined by '-', or 'g' and digits"
            )
        }
        return try canonical(ConversationID(canonicalizing: id, sender: userID))
    }

    /// Returns a conversation unchanged; throws for a conversation of two other users.
    func canonical(_ conversation: ConversationID) throws(AccountError) -> ConversationID {
        guard conversation.isOneOfTwo(userID) != false else {
            throw AccountError(
                .invalidArgument,
                "user \(userID) does not belong to the conversation \(conversation); use a conversation of this user"
            )
        }
        return conversation
    }

    /// The whole history of a conversation, oldest first.
    ///
    /// Reading the history does not move the position of any consumer.
    /// - Parameter conversation: The conversation.
    /// - Returns: The events that were accepted, each once. Refused events go to ``problems``.
    /// - Throws: `APIError` if the history cannot be fetched, ``AccountError`` if the state cannot be read or written.
    public func history(of conversation: ConversationID) async throws -> [XChatEngine.Event] {
        let delivery = try await whileOpen { try await self.readHistory(of: conversation) }
        var seen = SeenEvents()
        return delivery.events.compactMap { opened in
            switch opened.result {
            case .failure(let error):
                report(Problem(error, opened, conversation: conversation))
                return nil
            case .success(var event):
                switch seen.insert(event) {
                case .repeated: return nil
                case .sameID: event.marks.insert(.sameID)
                case .new: break
                }
                return event
            }
        }
    }

    /// Fetches a whole history and delivers it.
    package func readHistory(of conversation: ConversationID) async throws -> OpenedDelivery {
        let conversation = try canonical(conversation)
        let history = try await wholeHistory(of: conversation)
        var delivery = try await deliver(
            history.events.map(\.encodedEvent),
            ids: history.events.map(\.id),
            keyEvents: history.keyEvents,
            in: conversation,
            pages: history.pages,
            isWhole: true
        )
        delivery.isIncomplete = delivery.isIncomplete || !history.problems.isEmpty
        for problem in history.problems { report(.incompleteHistory(problem), in: conversation) }
        return delivery
    }

    /// Learns the newest key of a conversation.
    ///
    /// For a 1:1 conversation, the newest page usually has the key change events. For a group, the whole history is
    /// read, because the members of the group determine which keys may be used to encrypt.
    func learnKeys(of conversation: ConversationID) async throws {
        let conversation = try canonical(conversation)
        let scope = AccountState.Scope(conversation)
        let known = try await state.session(scope).keyRing.newestVersion(in: conversation)
        guard let known, !conversation.isGroup else {
            _ = try await readHistory(of: conversation)
            return
        }
        let page = try await client.events(in: try ConversationTarget(conversation))
        // Some servers list key change events among the other events.
        let events = page.events.reversed().map(\.encodedEvent)
        _ = try await deliver(events, keyEvents: page.keyEvents, in: conversation)
        // Other servers spread key change events over all pages.
        if page.nextToken != nil, try await state.session(scope).keyRing.newestVersion(in: conversation) == known {
            _ = try await readHistory(of: conversation)
        }
    }

    /// Marks a conversation as read.
    ///
    /// - Parameters:
    ///   - conversation: The conversation.
    ///   - sequenceID: The sequence id of the last event that the user has seen.
    /// - Throws: `APIError`.
    public func markRead(_ conversation: ConversationID, until sequenceID: SequenceID) async throws {
        let target = try ConversationTarget(conversation)
        try await whileOpen { try await self.client.markRead(target, until: sequenceID) }
    }

    /// Shows the other members that the user is typing while a function runs.
    ///
    /// The typing indicator expires after about three seconds, so it is sent every two seconds. Failures to send it are
    /// ignored.
    /// - Parameters:
    ///   - conversation: The conversation.
    ///   - body: The function.
    /// - Returns: What the function returns.
    /// - Throws: What the function throws.
    public func typing<Value: Sendable>(
        in conversation: ConversationID,
        while body: @Sendable () async throws -> Value
    ) async throws -> Value {
        try checkOpen()
        let target = try ConversationTarget(conversation)
        let (client, calls) = (client, calls)
        let typing = Task {
            while !Task.isCancelled, !calls.isClosed {
                try? await client.sendTyping(in: target)
                try await Task.sleep(for: .seconds(2))
            }
        }
        defer { typing.cancel() }
        return try await body()
    }

    /// Deletes messages, for this account alone or for everyone.
    ///
    /// - Parameters:
    ///   - sequenceIDs: The sequence ids of the messages.
    ///   - conversation: Their conversation.
    ///   - forEveryone: Whether to delete the messages for everyone, which is allowed for own messages, and for all
    ///     messages of a group that the account administers.
    /// - Throws: `APIError`, `XChatError` if the deletion cannot be signed.
    public func delete(
        _ sequenceIDs: [SequenceID],
        in conversation: ConversationID,
        forEveryone: Bool = false
    ) async throws {
        try await whileOpen {
            let signed = try await self.state.session(AccountState.Scope(conversation))
                .sign(.deleteMessages(sequenceIDs, forAll: forEveryone), in: conversation)
            try await self.client.deleteMessages(signed, in: try ConversationTarget(conversation))
        }
    }

    // MARK: Keys of conversations

    /// Starts a conversation with a user: fetches and pins the user's keys, and gives the conversation its first key.
    ///
    /// A conversation that already has a key that may be used to encrypt is returned unchanged.
    /// - Parameter user: The other user.
    /// - Returns: The conversation.
    /// - Throws: ``AccountError`` with `pin_changed` or another trust code if the served keys differ from the pinned
    ///   ones; `APIError`.
    @discardableResult
    public func startConversation(with user: UserID) async throws -> ConversationID {
        guard user.isValid else {
            throw AccountError(.invalidArgument, "\(quoted(user.string)) is not a user id: 1 to 19 digits")
        }
        let conversation = ConversationID.oneToOne(userID, user)
        try await whileOpen {
            do {
                _ = try await self.readHistory(of: conversation)
            } catch let error as APIError where error.code == .notFound {
                // The conversation has no events yet.
            }
            let session = try await self.state.session(AccountState.Scope(conversation))
            guard (try? session.encryptingVersion(in: conversation)) == nil else { return }
            _ = try await self.changeKey(of: conversation)
        }
        return conversation
    }

    // MARK: Groups

    /// The present members of a group according to its membership log.
    ///
    /// - Parameter group: The group.
    /// - Returns: The members; empty for a group that the account does not know.
    /// - Throws: ``AccountError``.
    public func members(of group: ConversationID) async throws -> Set<UserID> {
        try await membership(of: group)?.present ?? []
    }

    /// The membership log of a group: the changes that took effect, each with its signer.
    ///
    /// - Parameter group: The group.
    /// - Returns: The log; nil for a group that the account does not know.
    /// - Throws: ``AccountError``.
    public func membership(of group: ConversationID) async throws -> Membership? {
        try await whileOpen { try await self.membershipLog(of: group) }
    }

    /// As ``membership(of:)``.
    func membershipLog(of group: ConversationID) async throws -> Membership? {
        try await state.session(AccountState.Scope(conversations: [group])).memberships[group]
    }

    /// Reads the history of a group and returns the server's description of the group.
    ///
    /// Title and avatar are not verified. If the server's member list differs from the membership log, a notice is
    /// reported, and the membership log is used.
    package func describedGroup(_ group: ConversationID) async throws -> ListedConversation {
        guard group.isGroup else {
            throw AccountError(.invalidArgument, "\(group) is not a group; use a group's id, 'g' and digits")
        }
        let listed = try await client.conversation(try ConversationTarget(group))
        _ = try await readHistory(of: group)
        if let members = try await membership(of: group), let ids = listed.memberIDs, Set(ids) != members.present {
            report(.memberListDiffers(group), in: group)
        }
        return listed
    }

    /// Sets the members for whom this account encrypts in a group to a list that a person accepted.
    ///
    /// Every other user counts as removed from then on; the server's list of members does not change. Use this when
    /// encrypting for a group fails with `membership_unproven` or `membership_unjudged` (see `docs/trust.md`, "Group
    /// membership"), after a person has checked the list, for example by asking the members. This method then reads
    /// the history again and checks its key change events against the accepted members.
    /// - Parameters:
    ///   - members: The members, including this account.
    ///   - group: The group.
    /// - Throws: `XChatError` with `invalid_argument` or `too_large`, `APIError`.
    public func acceptMembers(_ members: [UserID], of group: ConversationID) async throws {
        try await whileOpen {
            let scope = AccountState.Scope(group, users: Set(members))
            try await self.state.update(scope) { session in try session.acceptMembers(members, of: group) }
            self.acceptedKeyChanges.forget()
            _ = try await self.readHistory(of: group)
        }
    }

    /// The members of a group as this account knows them, and as the server lists them.
    package struct MemberComparison: Sendable {
        package let group: ConversationID
        package let known: Set<UserID>
        package let listed: [UserID]
    }

    /// Reads a group, and compares its known members with those that the server lists.
    ///
    /// - Parameter group: The group.
    /// - Returns: The group with both lists.
    /// - Throws: ``AccountError`` with `server` if the server lists no members; `APIError`.
    package func compareMembers(of group: ConversationID) async throws -> MemberComparison {
        _ = try await readHistory(of: group)
        let listed = try await client.conversation(try ConversationTarget(group)).memberIDs ?? []
        guard !listed.isEmpty else { throw AccountError(.server, "the server lists no members of \(group)") }
        return MemberComparison(group: group, known: try await members(of: group), listed: listed)
    }

    /// Accepts members of a group, if each of them is a known member or on the server's list.
    ///
    /// - Parameters:
    ///   - members: The members, including this account.
    ///   - comparison: The comparison that the person was shown.
    /// - Throws: ``AccountError`` with `invalid_argument` for any other user; the errors of ``acceptMembers(_:of:)``.
    package func accept(_ members: [UserID], from comparison: MemberComparison) async throws {
        if let stranger = members.first(where: { !comparison.known.contains($0) && !comparison.listed.contains($0) }) {
            throw AccountError(
                .invalidArgument,
                "user \(stranger) is neither a known member of \(comparison.group) nor on the server's list; nothing was changed"
            )
        }
        try await acceptMembers(members, of: comparison.group)
    }
}
