import LibSodium
package import XChat
package import XChatEvents

/// The state of one user as JSON: what a session file holds in the clear and the key store sealed.
///
/// Members that this program does not know are kept. Ids and versions are compared byte by byte.
package struct SessionDocument: Hashable, Sendable {
    /// All members, known and unknown.
    package private(set) var root: JSONObject
    /// What error texts call the document.
    package let name: String

    /// A new document.
    package init(userID: UserID, name: String) {
        root = JSONObject()
        root["user_id"] = .string(userID)
        self.name = name
    }

    /// Reads a document; its members are looked at when they are needed.
    package init(parsing bytes: [UInt8], name: String) throws(CommandError) {
        root = try JSONPlace(parsing: bytes, document: name).object()
        self.name = name
    }

    /// The document as a file that people can open.
    package var bytes: [UInt8] {
        Array((JSONValue.object(root).indented + "\n").utf8)
    }

    private var place: JSONPlace {
        JSONPlace(root: .object(root), document: name)
    }
}

// MARK: - Members that are read

extension SessionDocument {
    /// The session that these members describe.
    ///
    /// All of them are the caller's word: registered, trusted, verified.
    package func session() throws -> Session {
        var session = try Session(
            userID: try userID(),
            privateKeys: try privateKeys(),
            signingKeyVersion: try signingKeyVersion()
        )
        let (bound, refused) = try boundKeys()
        for error in refused {
            Output.warning("left out: \(error)")
        }
        session.trust(bound)
        for held in try conversationKeys() {
            session.addConversationKey(held.key, in: held.conversation, version: held.version)
        }
        for (conversation, mark) in try marks() {
            session.restoreMark(mark, of: conversation)
        }
        for kept in try rosters() {
            session.keptRosters[kept.conversation] = kept.roster
        }
        return session
    }

    /// Whose state this is.
    package func userID() throws(CommandError) -> UserID {
        let member = try place.required("user_id")
        let userID = try member.string()
        guard !userID.utf8.isEmpty else { throw member.error("is empty") }
        return userID
    }

    /// The version under which the server knows the keys.
    package func signingKeyVersion() throws(CommandError) -> KeyVersion? {
        guard let member = try place.member("signing_key_version") else { return nil }
        let version = try member.string()
        guard !version.utf8.isEmpty else { throw member.error("is empty") }
        return version
    }

    /// The private keys.
    package func privateKeys() throws(CommandError) -> PrivateKeys? {
        guard let member = try place.member("private_keys") else { return nil }
        var blob = try member.base64()
        defer { Sodium.wipe(&blob) }
        do {
            return try PrivateKeys(importing: blob.span)
        } catch {
            throw member.error(error.message)
        }
    }

    /// Every conversation key with its canonical conversation id.
    package func conversationKeys() throws(CommandError) -> [HeldKey] {
        let userID = try userID()
        var held: [HeldKey] = []
        for (id, versions) in try place.member("conversation_keys")?.members() ?? [] where versions.value != .null {
            let conversation = ConversationID(canonicalizing: id, sender: userID)
            for (version, member) in try versions.members() where member.value != .null {
                var bytes = try member.base64()
                defer { Sodium.wipe(&bytes) }
                do {
                    let key = try ConversationKey(bytes: bytes.span)
                    held.append(HeldKey(conversation: conversation, version: version, key: key, member: id))
                } catch {
                    throw member.error(error.message)
                }
            }
        }
        return held
    }

    /// A conversation key of the document.
    package struct HeldKey: Sendable {
        package let conversation: ConversationID
        package let version: KeyVersion
        package let key: ConversationKey
        /// The conversation id as the document spells it.
        let member: WireString
    }

    /// The public keys that are trusted, and why entries are none whose binding does not hold.
    ///
    /// Such an entry can verify nothing, and the rest of the document is no worse for it.
    package func boundKeys() throws(CommandError) -> (bound: [BoundKey], refused: [CommandError]) {
        var bound: [BoundKey] = []
        var refused: [CommandError] = []
        for entry in try place.member("signing_keys")?.elements() ?? [] {
            let registered = try RegisteredKey(entry)
            do {
                bound.append(try BoundKey(checking: registered))
            } catch {
                refused.append(entry.error(error.message))
            }
        }
        return (bound, refused)
    }

