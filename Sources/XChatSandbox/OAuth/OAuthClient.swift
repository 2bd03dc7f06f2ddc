import Foundation
import Hummingbird
import XChatEvents

/// An app at the token and revocation endpoints: RFC 6749, 2.3.
///
/// Every id is accepted. An app that sends only its id is public; an app that also sends ``secret`` is confidential.
struct OAuthClient: Hashable, Sendable {
    static let secret: WireString = "sandbox-secret"

    let id: WireString
    let isConfidential: Bool

    init(id: WireString, isConfidential: Bool) {
        self.id = id
        self.isConfidential = isConfidential
    }

    init(_ request: Request, _ form: Form) throws(OAuthError) {
        let id = try form.value("client_id")
        guard try form.value("client_secret") == nil else {
            throw OAuthError(.invalidClient, "send the secret in the header Authorization, with Basic")
        }
        guard let header = request.headers[.authorization] else {
            guard let id else { throw OAuthError(.invalidClient, "client_id is missing") }
            self.id = id
            isConfidential = false
            return
        }
        guard let pair = Self.basic(header), pair.secret == Self.secret else {
            throw OAuthError(.invalidClient, "the header Authorization must be Basic with the app's id and secret")
        }
        guard id == nil || id == pair.id else {
            throw .invalidRequest("client_id differs from the id in the header Authorization")
        }
        self.id = pair.id
        isConfidential = true
    }

    /// Reads the id and the secret of `Basic`, each with or without the escapes that RFC 6749 requires.
    private static func basic(_ header: String) -> (id: WireString, secret: WireString)? {
        let scheme = "basic ".utf8
        guard header.utf8.count > scheme.count, zip(header.utf8, scheme).allSatisfy({ $0 | 0x20 == $1 }),
            let bytes = try? Base64.decode(Array(header.utf8.dropFirst(scheme.count)))
        else { return nil }
        let pair = bytes.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        guard pair.count == 2, let id = Form.decoded(pair[0]), let secret = Form.decoded(pair[1]), !id.isEmpty else {
            return nil
        }
        return (id, secret)
    }
}
