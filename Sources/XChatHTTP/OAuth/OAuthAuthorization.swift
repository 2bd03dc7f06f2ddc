import Crypto
import Foundation
import XChatEvents

/// One sign-in that a user allows or refuses in a browser, with the secrets that bind its answer to this program.
///
/// Interpolating, dumping or logging this value shows `<authorization>`.
public struct OAuthAuthorization: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The page to open in the user's browser.
    ///
    /// Show the URL to the user alone: the person who opens it decides which account is signed in.
    public let url: String
    /// The URI to which the browser is sent with the answer.
    public let redirectURI: String
    /// The scopes that the user is asked to allow.
    public let scopes: [String]
    /// A random value that the answer must contain (RFC 6749, section 10.12).
    ///
    /// Otherwise an attacker's web page could send the browser here with a code of the attacker's account, and the user
    /// would be signed in to that account.
    private let state: Token
    /// Proves that the program that exchanges the code is the one that asked for it (RFC 7636), so that a stolen code
    /// is useless.
    let verifier: Token

    /// Prepares a sign-in.
    init(page: String, clientID: String, redirectURI: String, scopes: [String]) throws(APIError) {
        try Self.check(redirectURI)
        guard !scopes.isEmpty, scopes.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x21...0x7E).contains($0) } })
        else {
            throw APIError(
                .invalidArgument,
                "there must be at least one scope, and each must consist of visible ASCII characters without spaces"
            )
        }
        state = try Self.random()
        verifier = try Self.random()
        self.redirectURI = redirectURI
        self.scopes = scopes
        let challenge = SHA256.hash(data: Array(verifier.secretText.utf8))
        let request = APIRequest(
            method: .get,
            route: "/i/oauth2/authorize",
            path: "/i/oauth2/authorize",
            query: [
                ("response_type", "code"), ("client_id", clientID), ("redirect_uri", redirectURI),
                ("scope", scopes.joined(separator: " ")), ("state", state.secretText),
                ("code_challenge", Base64.encodeURLSafe(Array(challenge))), ("code_challenge_method", "S256"),
            ]
        )
        url = request.url(base: page)
    }

    /// Reads the authorization code from the URL to which the browser was sent.
    ///
    /// Compares the state in constant time.
    ///
    /// - Parameter redirect: The whole URL, with its query.
    /// - Returns: The code, which is valid once and for a few seconds.
    /// - Throws: ``APIError`` with ``APIError/Code-swift.struct/invalidArgument`` for a URL that is not the answer to
    ///   this sign-in, and ``APIError/Code-swift.struct/refused`` if the user or the server refused.
    public func code(in redirect: String) throws(APIError) -> Token {
        let parts = redirect.utf8.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        let own = redirectURI.utf8.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        guard redirect.utf8.count <= Self.longestRedirect, parts.count == 2,
            Self.asBrowsersWrite(parts[0]) == Self.asBrowsersWrite(own[0])
        else {
            throw APIError(
                .invalidArgument,
                "the address must be the redirect URI, ? and a query, of at most \(Self.longestRedirect) bytes; copy the whole "
                    + "address that the browser shows after the sign-in"
            )
        }
        let members = try Self.members(of: parts[1].prefix { $0 != UInt8(ascii: "#") })
        guard let given = members["state"].flatMap({ try? Token($0) }), given.isSame(inConstantTimeAs: state) else {
            throw APIError(
                .invalidArgument,
                "this is the answer to another sign-in: its state differs; open the URL of this sign-in and decide there"
            )
        }
        if let error = members["error"] {
            let texts = [error, members["error_description"] ?? ""].filter { !$0.isEmpty }
            let text = texts.joined(separator: ": ").display()
            throw APIError(
                .refused,
                error.utf8.elementsEqual("access_denied".utf8)
                    ? "the user does not allow the sign-in" : "the server refuses the sign-in: \(text)"
            )
        }
        guard let code = members["code"].flatMap({ try? Token($0) }) else {
            throw APIError(.invalidArgument, "the answer has neither a code nor an error; copy the whole address again")
        }
        return code
    }

    /// Always `<authorization>`.
    public var description: String { "<authorization>" }
    /// Always `<authorization>`.
    public var debugDescription: String { "<authorization>" }
    /// A mirror without children, so that `dump` has nothing to show.
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// The longest redirect in bytes.
    static let longestRedirect = 16 << 10

    /// A URL without its query as browsers write it: scheme and host in lower case, no default port, and `/` for an
    /// empty path (RFC 3986, section 6.2).
    private static func asBrowsersWrite(_ url: Substring.UTF8View) -> [UInt8] {
        guard let colon = url.firstIndex(of: UInt8(ascii: ":")), url[colon...].starts(with: "://".utf8) else {
            return Array(url)
        }
        let lowercase = { (byte: UInt8) in (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
        let scheme = url[..<colon].map(lowercase)
        let rest = url[colon...].dropFirst(3)
        let slash = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
        var host = rest[..<slash].map(lowercase)
        let port = Array((scheme.elementsEqual("https".utf8) ? ":443" : ":80").utf8)
        if host.suffix(port.count).elementsEqual(port) { host.removeLast(port.count) }
        let path = slash == rest.endIndex ? [UInt8(ascii: "/")] : Array(rest[slash...])
        return scheme + Array("://".utf8) + host + path
    }

    /// Checks that a redirect URI leads to this machine, to a server over TLS or to an app by its own scheme.
    private static func check(_ uri: String) throws(APIError) {
        guard (1...2000).contains(uri.utf8.count), uri.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x23 }),
            let components = URLComponents(string: uri), let scheme = components.scheme?.lowercased()
        else {
            throw APIError(
                .invalidArgument,
                "the redirect URI must be a URL of 1 to 2000 visible ASCII characters without a fragment"
            )
        }
        guard scheme != "http" || components.host.map({ Loopback.contains($0) }) == true else {
            throw APIError(
                .insecureTransport,
                "the redirect URI is http to another machine, which would expose the code; use 127.0.0.1 or https"
            )
        }
    }

    /// Makes 32 random bytes as 43 characters, as RFC 7636 recommends.
    private static func random() throws(APIError) -> Token {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
        return try Token(Base64.encodeURLSafe(bytes))
    }

    /// Decodes the parameters of a query; a repeated parameter is an error (RFC 6749, section 3.1).
    private static func members(of query: Substring.UTF8View) throws(APIError) -> [WireString: String] {
        var members: [WireString: String] = [:]
        for pair in query.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(parts[0]), let value = decoded(parts.count > 1 ? parts[1] : parts[0].suffix(0)),
                members.updateValue(value, forKey: WireString(name)) == nil
            else {
                throw APIError(
                    .invalidArgument,
                    "the query of the address repeats a parameter or is not percent-encoded UTF-8; copy the address again"
                )
            }
        }
        return members
    }

    /// Decodes a percent-encoded text, in which `+` is a space; nil if it is malformed.
    private static func decoded(_ text: some Sequence<UInt8>) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(0x20)
            case UInt8(ascii: "%"):
                guard rest.count >= 2, rest.prefix(2).allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
                    let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
                else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
