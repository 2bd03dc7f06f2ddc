import HTTPTypes
import Hummingbird
import XChatEvents

/// Sign-in with OAuth 2.0: authorization code with PKCE (RFC 6749, RFC 7636), refresh and revocation (RFC 7009).
extension Routes {
    /// Both paths are in X's documents.
    private static let authorizationPaths: [RouterPath] = ["/i/oauth2/authorize", "/2/oauth2/authorize"]

    func addOAuth(to router: Router<SandboxContext>) {
        for path in Self.authorizationPaths {
            router.get(path) { request, _ in try await consentPage(request) }
            router.post(path) { request, _ in try await decision(request) }
        }
        router.post("/2/oauth2/token") { request, context in
            try await Self.answering {
                let (answer, isRefresh) = try await tokens(request)
                if isRefresh, state.lostRefreshes.next(upTo: faults.lostRefreshes) {
                    try? await context.channel.close()
                }
                return answer
            }
        }
        router.post("/2/oauth2/revoke") { request, _ in
            try await Self.answering {
                let form = try await request.form()
                try await state.revoke(form.required("token"), client: OAuthClient(request, form))
                return .object(["revoked": .bool(true)])
            }
        }
    }

    // MARK: Consent

    private func consentPage(_ request: Request) async throws -> Response {
        guard let form = Form((request.uri.query ?? "").utf8) else {
            return Self.errorPage("The address of this page cannot be read.")
        }
        do {
            return try await consentPage(AuthorizationRequest(form))
        } catch AuthorizationRequest.Refusal.page(let error) {
            return Self.errorPage("The app's request is wrong: \(error.description).")
        } catch AuthorizationRequest.Refusal.redirect(let address) {
            return .found(address)
        }
    }

    private func consentPage(_ request: AuthorizationRequest, fault: String? = nil) async throws -> Response {
        let ticket = try state.tickets.ticket(for: request)
        let users = try await state.knownUsers()
        return ConsentPage(request: request, ticket: ticket, users: users, fault: fault).response()
    }

    private func decision(_ request: Request) async throws -> Response {
        let form: Form
        let ticket: WireString
        let decision: WireString
        do {
            form = try await request.form()
            ticket = try form.required("ticket")
            decision = try form.required("decision")
        } catch let error as OAuthError {
            return Self.errorPage("The form is wrong: \(error.description).")
        }
        guard let asked = state.tickets.take(ticket) else {
            return Self.errorPage("This form was used already or is older than ten minutes. Start again in the app.")
        }
        switch decision {
        case "refuse": return .found(asked.refusal())
        case "allow": break
        default: return Self.errorPage("The form is wrong: decision must be allow or refuse.")
        }
        let chosen = try? form.value("user")?.string
        let other = try? form.value("other")?.string
        guard chosen == nil || chosen == ConsentPage.other || other == nil else {
            return try await consentPage(asked, fault: "Choose either a user of the list or another id, not both.")
        }
        guard let user = UserID(validating: (chosen == ConsentPage.other ? nil : chosen) ?? other ?? "") else {
            return try await consentPage(asked, fault: "Choose a user, or enter an id of 1 to 19 digits.")
        }
        return .found(asked.redirect(code: try await state.allow(asked, as: user)))
    }

    private static func errorPage(_ text: String) -> Response {
        .page("Sign-in is not possible", "<p role=\"alert\">\(text)</p>", status: .badRequest)
    }

    // MARK: Tokens

    private func tokens(_ request: Request) async throws -> (json: JSON, isRefresh: Bool) {
        let form = try await request.form()
        let client = try OAuthClient(request, form)
        switch try form.required("grant_type") {
        case "authorization_code":
            let verifier = try form.required("code_verifier")
            guard verifier.isVerifier else {
                throw OAuthError.invalidRequest(
                    "code_verifier must have 43 to 128 letters, digits, '-', '.', '_' and '~'"
                )
            }
            let tokens = try await state.exchange(
                code: form.required("code"),
                redirectURI: form.required("redirect_uri"),
                verifier: verifier,
                client: client
            )
            return (tokens.json, false)
        case "refresh_token":
            let token = try form.required("refresh_token")
            return (try await state.refresh(token, scopes: form.value("scope"), client: client).json, true)
        default:
            throw OAuthError(.unsupportedGrantType, "grant_type must be authorization_code or refresh_token")
        }
    }

    /// Makes an answer or an error in the format of RFC 6749, 5.1 and 5.2.
    private static func answering(_ body: () async throws -> JSON) async throws -> Response {
        var response: Response
        do {
            response = try .json(await body())
        } catch let error as OAuthError {
            let json = JSON.object([
                "error": .string(error.code.rawValue), "error_description": .string(error.description),
            ])
            response = try .json(json, status: .init(code: error.status))
            if error.status == 401 { response.headers[.wwwAuthenticate] = "Basic realm=\"xchat sandbox\"" }
        }
        response.headers[.cacheControl] = "no-store"
        return response
    }
}

extension Response {
    fileprivate static func found(_ address: String) -> Response {
        Response(status: .found, headers: [.location: address, .cacheControl: "no-store"])
    }
}

extension Request {
    fileprivate func form() async throws -> Form {
        let type = (headers[.contentType] ?? "").split(separator: ";").first.map { $0.lowercased() } ?? ""
        guard type.utf8.filter({ $0 != 0x20 }).elementsEqual(Form.type.utf8) else {
            throw OAuthError.invalidRequest("the body must have the type \(Form.type)")
        }
        guard let form = Form(try await wholeBody(limit: Form.maximumBytes)) else {
            throw OAuthError.invalidRequest("the body is not a form of at most 64 fields")
        }
        return form
    }
}
