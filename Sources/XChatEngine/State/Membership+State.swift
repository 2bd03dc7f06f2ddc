import XChatEvents

// This file reads and writes the membership log within the stored state of a conversation.
extension Membership {
    init(from reader: inout StateReader) throws(XChatError) {
        var log: [Entry] = []
        var lists: (present: Set<UserID>, leaving: Set<UserID>, unproven: Set<UserID>) = ([], [], [])
        var bars: [UserID: UInt64] = [:]
        var unjudged: [Unjudged] = []
        var (isFull, isContested) = (false, false)
        var floor: UInt64 = 0
        var settled: [EventDigest] = []
        var idCount = 0
        /// Counts the ids that were read, so that reading stops soon after the limit.
        func count(_ ids: Int) throws(XChatError) {
            idCount += ids
            guard idCount <= Self.maximumIDs else {
                throw XChatError(
                    .tooLarge,
                    "the membership log has more than \(Self.maximumIDs) ids: it is damaged; restore it from a copy"
                )
            }
        }
        while let field = try reader.next() {
            switch field.id {
            case 1:
                var entry = try reader.nestedElement(field)
                log.append(try Entry(from: &entry))
                try count(1 + (log.last?.people.count ?? 0))
            case 2:
                try count(1)
                lists.present.insert(try reader.idElement(field))
            case 3:
                try count(1)
                let (bar, user) = try reader.pairElement(field)
                guard bars.updateValue(bar, forKey: user) == nil else {
                    throw reader.error("has two bars for one user", field)
                }
            case 4:
                guard unjudged.count < Self.maximumUnjudged else {
                    throw reader.error("has too many waiting changes", field)
                }
                var change = try reader.nestedElement(field)
                unjudged.append(try Unjudged(from: &change))
            case 5: isFull = try reader.flag(field)
            case 6: isContested = try reader.flag(field)
            case 7: floor = try reader.number(field)
            case 8: settled = try reader.digests(field, limit: Self.maximumSettled)
            case 9:
                try count(1)
                lists.leaving.insert(try reader.idElement(field))
            case 10:
                guard lists.unproven.count < Self.maximumMembers else {
                    throw reader.error("names too many users", field)
                }
                lists.unproven.insert(try reader.idElement(field))
            default: reader.keep(field)
            }
        }
        try self.init(
            log: log,
            present: lists.present,
            bars: bars,
            unjudged: unjudged,
            isFull: isFull,
            isContested: isContested,
            floor: floor,
            settled: settled,
            leaving: lists.leaving,
            unproven: lists.unproven
        )
        unknown = reader.unknown
    }

    func write(to writer: inout StateWriter) {
        for entry in log { writer.nested(1) { entry.write(to: &$0) } }
        for user in present.sorted() { writer.text(2, user) }
        for (user, bar) in bars.sorted(by: { $0.key < $1.key }) { writer.pair(3, bar, user) }
        for change in unjudged { writer.nested(4) { change.write(to: &$0) } }
        writer.flag(5, isFull)
        writer.flag(6, isContested)
        writer.number(7, unlessZero: floor)
        writer.digests(8, settled)
        for user in leaving.sorted() { writer.text(9, user) }
        for user in unproven.sorted() { writer.text(10, user) }
        writer.unknown(unknown)
    }
}

extension Membership.Entry {
    /// The effects in the order of their stored numbers, which begin at 1.
    private static let effects: [Membership.Effect] = [.founded, .added, .removed, .replaced]
    /// The claims in the order of their stored numbers, which begin at 1.
    private static let claims: [Membership.Claim] = [.signed, .signer, .server, .own, .caller]

    fileprivate init(from reader: inout StateReader) throws(XChatError) {
        var (effect, claim): (Membership.Effect?, Membership.Claim?)
        var signer: UserID?
        var people: [UserID] = []
        var version: KeyVersion?
        var digest: EventDigest?
        while let field = try reader.next() {
            switch field.id {
            case 1: effect = try Self.value(try reader.number(field), of: Self.effects)
            case 2: claim = try Self.value(try reader.number(field), of: Self.claims)
            case 3: signer = try reader.id(field)
            case 4:
                guard people.count < Membership.maximumIDs else { throw reader.error("names too many users", field) }
                people.append(try reader.idElement(field))
            case 5: version = try reader.id(field)
            case 6: digest = try reader.digest(field)
            default: reader.keep(field)
            }
        }
        guard let effect, let claim else { throw reader.error("has an incomplete entry", at: 0) }
        self.init(effect: effect, claim: claim, signer: signer, people: people, version: version, digest: digest)
        unknown = reader.unknown
    }

    /// The value of a stored number.
    ///
    /// Throws for a value of a later version: effects and claims decide who can read, so an unknown one must not be
    /// skipped.
    private static func value<Value>(_ number: UInt64, of values: [Value]) throws(XChatError) -> Value {
        guard number >= 1, number <= UInt64(values.count) else {
            throw XChatError(
                .unsupported,
                "the membership log has an entry of a kind that this version does not know: use the version of the "
                    + "library that wrote it, or a later one"
            )
        }
        return values[Int(number) - 1]
    }

    fileprivate func write(to writer: inout StateWriter) {
        writer.number(1, UInt64((Self.effects.firstIndex(of: effect) ?? 0) + 1))
        writer.number(2, UInt64((Self.claims.firstIndex(of: claim) ?? 0) + 1))
        writer.text(3, ifPresent: signer)
        for person in people { writer.text(4, person) }
        writer.text(5, ifPresent: version)
        if let digest { writer.bytes(6, digest.bytes) }
        writer.unknown(unknown)
    }
}

extension Membership.Unjudged {
    fileprivate init(from reader: inout StateReader) throws(XChatError) {
        var event: MessageEvent?
        var isVerified = false
        while let field = try reader.next() {
            switch field.id {
            case 1:
                let bytes = try reader.bytes(field)
                do {
                    event = try MessageEvent(decoding: bytes)
                } catch {
                    throw reader.error("has a change that is not an event", field)
                }
            case 2: isVerified = try reader.flag(field)
            default: reader.keep(field)
            }
        }
        guard let event else { throw reader.error("has a waiting change without its event", at: 0) }
        self.init(event: event, isVerified: isVerified)
        unknown = reader.unknown
    }

    fileprivate func write(to writer: inout StateWriter) {
        writer.bytes(1, event.encoded())
        writer.flag(2, isVerified)
        writer.unknown(unknown)
    }
}
