import Foundation
import XChat
import XChatEngine
import XChatHTTP

extension Output {
    /// Reports a notice of the library to the person, with the command that helps.
    @Sendable static func notice(_ notice: Notice) { note("xchat: \(text(of: notice))") }

    /// The text of a notice, with the command that helps, on one line.
    static func text(of notice: Notice) -> String {
        switch notice {
        case .waitingForLock, .subscribed, .rotated: visible("\(notice)")
        default: "warning: \(visible("\(notice)\(advice(notice))"))"
        }
    }

    private static func advice(_ notice: Notice) -> String {
        switch notice {
        case .keysRefused(let user, let error): advice(error.code.rawValue, user: user)
        case .founded(let group, _): "; check the list and accept it with: xchat group accept \(group)"
        case .memberListDiffers(let group): "; compare the lists with: xchat group accept \(group)"
        case .noStream(let error, _) where [.unauthorized, .forbidden].contains(error.code):
            "; set XCHAT_APP_TOKEN to the bearer token of an app that may use it"
        case .openToOthers: ": chmod 600"
        default: ""
        }
    }

    /// What to do without a token.
    static let signInAdvice = ": xchat login, or set XCHAT_TOKEN"

    /// Advice for an error about a server on this machine that does not answer; empty for any other.
    static func advice(unreachable error: APIError) -> String {
        guard let url = try? ServerOptions.url(), let parts = URLComponents(string: url), let host = parts.host,
            let port = parts.port, Loopback.contains(host), error.detail.contains("\(host):\(port)")
        else { return "" }
        return "; is the sandbox running? XCHAT_API_URL names its URL"
    }

    /// Advice that names a command for an error of the library; empty if no command helps.
    static func advice(_ error: AccountError) -> String {
        switch error.code {
        case .notFound:
            ": \"xchat login\" or \"xchat keys generate --user ID\"; or name an existing session file with --session"
        case .notRegistered: ": xchat keys register"
        case .handleMoved: error.handle.map { ": xchat handle accept \($0)" } ?? ""
        case .signInNeeded: ": xchat login"
        case .signingKeyUnproven: error.user.map { ": xchat keys trust \($0) --safety-code CODE" } ?? ""
        default: advice(error.code.rawValue, user: error.user, conversation: error.conversation)
        }
    }

    private static func advice(
        _ code: String,
        user: UserID? = nil,
        conversation: ConversationID? = nil
    ) -> String {
        let code = XChatError.Code(rawValue: code)
        if let user, [.pinChanged, .pinRolledBack, .pinRejected].contains(code) {
            return ": xchat keys trust \(user)"
        }
        if let conversation {
            if [.rotationNeeded, .disputedKey].contains(code) {
                return ": xchat conversation rotate \(conversation), or send --rotate"
            }
            if [.membershipUnproven, .membershipUnjudged].contains(code) {
                return ": xchat group accept \(conversation)"
            }
        }
        return ""
    }
}
