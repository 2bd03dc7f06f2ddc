import LibSodium
public import XChatEvents

extension Session {
    /// Encrypts a text that is not a message, for example the title of a group.
    ///
    /// See `docs/protocol.md`, "Contents".
    ///
    /// The result is not signed: any holder of the conversation key can have written it.
    /// - Parameters:
    ///   - text: The text.
    ///   - conversation: The canonical conversation id.
    ///   - keyVersion: The conversation key to use; by default the newest accepted one.
    /// - Returns: Padded base64 of nonce, tag and ciphertext.
    /// - Throws: The errors of ``encryptingVersion(in:)``.
    public func encrypt(
        _ text: String,
        in conversation: ConversationID,
        keyVersion: KeyVersion? = nil
    ) throws(XChatError) -> WireString {
        let (_, key) = try encryptingKey(in: conversation, version: keyVersion)
        return WireString(Base64.encode(try key.seal(Array(text.utf8))))
    }

    /// Decrypts a text that is not a message.
    ///
    /// - Parameters:
    ///   - text: Base64 of nonce, tag and ciphertext.
    ///   - conversation: The canonical conversation id.
    ///   - keyVersion: The version of the key that encrypted the text; by default the newest accepted one. Only
    ///     accepted keys are used: no signature covers the text, so under any other key a server could have made it.
    /// - Returns: The text.
    /// - Throws: `key_missing`, `authentication_failed`, `malformed` for a text that is not base64 or does not decrypt
    ///   to UTF-8.
    public func decrypt(
        _ text: WireString,
        in conversation: ConversationID,
        keyVersion: KeyVersion? = nil
    ) throws(XChatError) -> String {
        guard let version = keyVersion ?? keyRing.newestVersion(in: conversation),
            let key = keyRing.acceptedKey(in: conversation, version: version)
        else {
            throw XChatError(
                .keyMissing,
                "no accepted key \(keyVersion.map { printable($0) + " " } ?? "")for conversation \(printable(conversation))"
                    + ": deliver the conversation's key change events"
            )
        }
        let box: [UInt8]
        do {
            box = try Base64.decode(text)
        } catch {
            throw XChatError(error, as: .malformed, in: "the encrypted text")
        }
        var plaintext = try key.open(box)
        defer { Sodium.wipe(&plaintext) }
        guard let decrypted = String(validating: plaintext, as: UTF8.self) else {
            throw XChatError(.malformed, "the decrypted text is not UTF-8")
        }
        return decrypted
    }
}