    /// The highest version that a verified key of each conversation had.
    private func marks() throws(CommandError) -> [(ConversationID, UInt64)] {
        let userID = try userID()
        return try (place.member("conversation_key_marks")?.members() ?? []).map { id, member throws(CommandError) in
            guard let mark = try member.string().number else { throw member.error("is not a number") }
            return (ConversationID(canonicalizing: id, sender: userID), mark)
        }
    }

    /// Who is and who was in each group.
    private func rosters() throws(CommandError) -> [(conversation: ConversationID, roster: GroupRoster)] {
        let groups = try place.member("group_rosters")?.members() ?? []
        return try groups.filter { $0.place.value != .null }.map { id, group throws(CommandError) in
            let conversation = ConversationID(canonicalizing: id)
            guard conversation.isGroup else { throw group.error("is not a group's") }
            let former = try group.member("former_members")?.users() ?? []
            let roster = GroupRoster(
                members: try group.required("members").users(),
                formerMembers: former,
                lastChange: try group.member("last_change")?.string()
            )
            return (conversation, roster)
        }
    }
}

// MARK: - Members that are written

extension SessionDocument {
    /// Names the version that the server gave the keys.
    package mutating func set(signingKeyVersion: KeyVersion) {
        root["signing_key_version"] = .string(signingKeyVersion)
    }

    /// Puts private keys in.
    package mutating func set(_ keys: PrivateKeys) throws(XChatError) {
        root["private_keys"] = .string(try keys.withExport { blob in Base64.encode(blob) })
    }

    /// Adds what a session learned: pins, conversation keys, marks and rosters.
    ///
    /// No pin, key or mark that is there is taken away. Rosters that are as they were when the session was made are left
    /// alone: another process may know better.
    package mutating func add(
        learnedBy session: Session,
        rostersBefore: [ConversationID: GroupRoster] = [:]
    ) throws(CommandError) {
        try addPins(of: session)
        try addConversationKeys(of: session)
        try raiseMarks(to: session)
        try putRosters(of: session.keptRosters.filter { $0.value != rostersBefore[$0.key] })
    }

    private mutating func addPins(of session: Session) throws(CommandError) {
        let present = try boundKeys().bound
        for user in session.pins.users {
            let pins = session.pins[user]
            let new = pins.filter { pin in !present.contains { $0.isSamePin(as: pin) } }
            // Between reading and writing, another process may have pinned other keys of this user.
            let isForeign = { (key: BoundKey) in key.userID == user && !pins.contains { $0.isSamePin(as: key) } }
            guard new.isEmpty || !present.contains(where: isForeign) else {
                throw changedMeanwhile(user)
            }
            for pin in new {
                append(pin.registered)
            }
        }
    }

    private mutating func addConversationKeys(of session: Session) throws(CommandError) {
        var spellings: [ConversationID: WireString] = [:]
        var versions: [ConversationID: Set<KeyVersion>] = [:]
        for held in try conversationKeys() {
            spellings[held.conversation] = spellings[held.conversation] ?? held.member
            versions[held.conversation, default: []].insert(held.version)
        }
        var conversations = try place.member("conversation_keys")?.object() ?? JSONObject()
        for learned in session.keyRing.verified
        where versions[learned.conversation]?.contains(learned.version) != true {
            // The document may spell the id in another of its forms.
            let member = spellings[learned.conversation] ?? learned.conversation.value
            var keys = JSONObject()
            if case .object(let present) = conversations[member] {
                keys = present
            }
            keys[learned.version] = .string(learned.key.withBytes { Base64.encode($0) })
            conversations[member] = .object(keys)
        }
        if !conversations.isEmpty {
            root["conversation_keys"] = .object(conversations)
        }
    }

