package import XChatEngine
package import XChatEvents
package import XChatHTTP

/// Information for a person; the operation continues.
package enum Notice: Sendable, CustomStringConvertible {
    /// The keys served for a user are refused, and so are events that are signed with them.
    case keysRefused(UserID, XChatError)
    /// The keys of a user could not be fetched.
    case keysUnavailable(UserID, any Error)
    /// A delivery changed the members of a group or a key.
    case delivery(Delivery.Notice)
    /// A membership log was founded on the server's member list alone, so the group's membership is unproven.
    case founded(ConversationID, Delivery.Notice)
    /// The group exists already: an earlier call created it, but did not receive the answer.
    case groupFound(ConversationID)
    /// The server's member list differs from the membership log.
    case memberListDiffers(ConversationID)
    /// The server's member list of a group could not be fetched or used.
    case membersUnavailable(ConversationID, any Error)
    /// A key change event was refused.
    case keyChangeRefused(XChatError, MessageEvent?)
    /// The server did not deliver everything.
    case incompleteHistory(APIError)
    /// A conversation got a new key before a message.
    case rotated(ConversationID)
    /// The activity stream has a problem and may continue.
    case streamProblem(APIError)
    /// There is no activity stream; the conversations are listed instead.
    case noStream(APIError, pollInterval: Duration)
    /// The app was subscribed to the user's messages, and stays subscribed.
    case subscribed(ActivityEvent.Kind)
    /// A conversation cannot be read now; it is read again later.
    case unreadable(APIError)
    /// The server limits the rate of calls; reading a history continues after the limit ends.
    case waitingForRateLimit(APIError)
    /// A part of the state cannot be used and is ignored.
    case leftOut(String)
    /// Others can read a file that holds secrets.
    case openToOthers(String)
    /// Another process has a file locked.
    case waitingForLock(String)

    /// One sentence.
    package var description: String {
        switch self {
        case .keysRefused(_, let error): error.message
        case .keysUnavailable(_, let error): "\(error)"
        case .delivery(let notice), .founded(_, let notice): "\(notice)"
        case .groupFound(let group):
            "the group \(group) was created by an earlier call whose outcome was not known; no other group was created"
        case .memberListDiffers(let group):
            "the server's member list for \(group) differs from the locally known one, which is used"
        case .membersUnavailable(let group, let error):
            "the server's member list for \(group) is not available: \((error as? XChatError)?.message ?? "\(error)")"
        case .keyChangeRefused(let error, let event):
            "a key change event was not accepted\(placeText(of: event).map { " (\($0))" } ?? ""): \(error.message)"
        case .incompleteHistory(let problem): "the server did not deliver everything: \(problem)"
        case .rotated(let conversation): "\(conversation) has a new key"
        case .streamProblem(let error): "the activity stream has a problem: \(error)"
        case .noStream(let error, let interval):
            "the activity stream is not available: \(error); conversations are read every "
                + "\(interval.components.seconds) s instead"
        case .subscribed(let kind): "the app is subscribed to \(kind), and stays subscribed"
        case .unreadable(let error): "the conversation cannot be read now: \(error)"
        case .waitingForRateLimit(let error): "waiting to read the rest of the history: \(error)"
        case .leftOut(let what): "a part of the state is ignored: \(what)"
        case .openToOthers(let name): "\(name) contains secrets, but other users can open it; restrict its permissions"
        case .waitingForLock(let name): "waiting for another process that has \(name) locked"
        }
    }
}
