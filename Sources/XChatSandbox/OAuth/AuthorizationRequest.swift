import Crypto
import Foundation
import XChatEvents

/// A request for a user's consent: RFC 6749, 4.1.1, with the challenge of RFC 7636.
struct AuthorizationRequest: Sendable {
    /// A refusal of the request, and where it is shown.
    enum Refusal: Error {
        /// A page for the user: the client id or the redirect URI is missing or not valid, or the URI would open
        /// another program.
        case page(OAuthError)
        /// A redirect to an app on this machine: the URI with the error in its query.
        case redirect(String)
    }

    let client: WireString
    let redirectURI: RedirectURI
    let scopes: [OAuthScope]
    let state: WireString?
    let challenge: CodeChallenge

    private static let maximumState = 500

    init(_ form: Form) throws(Refusal) {
        let client: WireString
        let redirectURI: RedirectURI
        do throws(OAuthError) {
            client = try form.required("client_id")
            guard client.isClientID else {
                throw .invalidRequest("client_id must have 1 to 200 printable ASCII characters without spaces")
            }
            guard let address = RedirectURI(try form.required("redirect_uri")) else {
                throw .invalidRequest(
                    "redirect_uri must be http or https on this machine, such as http://127.0.0.1:8080/callback, or have another"
                        + " scheme, and must have no fragment"
                )
            }
            redirectURI = address
        } catch {
            throw .page(error)
        }
        var state: WireString?
        do throws(OAuthError) {
            let text = try form.value("state")
            guard (text?.string.unicodeScalars.count ?? 0) <= Self.maximumState else {
                throw .invalidRequest("state is longer than 500 characters")
            }
            state = text
            guard try form.required("response_type") == "code" else {
                throw OAuthError(.unsupportedResponseType, "response_type must be code")
            }
            scopes = try OAuthScope.list(form.value("scope"))
            challenge = try CodeChallenge(form)
        } catch {
            // With another scheme, a link alone would start any program of the user that handles the scheme.
            guard redirectURI.isLoopback else { throw .page(error) }
            throw .redirect(Self.redirect(redirectURI, state, ("error", error.code.rawValue), error.description))
        }
        self.client = client
        self.redirectURI = redirectURI
        self.state = state
    }

    /// The URI that passes a code to the app.
    func redirect(code: String) -> String {
        Self.redirect(redirectURI, state, ("code", code))
    }

    /// The URI that passes the user's refusal to the app.
    func refusal() -> String {
        let code = OAuthError.Code.accessDenied.rawValue
        return Self.redirect(redirectURI, state, ("error", code), "the user refused")
    }

    private static func redirect(
        _ address: RedirectURI,
        _ state: WireString?,
        _ answer: (name: String, value: String),
        _ description: String? = nil
    ) -> String {
        var parameters = [(answer.name, WireString(answer.value))]
        if let description { parameters.append(("error_description", WireString(description))) }
        if let state { parameters.append(("state", state)) }
        return address.adding(parameters)
    }
}

/// The challenge of RFC 7636: only an app that knows the verifier can exchange the code.
struct CodeChallenge: Sendable {
    enum Method: String, Sendable {
        case plain
        case s256 = "S256"
    }

    let method: Method
    let text: WireString

    init(method: Method, text: WireString) {
        self.method = method
        self.text = text
    }

    fileprivate init(_ form: Form) throws(OAuthError) {
        text = try form.required("code_challenge")
        guard let method = try form.value("code_challenge_method").map({ Method(rawValue: $0.string) }) ?? .plain else {
            throw .invalidRequest("code_challenge_method must be S256 or plain")
        }
        self.method = method
        let isValid = method == .plain ? text.isVerifier : text.utf8.count == 43 && text.isVerifier
        guard isValid else {
            throw .invalidRequest(
                "code_challenge must have 43 characters with S256, 43 to 128 with plain: letters, digits, '-', '.', '_' and '~'"
            )
        }
    }

    /// Whether a verifier belongs to the challenge.
    func accepts(_ verifier: WireString) -> Bool {
        switch method {
        case .plain: verifier == text
        case .s256: WireString(Base64.encodeURLSafe(Array(SHA256.hash(data: Data(verifier.utf8))))) == text
        }
    }
}

extension WireString {
    /// Whether the text is a verifier of RFC 7636: 43 to 128 unreserved characters.
    var isVerifier: Bool { (43...128).contains(utf8.count) && utf8.allSatisfy(\.isUnreserved) }

    fileprivate var isClientID: Bool {
        (1...200).contains(utf8.count) && utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
