public import XChatEvents

/// A user with the handle and the name that the sandbox serves.
///
/// Neither is signed, so clients cannot verify them.
public struct SandboxUser: Hashable, Sendable {
    /// The user id.
    public let id: UserID
    /// The handle without `@`: 1 to 15 ASCII letters, digits and underscores.
    public let handle: String
    /// The display name: any text.
    public let name: String

    /// Makes a user.
    ///
    /// - Parameters:
    ///   - id: The user id: 1 to 19 digits.
    ///   - handle: The handle without `@`: 1 to 15 ASCII letters, digits and underscores.
    ///   - name: The display name, at most 1,000 bytes; nil to use the handle.
    /// - Throws: An error if a value breaks its rule.
    public init(id: UserID, handle: String, name: String? = nil) throws {
        guard id.isValid else { throw InvalidUser(reason: "the user id \(printable(id)) is not \(UserID.rule)") }
        guard Self.isHandle(handle) else {
            throw InvalidUser(
                reason: "the handle \(printable(WireString(handle))) is not 1 to 15 letters A to Z, digits and _"
            )
        }
        guard (name?.utf8.count ?? 0) <= 1000 else {
            throw InvalidUser(reason: "the name has \(name?.utf8.count ?? 0) bytes; a name has at most 1,000")
        }
        (self.id, self.handle, self.name) = (id, handle, name ?? handle)
    }

    /// Reads a user from `ID:HANDLE` or `ID:HANDLE:NAME`.
    ///
    /// - Parameter text: The id, the handle and optionally the name, separated by colons. The name may contain colons.
    /// - Throws: An error if the text has another form, or a value breaks its rule.
    public init(_ text: String) throws {
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard parts.count >= 2 else { throw InvalidUser(reason: "a user is ID:HANDLE or ID:HANDLE:NAME") }
        try self.init(id: UserID(parts[0]), handle: parts[1], name: parts.count > 2 ? parts[2] : nil)
    }

    /// Makes a user from stored values, which are not checked again.
    init(stored id: UserID, handle: String, name: String) {
        (self.id, self.handle, self.name) = (id, handle, name)
    }

    /// The user as JSON of the API.
    var item: JSON {
        .object(["id": .string(id.string), "name": .string(name), "username": .string(handle)])
    }

    static func isHandle(_ text: String) -> Bool {
        (1...15).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) && byte < 0x80 || byte == 0x5F
            }
    }
}

private struct InvalidUser: Error, CustomStringConvertible {
    let reason: String

    var description: String { reason }
}
