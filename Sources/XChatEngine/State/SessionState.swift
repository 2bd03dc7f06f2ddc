public import XChatEvents

/// The complete state of a session as one value.
///
/// The state contains the private keys and the conversation keys in the clear. Encrypt the result of ``encoded()``
/// before you store it, and wipe the bytes. A store with many conversations keeps a record for each ``UserState`` and
/// ``ConversationState`` instead.
public struct SessionState: Sendable {
    /// The user whose session this is.
    public let userID: UserID
    /// The user's private keys.
    public let privateKeys: PrivateKeys?
    /// The version under which the server registered the keys.
    public let signingKeyVersion: KeyVersion?
    /// The states of users, each user once.
    public let users: [UserState]
    /// The states of conversations, each conversation once.
    public let conversations: [ConversationState]
    let unknown: [UInt8]

    init(_ session: Session) {
        userID = session.userID
        privateKeys = session.privateKeys
        signingKeyVersion = session.signingKeyVersion
        users = Set(session.pins.knownUsers).sorted().compactMap { session.state(of: $0) }
        conversations = Set(session.knownConversations).sorted { $0.text < $1.text }
            .compactMap { session.state(of: $0) }
        unknown = session.unknownFields
    }

    /// Decodes a state; fields that only later versions of the library know are kept.
    ///
    /// - Parameter bytes: The result of ``encoded()``, from a store that authenticates its contents. Wipe it
    ///   afterwards: the decoded state has its own copies of the keys.
    /// - Throws: `malformed` for damaged bytes, `invalid_key` for private keys that are out of range, `too_large` for a
    ///   membership log beyond its limits, `unsupported` for a state that this version must not read.
    public init(decoding bytes: [UInt8]) throws(XChatError) {
        var reader = try StateReader(bytes, .session)
        var (userID, signingKeyVersion): (UserID?, KeyVersion?)
        var privateKeys: PrivateKeys?
        var users: [UserState] = []
        var conversations: [ConversationState] = []
        while let field = try reader.next() {
            switch field.id {
            case 1: userID = try reader.id(field)
            case 2:
                privateKeys = try reader.withSecret(field) { (blob) throws(XChatError) in
                    try PrivateKeys(importing: blob)
                }
            case 3: signingKeyVersion = try reader.id(field)
            case 4:
                var user = try reader.nestedElement(field)
                users.append(try UserState(from: &user))
            case 5:
                var conversation = try reader.nestedElement(field)
                conversations.append(try ConversationState(from: &conversation))
            default: reader.keep(field)
            }
        }
        guard let userID, !userID.isEmpty, signingKeyVersion?.isEmpty != true else {
            throw reader.error("has no user id or an empty key version", at: 0)
        }
        guard Set(users.map(\.userID)).count == users.count,
            Set(conversations.map(\.conversation)).count == conversations.count
        else { throw reader.error("has a user or a conversation twice", at: 0) }
        self.userID = userID
        self.privateKeys = privateKeys
        self.signingKeyVersion = signingKeyVersion
        self.users = users
        self.conversations = conversations
        unknown = reader.unknown
    }

    /// Encodes the state; the private keys and the conversation keys are not encrypted.
    ///
    /// - Returns: The bytes, which the caller has to wipe; equal states have equal bytes.
    /// - Throws: `unsupported` if libsodium cannot be initialised.
    public func encoded() throws(XChatError) -> [UInt8] {
        var writer = StateWriter(.session)
        writer.text(1, userID)
        if let privateKeys {
            try privateKeys.withExport { (blob) throws(XChatError) in writer.secret(2, blob) }
        }
        writer.text(3, ifPresent: signingKeyVersion)
        for user in users { writer.nested(4) { user.write(to: &$0) } }
        for conversation in conversations { writer.nested(5) { conversation.write(to: &$0) } }
        writer.unknown(unknown)
        writer.finish()
        return writer.bytes
    }
}
