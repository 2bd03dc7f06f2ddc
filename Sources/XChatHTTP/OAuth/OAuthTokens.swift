public import Foundation
import XChatEvents

/// The result of a sign-in or a refresh: an access token, and usually a refresh token for the next one.
///
/// Interpolating, dumping or logging this value shows `<tokens>`.
public struct OAuthTokens: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The token for API calls.
    public let accessToken: Token
    /// The token that gets the next access token; valid once.
    ///
    /// Nil if the server gave none, for example without the scope `offline.access`.
    public let refreshToken: Token?
    /// When the access token expires; the time of the request if the server does not state it.
    public let expiresAt: Date
    /// The scopes that the user allowed.
    public let scopes: [String]

    package init(accessToken: Token, refreshToken: Token?, expiresAt: Date, scopes: [String]) {
        self.accessToken = accessToken
        self.refreshToken = refreshToken
        self.expiresAt = expiresAt
        self.scopes = scopes
    }

    /// Always `<tokens>`.
    public var description: String { "<tokens>" }
    /// Always `<tokens>`.
    public var debugDescription: String { "<tokens>" }
    /// A mirror without children, so that `dump` has nothing to show.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension OAuthTokens {
    /// Reads the answer of the token endpoint (RFC 6749, section 5.1).
    ///
    /// - Parameters:
    ///   - body: The body of a success.
    ///   - asked: When the request was sent.
    ///   - scopes: The scopes to use if the answer does not list any.
    ///   - refreshToken: The refresh token to keep if the answer has none.
    /// - Throws: `malformed_response` if the body has no valid tokens.
    init(_ body: Data, asked: Date, scopes: [String], refreshToken: Token? = nil) throws(APIError) {
        let members: Members
        do {
            members = try JSONCoding.decoder.decode(Members.self, from: body)
        } catch {
            throw APIError(.malformedResponse, "the answer is not JSON with an access token")
        }
        guard members.type?.lowercased() ?? "bearer" == "bearer" else {
            throw APIError(.malformedResponse, "token_type is not \"bearer\"")
        }
        var expiresAt = asked
        if let seconds = members.seconds, seconds > 0 {
            expiresAt += min(seconds, Self.longestLife)
        }
        self.init(
            accessToken: try Token(answered: members.accessToken, "access_token"),
            refreshToken: try members.refreshToken.map { text throws(APIError) in
                try Token(answered: text, "refresh_token")
            } ?? refreshToken,
            expiresAt: expiresAt,
            scopes: try members.scope.map { text throws(APIError) in try Self.scopes(in: text) } ?? scopes
        )
    }

    /// Ten years in seconds; a longer lifetime is a mistake of the server.
    private static let longestLife = 315_360_000.0
    private static let mostScopes = 100

    /// Splits a text into scopes, which are separated by spaces (RFC 6749, section 3.3).
    private static func scopes(in text: String) throws(APIError) -> [String] {
        let scopes = text.utf8.split(separator: UInt8(ascii: " "))
        guard scopes.count <= mostScopes,
            scopes.allSatisfy({ $0.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C } })
        else {
            throw APIError(
                .malformedResponse,
                "the server's scope must hold at most \(mostScopes) scopes, in ASCII without \" and \\, separated by spaces"
            )
        }
        return scopes.map { String(Substring($0)) }
    }

    /// The members of the answer.
    ///
    /// `token_type`, `expires_in` and `scope` count as absent if they have the wrong type.
    private struct Members: Decodable {
        let accessToken: String
        let type: String?
        let refreshToken: String?
        let seconds: Double?
        let scope: String?

        private enum CodingKeys: String, CodingKey {
            case scope
            case accessToken = "access_token"
            case type = "token_type"
            case refreshToken = "refresh_token"
            case seconds = "expires_in"
        }

        init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            accessToken = try members.decode(String.self, forKey: .accessToken)
            type = try? members.decodeIfPresent(String.self, forKey: .type)
            refreshToken = try members.decodeIfPresent(String.self, forKey: .refreshToken)
            seconds = try? members.decodeIfPresent(Double.self, forKey: .seconds)
            scope = try? members.decodeIfPresent(String.self, forKey: .scope)
        }
    }
}

extension Token {
    fileprivate init(answered text: String, _ member: String) throws(APIError) {
        do {
            try self.init(text)
        } catch {
            throw APIError(.malformedResponse, "the server's \(member) is not 1 to 8192 visible ASCII characters")
        }
    }
}
