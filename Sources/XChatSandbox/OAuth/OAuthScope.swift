import XChatEvents

/// The scopes that an app may ask for; the raw value is X's name.
enum OAuthScope: String, CaseIterable, Sendable {
    case blockRead = "block.read"
    case blockWrite = "block.write"
    case bookmarkRead = "bookmark.read"
    case bookmarkWrite = "bookmark.write"
    case broadcastRead = "broadcast.read"
    case broadcastWrite = "broadcast.write"
    case dmRead = "dm.read"
    case dmWrite = "dm.write"
    case followsRead = "follows.read"
    case followsWrite = "follows.write"
    case likeRead = "like.read"
    case likeWrite = "like.write"
    case listRead = "list.read"
    case listWrite = "list.write"
    case mediaWrite = "media.write"
    case muteRead = "mute.read"
    case muteWrite = "mute.write"
    case offlineAccess = "offline.access"
    case spaceRead = "space.read"
    case timelineRead = "timeline.read"
    case tweetModerateWrite = "tweet.moderate.write"
    case tweetRead = "tweet.read"
    case tweetWrite = "tweet.write"
    case usersRead = "users.read"

    /// The scope in plain words.
    var meaning: String {
        switch self {
        case .blockRead: "see whom you block"
        case .blockWrite: "block and unblock accounts"
        case .bookmarkRead: "see your bookmarks"
        case .bookmarkWrite: "add and remove bookmarks"
        case .broadcastRead: "see your broadcasts"
        case .broadcastWrite: "run your broadcasts"
        case .dmRead: "receive your encrypted messages"
        case .dmWrite: "send and delete messages as you"
        case .followsRead: "see whom you follow and who follows you"
        case .followsWrite: "follow and unfollow accounts"
        case .likeRead: "see what you like"
        case .likeWrite: "like and unlike posts"
        case .listRead: "see your lists"
        case .listWrite: "change your lists"
        case .mediaWrite: "upload files"
        case .muteRead: "see whom you mute"
        case .muteWrite: "mute and unmute accounts"
        case .offlineAccess: "stay signed in until you sign out"
        case .spaceRead: "see Spaces"
        case .timelineRead: "see your timelines"
        case .tweetModerateWrite: "hide replies to your posts"
        case .tweetRead: "see posts that you can see"
        case .tweetWrite: "post as you"
        case .usersRead: "see names and handles of users"
        }
    }

    /// Reads a list of names that are separated by spaces.
    static func list(_ text: WireString?) throws(OAuthError) -> [OAuthScope] {
        var scopes: [OAuthScope] = []
        for name in (text?.utf8 ?? "".utf8).split(separator: UInt8(ascii: " ")) {
            guard let scope = OAuthScope(rawValue: String(decoding: name, as: UTF8.self)) else {
                throw OAuthError(.invalidScope, "scope contains a name that is not one of X's scopes")
            }
            if !scopes.contains(scope) { scopes.append(scope) }
        }
        guard !scopes.isEmpty else {
            throw OAuthError(.invalidScope, "scope must name at least one scope, separated by spaces")
        }
        return scopes
    }

    static func text(_ scopes: [OAuthScope]) -> String {
        scopes.map(\.rawValue).joined(separator: " ")
    }
}
