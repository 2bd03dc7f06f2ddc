import LibSodium
package import XChatEngine
package import XChatEvents

/// The state of one user as JSON.
///
/// A session file contains the document as plaintext; the key store contains it encrypted.
///
/// Members that this program does not know are kept. Ids and versions are compared byte by byte, because Swift's
/// `String` treats different bytes as equal if they are equivalent under Unicode.
package struct SessionDocument: Hashable, Sendable {
    /// All members, including unknown ones.
    package internal(set) var root: JSONObject
    /// The name of the document in error texts.
    package let name: String

    /// A new document.
    package init(userID: UserID, name: String) {
        root = JSONObject()
        root["user_id"] = .string(userID)
        self.name = name
    }

    /// Parses a document.
    ///
    /// The members of the document are checked when they are used.
    package init(parsing bytes: [UInt8], name: String) throws(AccountError) {
        root = try JSONLocation(parsing: bytes, document: name).object()
        self.name = name
    }

    /// The document as indented JSON.
    package var bytes: [UInt8] {
        Array((JSONValue.object(root).indented + "\n").utf8)
    }

    var place: JSONLocation {
        JSONLocation(root: .object(root), document: name)
    }
}

// MARK: - Members that are read

extension SessionDocument {
    /// The session that the document describes.
    ///
    /// The document is trusted: its own keys count as registered, its public keys as pinned, its conversation keys as
    /// verified. Only the binding signatures of public keys are verified again.
    package func session(notify: (Notice) -> Void = { _ in }) throws -> Session {
        var session = try Session(
            userID: try userID(),
            privateKeys: try privateKeys(),
            signingKeyVersion: try signingKeyVersion()
        )
        try restorePins(in: &session, notify: notify)
        let details = try keyDetails()
        for held in try conversationKeys() {
            let detail = details[held.conversation]?.keys[held.version]
            let key = AcceptedKey(
                key: held.key,
                announcer: detail?.announcer,
                isOwn: detail?.announcer == session.userID,
                isStale: detail?.isStale ?? false,
                outsiders: detail?.outsiders ?? []
            )
            do {
                try session.restoreKey(key, in: held.conversation, version: held.version)
            } catch {
                notify(.leftOut("\(name): \(error.message)"))
            }
        }
        for (conversation, mark) in try marks() {
            session.restoreHighestVersion(mark, of: conversation)
        }
        for (conversation, detail) in details {
            session.restoreKeyState(floor: detail.floor, disputed: detail.disputed, of: conversation)
        }
        for (group, membership) in try memberships() {
            session.restore(membership, of: group)
        }
        return session
    }

    /// Restores pins, which of them are current or replaced, and rejected keys.
    private func restorePins(in session: inout Session, notify: (Notice) -> Void) throws {
        let pins = try pins()
        for error in pins.refused {
            notify(.leftOut("\(error)"))
        }
        session.trust(pins.pinned.map(\.key))
        // If no pin of a user is marked as retired, the one with the highest version is current.
        let withRetired = Set(pins.pinned.filter(\.isRetired).map(\.key.userID))
        for pin in pins.pinned where pin.isReplaced { session.restoreReplaced(pin.key) }
        for pin in pins.pinned where !pin.isRetired && withRetired.contains(pin.key.userID) {
            session.restoreCurrent(pin.key)
        }
        for (user, place) in try place.member("rejected_keys")?.members() ?? [] {
            for element in try place.elements() {
                session.restoreRejected(try element.digest(), of: UserID(user))
            }
        }
    }

    /// The user of the state.
    package func userID() throws(AccountError) -> UserID {
        let member = try place.required("user_id")
        let userID: UserID = try member.id()
        guard !userID.utf8.isEmpty else { throw member.error("is empty") }
        return userID
    }

    /// The version under which the keys are registered; nil before that.
    package func signingKeyVersion() throws(AccountError) -> KeyVersion? {
        guard let member = try place.member("signing_key_version") else { return nil }
        let version: KeyVersion = try member.id()
        guard !version.utf8.isEmpty else { throw member.error("is empty") }
        return version
    }

