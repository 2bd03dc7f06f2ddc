public import XChatEvents

/// The state of one user: the pinned keys and the keys that a person rejected.
///
/// Store it under the user's id in a store that authenticates its contents. The binding signatures of restored keys are
/// not verified again: in a store without authentication, an attacker with write access could replace the pins.
public struct UserState: Hashable, Sendable {
    /// The user whose keys these are.
    public let userID: UserID
    let pins: PinnedKeys.Pins
    let rejected: Set<EventDigest>

    init(userID: UserID, pins: PinnedKeys.Pins, rejected: Set<EventDigest>) {
        self.userID = userID
        self.pins = pins
        self.rejected = rejected
    }

    /// Decodes a state; fields that only later versions of the library know are kept.
    ///
    /// - Parameter bytes: The result of ``encoded()``, from a store that authenticates its contents.
    /// - Throws: `malformed` for damaged bytes, `unsupported` for a state that this version must not read.
    public init(decoding bytes: [UInt8]) throws(XChatError) {
        var reader = try StateReader(bytes, .user)
        try self.init(from: &reader)
    }

    /// Encodes the state, with about 350 bytes for each pin of a user of X; the bytes contain no secret.
    ///
    /// - Returns: The bytes; equal states have equal bytes.
    public func encoded() -> [UInt8] {
        var writer = StateWriter(.user)
        write(to: &writer)
        writer.finish()
        return writer.bytes
    }
}

extension UserState {
    init(from reader: inout StateReader) throws(XChatError) {
        var userID: UserID?
        var entries: [StateReader] = []
        var pins = PinnedKeys.Pins()
        var current: UInt64 = 0
        var rejected: Set<EventDigest> = []
        while let field = try reader.next() {
            switch field.id {
            case 1: userID = try reader.id(field)
            case 2: entries.append(try reader.nestedElement(field))
            case 3: current = try reader.number(field)
            case 4: rejected = Set(try reader.digests(field, limit: PinnedKeys.maximumRejected))
            default: reader.keep(field)
            }
        }
        guard let userID, !userID.isEmpty else { throw reader.error("has no user id", at: 0) }
        pins.keys.reserveCapacity(entries.count)
        for index in entries.indices {
            let (key, isReplaced) = try VerifiedPublicKey.stored(from: &entries[index], of: userID)
            pins.keys.append(key)
            if isReplaced { pins.replaced.insert(index) }
        }
        guard current < max(1, UInt64(pins.keys.count)) else { throw reader.error("has no current pin", at: 0) }
        pins.current = Int(current)
        pins.unknown = reader.unknown
        self.init(userID: userID, pins: pins, rejected: rejected)
    }

    func write(to writer: inout StateWriter) {
        writer.text(1, userID)
        for (index, key) in pins.keys.enumerated() {
            writer.nested(2) { key.write(to: &$0, isReplaced: pins.replaced.contains(index)) }
        }
        writer.number(3, unlessZero: UInt64(pins.current))
        writer.digests(4, rejected.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) })
        writer.unknown(pins.unknown)
    }
}

extension VerifiedPublicKey {
    /// Reads a pin without verifying its binding signature, and without checking that its points are on the curve.
    fileprivate static func stored(
        from reader: inout StateReader,
        of userID: UserID
    ) throws(XChatError) -> (key: VerifiedPublicKey, isReplaced: Bool) {
        var version: KeyVersion?
        var (identityKey, signingKey): (IdentityPublicKey?, SigningPublicKey?)
        var bytes = Bytes(identityKeySignature: [])
        var isReplaced = false
        while let field = try reader.next() {
            switch field.id {
            case 1: version = try reader.id(field)
            case 2: identityKey = IdentityPublicKey(storedSPKI: try reader.bytes(field))
            case 3: signingKey = SigningPublicKey(storedSPKI: try reader.bytes(field))
            case 4: bytes.identityKeySignature = try reader.bytes(field)
            case 5: bytes.signingKeySignature = try reader.bytes(field)
            case 6: bytes.identityKey = try reader.bytes(field)
            case 7: bytes.signingKey = try reader.bytes(field)
            case 8: isReplaced = try reader.flag(field)
            default: reader.keep(field)
            }
        }
        guard let version, let identityKey, let signingKey, identityKey.suite == signingKey.suite else {
            throw reader.error("has an incomplete pin", at: 0)
        }
        let storage = Storage(
            userID: userID,
            version: version,
            identityKey: identityKey,
            signingKey: signingKey,
            checked: nil,
            bytes: bytes,
            unknown: reader.unknown
        )
        return (VerifiedPublicKey(storage: storage), isReplaced)
    }

    fileprivate func write(to writer: inout StateWriter, isReplaced: Bool) {
        writer.text(1, version)
        writer.bytes(2, identityKey.spki)
        writer.bytes(3, signingKey.spki)
        writer.bytes(4, storage.bytes.identityKeySignature)
        writer.bytes(5, ifPresent: storage.bytes.signingKeySignature)
        writer.bytes(6, ifPresent: storage.bytes.identityKey)
        writer.bytes(7, ifPresent: storage.bytes.signingKey)
        writer.flag(8, isReplaced)
        writer.unknown(storage.unknown)
    }
}
