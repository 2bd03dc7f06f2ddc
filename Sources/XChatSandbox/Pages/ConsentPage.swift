import Hummingbird
import XChatEvents

/// The page on which a user allows or refuses what an app asks for.
struct ConsentPage {
    let request: AuthorizationRequest
    let ticket: WireString
    let users: [SandboxUser]
    /// The error in the last answer; nil on the first page.
    var fault: String?

    /// The value of the radio button for an id in the text field.
    static let other = "other"

    func response() -> Response {
        let scopes = request.scopes.map { scope -> HTML in
            "<li>\(scope.meaning) <code>\(scope.rawValue)</code></li>\n"
        }
        return .page(
            "Sign in to the sandbox",
            """
            <p>The app <strong class="foreign">\(request.client.string)</strong> asks to:</p>
            <ul>
            \(scopes)</ul>
            <p>The answer goes to <span class="foreign">\(request.redirectURI.text.string)</span>.</p>
            \(form)
            <p>This is a server for development and tests: it asks for no password.</p>
            """,
            formScheme: request.redirectURI.scheme,
            status: fault == nil ? .ok : .badRequest
        )
    }

    private var form: HTML {
        let alert: HTML = fault.map { "<p id=\"fault\" role=\"alert\">\($0)</p>" } ?? ""
        let described: HTML = fault == nil ? "" : " aria-invalid=\"true\" aria-describedby=\"fault\""
        return """
            \(alert)
            <form method="post" action="/i/oauth2/authorize">
            <input type="hidden" name="ticket" value="\(ticket.string)">
            <fieldset>
            <legend>Sign in as user</legend>
            \(choices)
            <label for="other">Id of another user, 1 to 19 digits</label>
            <input id="other" name="other" inputmode="numeric" autocomplete="off" maxlength="19"\(described)>
            </fieldset>
            <p class="buttons">
            <button name="decision" value="allow">Allow</button>
            <button name="decision" value="refuse">Refuse</button>
            </p>
            </form>
            """
    }

    /// Radio buttons for the known users and for another user; the first one is selected.
    private var choices: [HTML] {
        let known = users.map { user in (value: user.id.string, name: "@\(user.handle), id \(user.id)") }
        return (known + [(Self.other, "another user")]).enumerated().map { index, choice in
            let (value, name) = choice
            let checked: HTML = index == 0 ? " checked" : ""
            return "<label><input type=\"radio\" name=\"user\" value=\"\(value)\"\(checked)> \(name)</label>\n"
        }
    }
}
