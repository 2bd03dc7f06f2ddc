public import XChatEvents

/// A signed action in the form that the REST calls take.
public struct ActionSignature: Hashable, Sendable {
    /// The UUID that is signed with the action.
    public let messageID: MessageID
    /// Padded base64 of the Thrift `MessageEventDetail`.
    public let encodedMessageEventDetail: String
    /// Unpadded base64 of the signature.
    public let signature: WireString
    /// The registered version of the signing key.
    public let publicKeyVersion: KeyVersion
    /// The version of the signed text's layout.
    public let signatureVersion: WireString
    /// The public half of the signing key, padded base64 of its SPKI.
    public let signingPublicKey: String
    /// The signed text; nil for key changes, whose text contains the conversation key.
    public let signaturePayload: String?
}
