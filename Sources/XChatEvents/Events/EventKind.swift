/// The kinds of event that X's SDK tells apart; the raw value is its label.
public enum EventKind: String, Hashable, Sendable, CaseIterable {
    /// A message, encrypted or not.
    case message = "Message"
    /// A new conversation key.
    case keyChange = "KeyChange"
    /// A change of a group.
    case groupChange = "GroupChange"
    /// Messages deleted.
    case messageDeleted = "MessageDeleted"
    /// A conversation deleted.
    case conversationDeleted = "ConversationDeleted"
    /// A user is typing.
    case typing = "Typing"
    /// A conversation read up to an event.
    case readReceipt = "ReadReceipt"
    /// A conversation marked unread.
    case markedUnread = "MarkedUnread"
    /// The server refused an event.
    case failure = "Failure"
    /// A change of a conversation's settings.
    case settingsChange = "SettingsChange"
    /// A member's account was deleted.
    case memberDeleted = "MemberDeleted"
    /// Anything else: no detail, an unknown variant, a message without contents, an answer of Grok's.
    case unknown = "Unknown"

    /// Whether senders sign events of this kind; those of the others prove nothing about who made them.
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
    /// What kind of event it is.
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
