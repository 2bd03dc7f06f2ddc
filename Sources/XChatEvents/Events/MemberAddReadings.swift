/// The possible readings of the signed text of a member addition.
///
/// The text joins its components by commas. It shows neither where one list ends and the next begins nor which version
/// of the text it is, and the version that the signature names is not signed. So several events can have the same
/// text, and a server could replace one by another while the signature stays valid.
///
/// Each way to split the text that obeys the rules of ``MessageEvent/inconsistency`` is a *reading*. In every reading
/// the text starts with the ids of the members after the addition, both new and present ones. Readings that differ in
/// the number of these ids name different members.
package struct MemberAddReadings: Sendable {
    /// The readings of one version of the text.
    ///
    /// These readings differ only in where the lists of members end.
    package struct Reading: Hashable, Sendable {
        /// The version of the text.
        package let version: Int32
        /// Whether the text ends with an invitation.
        package let hasInvite: Bool
        /// The possible numbers of members after the addition.
        ///
        /// The members are that many ids at the start of the text.
        package let memberCounts: ClosedRange<Int>
    }

    /// The readings, by version.
    package let readings: [Reading]
    private let components: [WireString]

    /// Finds the readings; the work is linear in the number of components.
    ///
    /// - Parameters:
    ///   - components: The components of the signed text after the conversation id.
    ///   - sender: The sender named in the text.
    package init(components: [WireString], sender: UserID) {
        self.components = components
        let ids = IDRun(components)
        var readings: [Reading] = []
        for version: Int32 in 2...7 {
            for hasInvite in version >= 7 ? [false, true] : [false] {
                let form = Form(version: version, hasInvite: hasInvite)
                guard let memberCounts = form.memberCounts(components, ids, sender: sender) else { continue }
                readings.append(Reading(version: version, hasInvite: hasInvite, memberCounts: memberCounts))
            }
        }
        self.readings = readings
    }

    /// The number of different sets of members that the readings name.
    package var memberSetCount: Int {
        var counts: Set<Int> = []
        // Many readings have the same range; the set makes the loop visit each range once.
        for range in Set(readings.map(\.memberCounts)) { counts.formUnion(range) }
        return counts.count
    }

    /// The members after the addition, in the order of the text; nil unless all readings name the same members.
    ///
    /// The members before the sender are new or present, depending on the reading. The sender and the members after it
    /// are present members in every reading.
    package var members: [UserID]? {
        guard let counts = readings.first?.memberCounts, memberSetCount == 1 else { return nil }
        return components.prefix(counts.lowerBound).map { UserID($0) }
    }
}

/// The ids at the start of the components.
private struct IDRun {
    /// How many components from the start are ids.
    let count: Int
    /// How many ids from the start differ from one another.
    let distinctCount: Int
    /// The index of each of the distinct ids.
    let positions: [WireString: Int]

    init(_ components: [WireString]) {
        count = components.firstIndex { !$0.isDigits } ?? components.count
        var positions: [WireString: Int] = [:]
        var distinctCount = count
        for (index, id) in components.prefix(count).enumerated() {
            guard positions[id] == nil else {
                distinctCount = index
                break
            }
            positions[id] = index
        }
        self.distinctCount = distinctCount
        self.positions = positions
    }
}

/// The layout of one version of the text.
private struct Form {
    let version: Int32
    let hasInvite: Bool

    private var listsPending: Bool { (3...6).contains(version) }
    private var tailCount: Int { (version >= 5 ? 5 : 4) + (hasInvite ? 3 : 0) }

    /// The possible numbers of members after the addition; nil if the text has no reading in this layout.
    func memberCounts(_ components: [WireString], _ ids: IDRun, sender: UserID) -> ClosedRange<Int>? {
        let listed = components.count - tailCount
        guard listed > 0, listed <= ids.count, isTail(components[listed...]) else { return nil }
        // At least one new member comes before the present ones, and the sender is a present member.
        guard let senderPosition = ids.positions[sender.text], (1..<listed).contains(senderPosition) else { return nil }
        let distinct = min(ids.distinctCount, listed)
        if distinct == listed {
            // No administrators are listed: their ids would occur a second time, after those of the members.
            return (listsPending ? senderPosition + 1 : listed)...listed
        }
        // Administrators are present members, so the first id that occurs a second time is the first administrator.
        var seen: Set<WireString> = []
        var index = distinct
        while index < listed, let position = ids.positions[components[index]], position < distinct {
            // The first id is a new member's, so it is no administrator; and no administrator is listed twice.
            guard position >= 1, seen.insert(components[index]).inserted else { return nil }
            index += 1
        }
        guard listsPending || index == listed else { return nil }
        // Pending members are not members yet, and no id is listed twice.
        for id in components[index..<listed] {
            if let position = ids.positions[id], position < distinct { return nil }
            guard seen.insert(id).inserted else { return nil }
        }
        return distinct...distinct
    }

    /// Whether the components after the lists fit this version.
    private func isTail(_ components: ArraySlice<WireString>) -> Bool {
        var rest = components
        // Any title; an avatar URL that is not a number; a lifetime; a key version.
        guard rest.popFirst() != nil, let avatar = rest.popFirst(), !avatar.isDigits,
            let lifetime = rest.popFirst(), lifetime.isIntegerOrNull,
            let keyVersion = rest.popFirst(), keyVersion.isDigits
        else { return false }
        if version >= 5 {
            guard let isBlocking = rest.popFirst(), ["null", "true", "false"].contains(isBlocking) else { return false }
        }
        if hasInvite {
            // Any URL and any affiliate; the time when the invitation expires.
            guard rest.popFirst() != nil, rest.popFirst() != nil, let expiry = rest.popFirst(), expiry.isIntegerOrNull
            else { return false }
        }
        return rest.isEmpty
    }
}

extension WireString {
    /// Whether this is how a signed text writes an integer, or the absence of one (`null`).
    fileprivate var isIntegerOrNull: Bool {
        if self == "null" { return true }
        guard utf8.count <= 20, let value = i64 else { return false }
        return WireString(String(value)) == self
    }
}

extension MessageEvent {
    /// The readings of the signed text of a member addition; nil for events of other kinds and without a signed text.
    package var memberAddReadings: MemberAddReadings? {
        guard case .groupChangeEvent(let change) = detail, case .groupMemberAdd = change.groupChange, let senderID,
            conversationID != nil
        else { return nil }
        let version = (try? SignatureVersion(messageEventSignature?.signatureVersion)) ?? .current
        guard let text = try? SignedPayload(of: self, version: version) else { return nil }
        // Drop the name of the kind, the message id, the sender and the conversation.
        let components = text.bytes.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).dropFirst(4)
        return MemberAddReadings(
            components: components.map { WireString(String(decoding: $0, as: UTF8.self)) },
            sender: senderID
        )
    }

    /// The members of a group after an addition, new and present ones, in the order of the signed text.
    ///
    /// The members before the sender are new or present, depending on the reading. The sender and the members after it
    /// are present members in every reading.
    ///
    /// Nil for events of other kinds, and for an addition that is inconsistent (``inconsistency``) or has no signed
    /// text.
    package var namedMembers: [UserID]? {
        guard inconsistency == nil else { return nil }
        return memberAddReadings?.members
    }
}
