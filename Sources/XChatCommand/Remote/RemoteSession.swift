import XChat
import XChatEvents
import XChatHTTP

/// The user's session together with the server: fetches what is missing, and pins keys on first use.
struct RemoteSession: Sendable {
    private let store: StateStore
    let client: ChatClient
    private(set) var session: Session
    /// Who was in the groups when the state was read.
    private let rostersBefore: [ConversationID: GroupRoster]
    /// Users whose served keys could not be taken; their events fail, and the command with them.
    private(set) var distrusted: Set<UserID> = []
    /// Those of them who were asked for in vain: their keys are refused, not missing.
    private var refused: Set<UserID> = []
    /// What was said of key changes: the server lists them again and again.
    private var complaints: Set<XChatError> = []

    init(_ state: StateOptions, _ server: ServerOptions) throws {
        store = try state.store()
        session = try store.read().session()
        rostersBefore = session.keptRosters
        client = try server.client()
        // One's own keys come from the state alone; the server could serve any.
        if let keys = session.privateKeys, keys.signingKey != nil, let version = session.signingKeyVersion {
            session.trust([try keys.boundKey(userID: session.userID, version: version)])
        }
    }

    /// The conversation that an argument names, in canonical form; one of two others is an error.
    func conversation(_ argument: ConversationArgument) throws(CommandError) -> ConversationID {
        let conversation = ConversationID(canonicalizing: argument.id, sender: session.userID)
        if let (first, second) = conversation.participants, first != session.userID, second != session.userID {
            throw CommandError("user \(session.userID) does not belong to the conversation \(conversation)")
        }
        return conversation
    }

    /// Keeps what was learned: pins, conversation keys, marks and rosters.
    func save() throws {
        try store.update { document in try document.add(learnedBy: session, rostersBefore: rostersBefore) }
    }

    /// The keys that the server serves for a user now; pinned on first use.
    ///
    /// - Throws: `pin_changed` where they differ from the pins.
    mutating func servedKeys(of user: UserID) async throws -> [BoundKey] {
        let served = try await client.publicKeys(of: user)
        try session.pin(served, of: user)
        return try session.bound(served, of: user)
    }

    /// The whole conversation: its key changes opened, its other events verified and opened, oldest first.
    mutating func history(of conversation: ConversationID) async throws -> [Result<Event, XChatError>] {
        let history = try await listing(of: try ConversationTarget(conversation))
        return await open(history.events.map(\.encodedEvent), keyEvents: history.keyEvents, in: conversation)
    }

    /// The whole conversation as the server lists it.
    func listing(of target: ConversationTarget) async throws(APIError) -> History {
        let history = try await client.history(in: target)
        for problem in history.problems {
            Output.warning("the server did not deliver everything: \(problem)")
        }
        return history
    }

    /// Verifies and opens what the server listed for a conversation; key changes are used and not answered.
    ///
    /// - Parameters:
    ///   - events: The base64 of events, oldest first.
    ///   - keyEvents: The base64 of key changes, oldest first.
    ///   - conversation: The conversation that was asked for.
    /// - Returns: One result for each of the events.
    mutating func open(
        _ events: [String],
        keyEvents: [String],
        in conversation: ConversationID
    ) async -> [Result<Event, XChatError>] {
        let keyEvents = concurrentMap(keyEvents) { event($0, servedFor: conversation) }
        let events = concurrentMap(events) { event($0, servedFor: conversation) }
        await fetchKeys(ofSigners: (keyEvents + events).compactMap { try? $0.get() }, in: conversation)
        let results = session.open(keyEvents + events)
        await learnRoster(of: conversation, from: keyEvents + events, results)
        for case .failure(let error) in results.prefix(keyEvents.count) where complaints.insert(error).inserted {
            // One that gives us no key is nothing to warn of: it was made before we came.
            guard error.code != .keyMissing else { continue }
            Output.warning("a key change was not accepted: \(visible(error.message))")
        }
        return Array(results.dropFirst(keyEvents.count))
    }

    /// Pins the keys of everybody who signed an event under a version that is not known yet.
    private mutating func fetchKeys(ofSigners events: [MessageEvent], in conversation: ConversationID) async {
        var missing: [UserID] = []
        for event in events where event.kind.isSigned {
            guard let signer = event.senderID, let version = event.messageEventSignature?.publicKeyVersion,
                signer != session.userID, mayBelong(signer, to: conversation), !missing.contains(signer),
                !refused.contains(signer),
                !session.pins[signer].contains(where: { $0.version == version })
            else { continue }
            missing.append(signer)
        }
        for signer in missing {
            do {
                _ = try await servedKeys(of: signer)
            } catch {
                distrusted.insert(signer)
                if error is XChatError { refused.insert(signer) }
                Output.note("xchat: \(visible((error as? XChatError)?.message ?? "\(error)"))")
            }
        }
    }

    /// Whether it is not known who belongs to a group.
    func lacksRoster(of conversation: ConversationID) -> Bool {
        conversation.isGroup && session.keptRosters[conversation] == nil
    }

    /// Settles who belongs to a group whose creation is not in its history, on first sight as keys are pinned.
    ///
    /// Signed additions go before the word of the server. Everybody who is found to have said something was a member.
    private mutating func learnRoster(
        of conversation: ConversationID,
        from events: [Result<MessageEvent, XChatError>],
        _ results: [Result<Event, XChatError>]
    ) async {
        guard lacksRoster(of: conversation),
            let members = await membersOnFirstSight(of: conversation), members.contains(session.userID)
        else { return }
        let verified = results.compactMap { try? $0.get() }.filter(\.isVerified).map(\.received)
        session.keptRosters[conversation] = GroupRoster(
            members: members,
            formerMembers: Set(verified.compactMap(\.senderID)),
            lastChange: verified.last { $0.kind == .groupChange }?.messageID
        )
        // Whose keys seal is known only now.
        _ = session.open(events.filter { (try? $0.get())?.kind == .keyChange })
    }

    private func membersOnFirstSight(of conversation: ConversationID) async -> Set<UserID>? {
        if let learned = session.learnedRosters[conversation] { return learned }
        do {
            return try await client.conversation(try ConversationTarget(conversation)).memberIDs.map { Set($0) }
        } catch {
            Output.note("xchat: the server does not say who is in \(conversation): \(visible("\(error)"))")
            return nil
        }
    }

    private func mayBelong(_ user: UserID, to conversation: ConversationID) -> Bool {
        guard let (first, second) = conversation.participants else { return true }
        return user == first || user == second
    }

    /// Adds the key of a key change that the server accepted; whom it was given to is who belongs to a group.
    mutating func adopt(_ change: KeyChange) {
        session.addConversationKey(change.key, in: change.conversationID, version: change.version)
        guard change.conversationID.isGroup else { return }
        let members = Set(change.participantKeys.map(\.userID))
        let kept = session.keptRosters[change.conversationID]
        session.keptRosters[change.conversationID] = kept?.changed(to: members) ?? GroupRoster(members: members)
    }

    /// Prepares a change that brings a fresh key.
    mutating func prepare<Change>(
        _ change: (inout Session) throws(XChatError) -> Change
    ) throws(XChatError) -> Change {
        try change(&session)
    }
}
