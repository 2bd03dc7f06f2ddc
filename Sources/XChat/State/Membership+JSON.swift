import XChatEngine
import XChatEvents

// The JSON form of a membership log, an entry of `group_memberships` in the session document.
extension Membership {
    init(_ place: JSONLocation) throws(AccountError) {
        let log = try place.required("log").elements().map { entry throws(AccountError) in try Entry(entry) }
        let present = Set<UserID>(try place.required("members").ids())
        var bars: [UserID: UInt64] = [:]
        for (user, bar) in try place.member("bars")?.members() ?? [] { bars[UserID(user)] = try bar.unsigned() }
        let unjudged = try (place.member("unjudged")?.elements() ?? []).map { change throws(AccountError) in
            let event = try change.required("event")
            let bytes = try event.base64()
            guard let decoded = try? MessageEvent(decoding: bytes) else { throw event.error("is not an event") }
            return Unjudged(event: decoded, isVerified: try change.member("verified")?.bool() ?? false)
        }
        do {
            try self.init(
                log: log,
                present: present,
                bars: bars,
                unjudged: unjudged,
                isFull: try place.member("full")?.bool() ?? false,
                isContested: try place.member("contested")?.bool() ?? false,
                floor: try place.member("floor")?.unsigned() ?? 0,
                settled: try (place.member("settled")?.elements() ?? []).map { element throws(AccountError) in
                    try element.digest()
                }
            )
        } catch let error as AccountError {
            throw error
        } catch {
            throw place.error("\(error)")
        }
    }

    var json: JSONValue {
        var object: JSONObject = [
            "members": .init(present.sorted()),
            "log": .array(log.map(\.json)),
        ]
        if !bars.isEmpty {
            object["bars"] = .object(
                JSONObject(bars.sorted { $0.key < $1.key }.map { ($0.key.text, .string(String($0.value))) })
            )
        }
        if !unjudged.isEmpty {
            object["unjudged"] = .array(
                unjudged.map {
                    ["event": .string(Base64.encode($0.event.encoded())), "verified": .bool($0.isVerified)]
                }
            )
        }
        if isFull { object["full"] = true }
        if isContested { object["contested"] = true }
        if floor > 0 { object["floor"] = .string(String(floor)) }
        if !settled.isEmpty { object["settled"] = .array(settled.map { .string(Base64.encode($0.bytes)) }) }
        return .object(object)
    }

    /// Whether all stored parts of two logs are equal.
    func isSame(as other: Membership?) -> Bool {
        guard let other else { return false }
        return log == other.log && present == other.present && bars == other.bars && unjudged == other.unjudged
            && isFull == other.isFull && isContested == other.isContested && floor == other.floor
            && settled == other.settled
    }
}

extension Membership.Entry {
    init(_ place: JSONLocation) throws(AccountError) {
        let effect = try place.required("effect")
        let claim = try place.required("claim")
        guard let effectValue = Membership.Effect(rawValue: try effect.string().string) else {
            throw effect.error("is not a known effect of a group change")
        }
        guard let claimValue = Membership.Claim(rawValue: try claim.string().string) else {
            throw claim.error("is not a known claim")
        }
        self.init(
            effect: effectValue,
            claim: claimValue,
            signer: try place.member("signer")?.id(),
            people: try place.required("people").ids(),
            version: try place.member("version")?.id(),
            digest: try place.member("digest")?.digest()
        )
    }

    /// The entry of the session document.
    package var json: JSONValue {
        var object: JSONObject = [
            "effect": .string(effect.rawValue),
            "claim": .string(claim.rawValue),
            "signer": .init(signer),
            "people": .init(people),
        ]
        if let version { object["version"] = .string(version) }
        if let digest { object["digest"] = .string(Base64.encode(digest.bytes)) }
        return .object(object)
    }
}
