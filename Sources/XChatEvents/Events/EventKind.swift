/// The kinds of event that X's SDK distinguishes; the raw value is the SDK's label.
public enum EventKind: String, Hashable, Sendable, CaseIterable {
    /// A message, encrypted or not.
    case message = "Message"
    /// A new conversation key.
    case keyChange = "KeyChange"
    /// A change of a group.
    case groupChange = "GroupChange"
    /// Messages were deleted.
    case messageDeleted = "MessageDeleted"
    /// A conversation was deleted.
    case conversationDeleted = "ConversationDeleted"
    /// A user is typing.
    case typing = "Typing"
    /// A conversation was read up to an event.
    case readReceipt = "ReadReceipt"
    /// A conversation was marked unread.
    case markedUnread = "MarkedUnread"
    /// The server refused an event.
    case failure = "Failure"
    /// A change of a conversation's settings.
    case settingsChange = "SettingsChange"
    /// A member's account was deleted.
    case memberDeleted = "MemberDeleted"
    /// Anything else: no detail, an unknown variant, a message without contents, or an answer from Grok.
    case unknown = "Unknown"

    /// Whether senders sign events of this kind.
    ///
    /// Events of the other kinds do not prove who sent them.
    public var isSigned: Bool {
        switch self {
        case .message, .keyChange, .groupChange, .messageDeleted, .conversationDeleted, .readReceipt, .markedUnread,
            .settingsChange:
            true
        case .typing, .failure, .memberDeleted, .unknown:
            false
        }
    }
}

extension MessageEvent {
    /// The kind of the event.
    public var kind: EventKind {
        switch detail {
        case .messageCreateEvent(let create): create.contents == nil ? .unknown : .message
        case .conversationKeyChangeEvent: .keyChange
        case .groupChangeEvent: .groupChange
        case .messageFailureEvent: .failure
        case .messageTypingEvent: .typing
        case .messageDeleteEvent: .messageDeleted
        case .conversationDeleteEvent: .conversationDeleted
        case .conversationMetadataChangeEvent: .settingsChange
        case .markConversationReadEvent: .readReceipt
        case .markConversationUnreadEvent: .markedUnread
        case .memberAccountDeleteEvent: .memberDeleted
        case .grokSearchResponseEvent, .unknown, nil: .unknown
        }
    }
}