    private mutating func raiseMarks(to session: Session) throws(CommandError) {
        let present = Dictionary(try marks(), uniquingKeysWith: max)
        var marks = try place.member("conversation_key_marks")?.object() ?? JSONObject()
        for conversation in session.keyRing.conversations {
            guard let mark = session.keyRing.mark(of: conversation), mark > present[conversation] ?? 0 else { continue }
            marks[conversation.value] = .string(String(mark))
        }
        if !marks.isEmpty {
            root["conversation_key_marks"] = .object(marks)
        }
    }

    private mutating func putRosters(of changed: [ConversationID: GroupRoster]) throws(CommandError) {
        guard !changed.isEmpty else { return }
        var groups = try place.member("group_rosters")?.object() ?? JSONObject()
        for (conversation, roster) in changed.sorted(by: { $0.key.value < $1.key.value }) {
            var group = JSONObject()
            if case .object(let present) = groups[conversation.value] {
                group = present
            }
            group["members"] = .array(roster.members.sorted().map { .string($0) })
            group["former_members"] = .array(roster.formerMembers.sorted().map { .string($0) })
            group["last_change"] = .init(roster.lastChange)
            groups[conversation.value] = .object(group)
        }
        root["group_rosters"] = .object(groups)
    }

    /// Adds a public key to those that are trusted.
    package mutating func append(_ key: RegisteredKey) {
        var entries: [JSONValue] = []
        if case .array(let present) = root["signing_keys"] {
            entries = present
        }
        entries.append(key.json)
        root["signing_keys"] = .array(entries)
    }

    /// Puts other trusted keys of a user in the place of those that were there.
    ///
    /// - Throws: when the document no longer holds exactly the keys that are to be replaced.
    package mutating func replaceKeys(
        of user: UserID,
        _ before: [BoundKey],
        with after: [BoundKey]
    ) throws(CommandError) {
        let present = try boundKeys().bound.filter { $0.userID == user }
        guard present.allSatisfy({ key in before.contains { $0.isSamePin(as: key) } }) else {
            throw changedMeanwhile(user)
        }
        var entries: [JSONValue] = []
        for entry in try place.member("signing_keys")?.elements() ?? [] where try RegisteredKey(entry).userID != user {
            entries.append(entry.value)
        }
        root["signing_keys"] = .array(entries + after.map(\.registered.json))
    }

    private func changedMeanwhile(_ user: UserID) -> CommandError {
        CommandError(
            "\(name): the keys of user \(quoted(user.string)) changed while this command ran; nothing was written"
        )
    }
}

// MARK: - Entries of signing_keys

extension RegisteredKey {
    /// Reads an entry of `signing_keys`, in the field names of X's SDK.
    init(_ entry: JSONPlace) throws(CommandError) {
        self.init(
            userID: try entry.required("user_id").string(),
            publicKeyVersion: try entry.required("public_key_version").string(),
            publicKey: try entry.required("public_key").string(),
            identityPublicKey: try entry.required("identity_public_key").string(),
            identityPublicKeySignature: try entry.required("identity_public_key_signature").string(),
            signingPublicKeySignature: try entry.member("signing_public_key_signature")?.string()
        )
    }

    /// The entry of `signing_keys`.
    package var json: JSONValue {
        var object: JSONObject = [
            "user_id": .string(userID),
            "public_key_version": .string(publicKeyVersion),
            "public_key": .string(publicKey),
            "identity_public_key": .string(identityPublicKey),
            "identity_public_key_signature": .string(identityPublicKeySignature),
        ]
        if let signingPublicKeySignature {
            object["signing_public_key_signature"] = .string(signingPublicKeySignature)
        }
        return .object(object)
    }
}

extension JSONPlace {
    /// The users of a list.
    fileprivate func users() throws(CommandError) -> Set<UserID> {
        Set(try elements().map { element throws(CommandError) in try element.string() })
    }

    /// The bytes of a base64 string.
    fileprivate func base64() throws(CommandError) -> [UInt8] {
        let text = try string()
        do {
            return try Base64.decode(text)
        } catch {
            throw self.error("is not base64")
        }
    }
}
