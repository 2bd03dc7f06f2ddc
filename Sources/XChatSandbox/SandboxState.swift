import Foundation
import XChat
import XChatEvents

/// Everything the server holds: public keys, ciphertext and signatures, in memory.
actor SandboxState {
    struct Conversation {
        let participants: Set<UserID>
        let token: WireString
        /// The version of the newest key.
        ///
        /// A conversation exists from its first key on.
        var keyVersion: KeyVersion
        /// In the order of their sequence ids.
        var events: [MessageEvent] = []
        /// What was stored under a message id, so that a repeated request gets the first answer.
        var stored: [MintedID: MessageEvent] = [:]
    }

    struct MintedID: Hashable {
        let sender: UserID
        let messageID: WireString
    }

    /// Registered keys by user, oldest first.
    ///
    /// A user exists once keys are registered.
    private(set) var users: [UserID: [BoundKey]] = [:]
    private(set) var conversations: [ConversationID: Conversation] = [:]
    private var lastSequenceID = SandboxState.firstSequenceID

    /// Key changes from this number on are judged by the rules of today; see ``nextSequenceID()``.
    private static let firstSequenceID: UInt64 = 2_070_276_095_283_454_002

    // MARK: Public keys

    func publicKeys(of user: UserID) throws(Problem) -> [BoundKey] {
        guard let keys = users[user] else { throw .unknownUser }
        return keys
    }

    /// Registers keys after checking that they belong together, and answers their version.
    func register(_ request: RegistrationRequest, user: UserID) throws(Problem) -> KeyVersion {
        let keys = users[user] ?? []
        let version: KeyVersion
        if request.generateVersion == true {
            // Milliseconds as X's, but never one that was given out before.
            let newest = keys.compactMap(\.version.number).max() ?? 0
            version = WireString(String(max(Self.milliseconds(), newest &+ 1)))
        } else {
            version = WireString(request.version)
            guard version.number != nil, version.isDigits else {
                throw .invalidRequest("The version is not a number.", parameter: "version")
            }
            guard !keys.contains(where: { $0.version.number == version.number }) else {
                throw .invalidRequest("The version is registered already.", parameter: "version")
            }
        }
        let key: BoundKey
        do {
            key = try BoundKey(
                checking: RegisteredKey(
                    userID: user,
                    publicKeyVersion: version,
                    publicKey: WireString(request.publicKey.signingKey),
                    identityPublicKey: WireString(request.publicKey.identityKey),
                    identityPublicKeySignature: WireString(request.publicKey.signatureOfIdentityKey),
                    signingPublicKeySignature: request.publicKey.signatureOfSigningKey.map { WireString($0) }
                )
            )
        } catch {
            throw .invalidRequest("The keys do not belong together: \(error.code.rawValue).", parameter: "public_key")
        }
        if let fingerprint = request.publicKey.fingerprint,
            WireString(fingerprint) != WireString(key.identityKey.fingerprint)
        {
            throw .invalidRequest(
                "The fingerprint is not that of the identity key.",
                parameter: "public_key.public_key_fingerprint"
            )
        }
        users[user, default: []].append(key)
        return version
    }

    // MARK: Conversation keys

    /// Takes a key change, and answers the stored event.
    func addKeys(_ request: KeysRequest, to id: ConversationID, from sender: UserID) throws(Problem) -> MessageEvent {
        guard let (first, second) = id.participants else { throw .unknownConversation }
        let participants: Set = [first, second]
        guard participants.contains(sender) else { throw .outsider }
        guard participants.allSatisfy({ users[$0] != nil }) else { throw .unknownUser }

        let change = try KeyChangeCheck(request, in: id, from: sender, users: users)
        let minted = MintedID(sender: sender, messageID: change.messageID)
        if let stored = conversations[id]?.stored[minted] { return stored }
        try change.check(participants: participants, newerThan: conversations[id]?.keyVersion)

        var conversation =
            conversations[id]
            ?? Conversation(
                participants: participants,
                token: Self.conversationToken(),
                keyVersion: change.version
            )
        conversation.keyVersion = change.version
        let event = store(change.event, in: &conversation)
        conversations[id] = conversation
        return event
    }

    // MARK: Messages

    /// Takes a message, and answers the stored event or, as X does under a status of success, a failure event.
    func send(_ request: SendRequest, to id: ConversationID, from sender: UserID) throws(Problem) -> MessageEvent {
        guard var conversation = conversations[id] else { throw .unknownConversation }
        let messageID = WireString(request.messageID)
        guard !messageID.isEmpty else { throw .invalidRequest("The message id is empty.", parameter: "message_id") }
        if let stored = conversation.stored[MintedID(sender: sender, messageID: messageID)] { return stored }
        let event: MessageEvent
        do {
            event = try accept(request, messageID: messageID, in: id, conversation, from: sender)
        } catch {
            return MessageEvent(
                sequenceID: nextSequenceID(),
                messageID: messageID,
                senderID: sender,
                conversationID: id.value,
                createdAtMsec: WireString(String(Self.milliseconds())),
                detail: .messageFailureEvent(MessageFailureEvent(failureType: error.type))
            )
        }
        let stored = store(event, in: &conversation)
        conversations[id] = conversation
        return stored
    }

    struct Failure: Error {
        let type: FailureType
    }

    /// The event as the sender signed it, or why the server does not take it.
    private func accept(
        _ request: SendRequest,
        messageID: WireString,
        in id: ConversationID,
        _ conversation: Conversation,
        from sender: UserID
    ) throws(Failure) -> MessageEvent {
        guard conversation.participants.contains(sender) else { throw Failure(type: .senderNotGroupMember) }
        guard let encodedSignature = request.encodedMessageEventSignature,
            let create = try? MessageCreateEvent(decoding: Base64.decode(request.encodedMessageCreateEvent)),
            let signature = try? MessageEventSignature(decoding: Base64.decode(encodedSignature)),
            create.contents != nil
        else { throw Failure(type: .invalidSenderSignature) }
        let event = MessageEvent(
            messageID: messageID,
            senderID: sender,
            conversationID: id.value,
            detail: .messageCreateEvent(create),
            messageEventSignature: signature
        )
        do {
            try Verifier.verify(event, keys: users[sender] ?? [])
        } catch {
            throw Failure(type: error.failureType)
        }
        guard create.conversationKeyVersion == conversation.keyVersion else {
            throw Failure(type: .nonLatestCkeyVersion)
        }
        return event
    }

    // MARK: History

    /// A page of events, newest first.
    func page(of id: ConversationID, for user: UserID, query: PageQuery) throws(Problem) -> Page {
        guard let conversation = conversations[id] else { throw .unknownConversation }
        guard conversation.participants.contains(user) else { throw .outsider }
        return Page(conversation.events, query: query)
    }

    // MARK: Storing

    /// Puts the server's part into the envelope: none of it is signed.
    private func store(_ event: MessageEvent, in conversation: inout Conversation) -> MessageEvent {
        var event = event
        event.previousSequenceID = conversation.events.last?.sequenceID
        event.sequenceID = nextSequenceID()
        event.createdAtMsec = WireString(String(Self.milliseconds()))
        event.conversationToken = conversation.token
        conversation.events.append(event)
        if let sender = event.senderID, let messageID = event.messageID {
            conversation.stored[MintedID(sender: sender, messageID: messageID)] = event
        }
        return event
    }

    /// Snowflakes, like X's: milliseconds since X's epoch in the upper bits.
    ///
    /// Rising, and above the number from which X's engine enforces the signatures of key changes, whatever the clock
    /// says.
    private func nextSequenceID() -> WireString {
        let epoch: UInt64 = 1_288_834_974_657
        let now = Self.milliseconds()
        let snowflake = now > epoch ? (now - epoch) << 22 : 0
        lastSequenceID = max(lastSequenceID + 1, snowflake)
        return WireString(String(lastSequenceID))
    }

    private static func milliseconds() -> UInt64 {
        UInt64(max(0, Date().timeIntervalSince1970 * 1000))
    }

    /// Opaque, and shaped like X's: three parts of a JWT, signed with nothing.
    private static func conversationToken() -> WireString {
        let random = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
        let parts = [Array(#"{"alg":"HS256"}"#.utf8), Array(#"{"requestingUserId":"0"}"#.utf8), random]
        return WireString(parts.map(Base64.encodeURLSafe).joined(separator: "."))
    }
}

extension Problem {
    static let unknownUser = notFound("No such user: none of these keys are registered.", resourceType: "user")
    static let unknownConversation = notFound(
        "No such conversation: it begins with its first key.",
        resourceType: "chat_conversation"
    )
    static let outsider = forbidden("You are not part of this conversation.", resourceType: "chat_conversation")
}

extension XChatError {
    /// The failure that X's server answers for an event that does not verify.
    fileprivate var failureType: FailureType {
        switch code {
        case .versionRefused: .invalidSignatureVersion
        case .noSignature, .inconsistent: .invalidSenderSignature
        case .unencrypted: .onlyEncryptedMessagesAllowed
        default: .signatureFailedToVerifyAgainstPublicKey
        }
    }
}