    /// The private keys.
    package func privateKeys() throws(AccountError) -> PrivateKeys? {
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
    package func conversationKeys() throws(AccountError) -> [HeldKey] {
        let userID = try userID()
        var held: [HeldKey] = []
        for (id, versions) in try place.member("conversation_keys")?.members() ?? [] where versions.value != .null {
            let conversation = ConversationID(canonicalizing: id, sender: userID)
            for (version, member) in try versions.members() where member.value != .null {
                var bytes = try member.base64()
                defer { Sodium.wipe(&bytes) }
                do {
                    let key = try ConversationKey(bytes: bytes.span)
                    held.append(HeldKey(conversation: conversation, version: KeyVersion(version), key: key, member: id))
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

    /// The trusted public keys, and an error for each entry whose binding signature is invalid.
    ///
    /// An entry with an invalid binding signature is ignored; the rest of the document stays valid.
    package func verifiedKeys() throws(AccountError) -> (bound: [VerifiedPublicKey], refused: [AccountError]) {
        let (pinned, refused) = try pins()
        return (pinned.map(\.key), refused)
    }

    private struct Pin {
        let key: VerifiedPublicKey
        /// Another pin of the user is the current one.
        let isRetired: Bool
        /// A person accepted other keys in its place.
        let isReplaced: Bool
    }

    private func pins() throws(AccountError) -> (pinned: [Pin], refused: [AccountError]) {
        let entries = try (place.member("signing_keys")?.elements() ?? []).map { entry throws(AccountError) in
            (
                place: entry, key: try RegisteredKey(entry), isRetired: try entry.member("retired")?.bool() ?? false,
                isReplaced: try entry.member("replaced")?.bool() ?? false
            )
        }
        // Verifying binding signatures takes time, so all cores share the work.
        let bound = concurrentMap(entries.map(\.key)) { key in
            Result { () throws(XChatError) in try VerifiedPublicKey(checking: key) }
        }
        var pinned: [Pin] = []
        var refused: [AccountError] = []
        for (entry, result) in zip(entries, bound) {
            switch result {
            case .success(let key):
                pinned.append(Pin(key: key, isRetired: entry.isRetired, isReplaced: entry.isReplaced))
            case .failure(let error): refused.append(entry.place.error(error.message))
            }
        }
        return (pinned, refused)
    }

    /// The highest version that a verified key ever had, for each conversation.
    private func marks() throws(AccountError) -> [(ConversationID, UInt64)] {
        let userID = try userID()
        return try (place.member("conversation_key_marks")?.members() ?? []).map { id, member throws(AccountError) in
            guard let mark = try member.string().number else { throw member.error("is not a number") }
            return (ConversationID(canonicalizing: id, sender: userID), mark)
        }
    }

    /// The entry of `conversation_key_details` for one conversation.
    private struct KeyDetails {
        struct Key {
            var announcer: UserID?
            var isStale = false
            var outsiders: [UserID] = []
        }

        var floor: UInt64 = 0
        var disputed: [KeyVersion] = []
        var keys: [KeyVersion: Key] = [:]
    }

    private func keyDetails() throws(AccountError) -> [ConversationID: KeyDetails] {
        var all: [ConversationID: KeyDetails] = [:]
        for (id, place) in try place.member("conversation_key_details")?.members() ?? [] {
            var details = KeyDetails()
            details.floor = try place.member("rotation_floor")?.unsigned() ?? 0
            details.disputed = try place.member("disputed")?.ids() ?? []
            for (version, key) in try place.member("keys")?.members() ?? [] {
                details.keys[KeyVersion(version)] = KeyDetails.Key(
                    announcer: try key.member("announcer")?.id(),
                    isStale: try key.member("stale")?.bool() ?? false,
                    outsiders: try key.member("outsiders")?.ids() ?? []
                )
            }
            all[ConversationID(canonicalizing: id)] = details
        }
        return all
    }

    /// The membership log of each group.
    private func memberships() throws(AccountError) -> [(ConversationID, Membership)] {
        let groups = try place.member("group_memberships")?.members() ?? []
        return try groups.filter { $0.place.value != .null }.map { id, place throws(AccountError) in
            let group = ConversationID(canonicalizing: id)
            guard group.isGroup else { throw place.error("is not a group") }
            return (group, try Membership(place))
        }
    }
}

// MARK: - Members that are written

extension SessionDocument {
    /// Sets the version under which the server registered the keys.
    package mutating func set(signingKeyVersion: KeyVersion) {
        root["signing_key_version"] = .string(signingKeyVersion)
    }

    /// Sets the private keys.
    package mutating func set(_ keys: PrivateKeys) throws(XChatError) {
        root["private_keys"] = .string(try keys.withExport { blob in Base64.encode(blob) })
    }

    /// Adds the changes of a session since it was made from this document: pins, conversation keys, membership logs.
    ///
    /// The document may have changed since then, because another process saved its changes. Changes of both processes
    /// are merged.
    /// - Throws: `conflict` if both changed the pins of the same user or the members of the same group in different
    ///   ways.
    package mutating func add(learnedBy session: Session, since before: Session) throws(AccountError) {
        try addPins(of: session, since: before)
        try addConversationKeys(of: session, since: before)
        try raiseMarks(to: session)
        try putKeyDetails(of: session)
        try putMemberships(of: session, since: before)
    }

    private mutating func addPins(of session: Session, since before: Session) throws(AccountError) {
        let users = Set(session.pins.users).union(before.pins.users)
        let changed = users.filter { !session.pins.isEqual(to: before.pins, for: $0) }
        if !changed.isEmpty {
            var entries: [JSONValue] = []
            var present: [UserID: [RegisteredKey]] = [:]
            for entry in try place.member("signing_keys")?.elements() ?? [] {
                let key = try RegisteredKey(entry)
                if changed.contains(key.userID) {
                    present[key.userID, default: []].append(key)
                } else {
                    entries.append(entry.value)
                }
            }
            for user in changed.sorted() {
                let pins = session.pins[user]
                // Between reading and writing, another process may have pinned other keys of this user.
                let known = Set((before.pins[user] + pins).map(\.registered))
                guard present[user]?.allSatisfy(known.contains) ?? true else { throw changedMeanwhile(user) }
                entries += pins.map { pin in
                    var object = pin.registered.object
                    if session.pins.isRetired(pin) { object["retired"] = true }
                    if session.pins.isReplaced(pin) { object["replaced"] = true }
                    return .object(object)
                }
            }
            root["signing_keys"] = .array(entries)
        }
        guard session.pins.rejected != before.pins.rejected else { return }
        var rejected = try place.member("rejected_keys")?.object() ?? JSONObject()
        for user in Set(session.pins.rejected.keys).union(before.pins.rejected.keys)
        where session.pins.rejected[user] != before.pins.rejected[user] {
            // Another process may have added rejected keys. Only keys that this process accepted are removed.
            let entries = try place.member("rejected_keys")?.member(user.text)?.elements() ?? []
            let stored = Set(try entries.map { entry throws(AccountError) in try entry.digest() })
            let (new, old) = (session.pins.rejected[user] ?? [], before.pins.rejected[user] ?? [])
            let all = stored.subtracting(old.subtracting(new)).union(new)
            rejected[user.text] =
                all.isEmpty ? nil : .array(all.map { Base64.encode($0.bytes) }.sorted().map { .string($0) })
        }
        root["rejected_keys"] = rejected.isEmpty ? nil : .object(rejected)
    }

    private mutating func addConversationKeys(of session: Session, since before: Session) throws(AccountError) {
        var spellings: [ConversationID: WireString] = [:]
        var versions: [ConversationID: Set<KeyVersion>] = [:]
        for held in try conversationKeys() {
            spellings[held.conversation] = spellings[held.conversation] ?? held.member
            versions[held.conversation, default: []].insert(held.version)
        }
        var conversations = try place.member("conversation_keys")?.object() ?? JSONObject()
        for learned in session.keyRing.accepted
        where versions[learned.conversation]?.contains(learned.version) != true {
            // The document may spell the conversation id in another form.
            let member = spellings[learned.conversation] ?? learned.conversation.text
            var keys = JSONObject()
            if case .object(let present) = conversations[member] {
                keys = present
            }
            keys[learned.version.text] = .string(learned.key.key.withBytes { Base64.encode($0) })
            conversations[member] = .object(keys)
        }
        // Keys that newer ones displaced in the session are only used to decrypt from then on, and are not stored.
        for old in before.keyRing.accepted
        where session.keyRing.accepted(in: old.conversation, version: old.version) == nil {
            let member = spellings[old.conversation] ?? old.conversation.text
            guard case .object(var keys) = conversations[member] else { continue }
            keys[old.version.text] = nil
            conversations[member] = .object(keys)
        }
        if !conversations.isEmpty {
            root["conversation_keys"] = .object(conversations)
        }
    }

    private mutating func raiseMarks(to session: Session) throws(AccountError) {
        let present = Dictionary(try marks(), uniquingKeysWith: max)
        var marks = try place.member("conversation_key_marks")?.object() ?? JSONObject()
        for conversation in session.keyRing.keptConversations {
            guard let mark = session.keyRing.highestVersion(of: conversation), mark > present[conversation] ?? 0 else {
                continue
            }
            marks[conversation.text] = .string(String(mark))
        }
        if !marks.isEmpty {
            root["conversation_key_marks"] = .object(marks)
        }
    }

    private mutating func putKeyDetails(of session: Session) throws(AccountError) {
        let present = try keyDetails()
        var all = try place.member("conversation_key_details")?.object() ?? JSONObject()
        for conversation in session.keyRing.keptConversations {
            let known = present[conversation] ?? KeyDetails()
            var details = JSONObject()
            let floor = max(session.keyRing.rotationFloor(of: conversation), known.floor)
            if floor > 0 { details["rotation_floor"] = .string(String(floor)) }
            let disputed = Set(session.keyRing.disputedVersions(in: conversation)).union(known.disputed)
            if !disputed.isEmpty { details["disputed"] = .init(disputed.sorted()) }
            var keys = JSONObject()
            for version in session.keyRing.versions(in: conversation) {
                guard let key = session.keyRing.accepted(in: conversation, version: version) else { continue }
                var entry = JSONObject()
                if let announcer = key.announcer { entry["announcer"] = .string(announcer) }
                // A key that another process marked as stale stays stale.
                if key.isStale || known.keys[version]?.isStale == true { entry["stale"] = true }
                if !key.outsiders.isEmpty { entry["outsiders"] = .init(key.outsiders) }
                if !entry.isEmpty { keys[version.text] = .object(entry) }
            }
            let held = Set(session.keyRing.versions(in: conversation))
            for (version, key) in known.keys.sorted(by: { $0.key < $1.key })
            where keys[version.text] == nil && held.contains(version) {
                var entry = JSONObject()
                if let announcer = key.announcer { entry["announcer"] = .string(announcer) }
                if key.isStale { entry["stale"] = true }
                if !key.outsiders.isEmpty { entry["outsiders"] = .init(key.outsiders) }
                if !entry.isEmpty { keys[version.text] = .object(entry) }
            }
            if !keys.isEmpty { details["keys"] = .object(keys) }
            if !details.isEmpty { all[conversation.text] = .object(details) }
        }
        if !all.isEmpty { root["conversation_key_details"] = .object(all) }
    }

    private mutating func putMemberships(of session: Session, since before: Session) throws(AccountError) {
        let changed = session.memberships.filter { !$0.value.isSame(as: before.memberships[$0.key]) }
        guard !changed.isEmpty else { return }
        let present = Dictionary(try memberships()) { first, _ in first }
        var groups = try place.member("group_memberships")?.object() ?? JSONObject()
        for (group, membership) in changed.sorted(by: { $0.key.text < $1.key.text }) {
            if let stored = present[group], !stored.isSame(as: before.memberships[group]) {
                // Another process also changed the members of this group.
                guard stored.isSame(as: membership) else {
                    throw AccountError(
                        .conflict,
                        "\(name): the members of group \(quoted(group.string)) changed in the meantime; "
                            + "nothing was written: try again"
                    )
                }
                continue
            }
            groups[group.text] = membership.json
        }
        root["group_memberships"] = .object(groups)
    }

    /// Adds a trusted public key.
    package mutating func append(_ key: RegisteredKey) {
        var entries: [JSONValue] = []
        if case .array(let present) = root["signing_keys"] {
            entries = present
        }
        entries.append(key.json)
        root["signing_keys"] = .array(entries)
    }

    private func changedMeanwhile(_ user: UserID) -> AccountError {
        AccountError(
            .conflict,
            "\(name): the keys of user \(quoted(user.string)) changed in the meantime; nothing was written: try again"
        )
    }
}

// MARK: - Entries of signing_keys

extension RegisteredKey {
    /// Reads an entry of `signing_keys`, in the field names of X's SDK.
    init(_ entry: JSONLocation) throws(AccountError) {
        self.init(
            userID: try entry.required("user_id").id(),
            publicKeyVersion: try entry.required("public_key_version").id(),
            publicKey: try entry.required("public_key").string(),
            identityPublicKey: try entry.required("identity_public_key").string(),
            identityPublicKeySignature: try entry.required("identity_public_key_signature").string(),
            signingPublicKeySignature: try entry.member("signing_public_key_signature")?.string()
        )
    }

    /// The entry of `signing_keys`.
    package var json: JSONValue { .object(object) }

    fileprivate var object: JSONObject {
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
        return object
    }
}

extension PinnedKeys {
    /// Whether two states have the same pins and the same current pin of a user.
    fileprivate func isEqual(to other: PinnedKeys, for user: UserID) -> Bool {
        let (keys, others) = (self[user], other[user])
        guard keys.count == others.count, zip(keys, others).allSatisfy({ $0.isSamePin(as: $1) }) else { return false }
        guard keys.map(isReplaced) == others.map(other.isReplaced) else { return false }
        guard let current = current(of: user), let otherCurrent = other.current(of: user) else { return keys.isEmpty }
        return current.isSamePin(as: otherCurrent)
    }
}

extension JSONLocation {
    /// A list of ids or versions, which are not validated.
    func ids<ID: Identifier>() throws(AccountError) -> [ID] {
        try elements().map { element throws(AccountError) in try element.id() }
    }

    /// A number that is written as a string of digits.
    func unsigned() throws(AccountError) -> UInt64 {
        guard let number = try string().number else { throw error("is not a number") }
        return number
    }

    /// A digest in base64.
    func digest() throws(AccountError) -> EventDigest {
        guard let digest = EventDigest(stored: try base64()) else { throw error("is not a digest of 32 bytes") }
        return digest
    }

    /// The bytes of a base64 string.
    func base64() throws(AccountError) -> [UInt8] {
        let text = try string()
        do {
            return try Base64.decode(text)
        } catch {
            throw self.error("is not base64")
        }
    }
}
