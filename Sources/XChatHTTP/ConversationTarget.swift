public import XChatEvents

/// The `{id}` of a conversation in the API's paths: a recipient's user id, two user ids joined by `-`, or a group id.
public struct ConversationTarget: Hashable, Sendable {
    /// The path component: `2222`, `1111-2222` or `g123`.
    public let pathComponent: String

    /// Makes a target from any of its forms; `A:B`, the form inside events, becomes `A-B`.
    ///
    /// - Parameter text: `^([0-9]{1,19}|[0-9]{1,19}[-:][0-9]{1,19}|g[0-9]{1,19})$`, compared as bytes.
    /// - Throws: ``APIError`` with ``APIError/Code-swift.struct/invalidArgument`` for any other text, because the text
    ///   becomes part of a URL.
    public init(_ text: WireString) throws(APIError) {
        guard text.isConversationID else {
            throw APIError(
                .invalidArgument,
                "the conversation \(printable(text)) is not a user id, two user ids joined by - or :, or g and a number; "
                    + "each number has 1 to 19 digits"
            )
        }
        let bytes = text.utf8.map { $0 == UInt8(ascii: ":") ? UInt8(ascii: "-") : $0 }
        pathComponent = String(decoding: bytes, as: UTF8.self)
    }

    /// Makes a target from a canonical conversation id.
    ///
    /// - Throws: as ``init(_:)``.
    public init(_ conversation: ConversationID) throws(APIError) {
        try self.init(conversation.text)
    }

    /// Whether an answer about this target may name the conversation by this id.
    ///
    /// A target that is only a recipient's id matches every conversation of two with that user: the client does not
    /// know its own user.
    func mayBe(_ id: WireString) -> Bool {
        let target = ConversationID(canonicalizing: WireString(pathComponent))
        let answered = ConversationID(canonicalizing: id)
        guard target != answered else { return true }
        return answered.isOneOfTwo(UserID(pathComponent)) ?? false
    }

    /// The canonical id of the conversation, if `user` is its other participant.
    func conversation(of user: UserID) -> ConversationID {
        ConversationID(canonicalizing: WireString(pathComponent), sender: user)
    }
}

extension UserID {
    /// The user id as a path component.
    func userIDPathComponent() throws(APIError) -> String {
        guard isValid else { throw APIError(.invalidArgument, "the user id \(printable(self)) is not \(Self.rule)") }
        return string
    }
}
