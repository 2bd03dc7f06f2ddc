import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    /// Makes a page.
    ///
    /// The page loads only the style sheet and, if `hasScript` is true, the script of this server.
    ///
    /// - Parameters:
    ///   - title: The title and first heading.
    ///   - main: The content below the heading.
    ///   - formScheme: The scheme to which the answer of the page's form may redirect; browsers apply the policy for
    ///     forms to redirects too.
    ///   - hasScript: Whether the page runs the script of the live page.
    ///   - status: The HTTP status.
    /// - Returns: The answer.
    static func page(
        _ title: String,
        _ main: HTML,
        formScheme: String? = nil,
        hasScript: Bool = false,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        let script: HTML = hasScript ? "<script src=\"/sandbox.js\" defer></script>\n" : ""
        let page: HTML = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(title)</title>
            <link rel="stylesheet" href="/sandbox.css">
            \(script)</head>
            <body>
            <main>
            <h1>\(title)</h1>
            \(main)
            </main>
            </body>
            </html>

            """
        let form = formScheme.map { "'self' \($0):" } ?? "'none'"
        let loads = hasScript ? "script-src 'self'; connect-src 'self'; " : ""
        let policy = """
            default-src 'none'; style-src 'self'; \(loads)form-action \(form); \
            base-uri 'none'; frame-ancestors 'none'
            """
        var response = asset(page.text, type: "text/html; charset=utf-8", status: status)
        response.headers["content-security-policy"] = policy
        response.headers["x-frame-options"] = "DENY"
        return response
    }

    /// Makes an answer with a text that a browser loads; no other origin may embed it.
    static func asset(_ text: String, type: String, status: HTTPResponse.Status = .ok) -> Response {
        var response = Response(
            status: status,
            headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
        response.headers["x-content-type-options"] = "nosniff"
        response.headers["referrer-policy"] = "no-referrer"
        response.headers["cross-origin-resource-policy"] = "same-origin"
        return response
    }
}

extension HTTPFields {
    subscript(name: String) -> String? {
        get { HTTPField.Name(name).flatMap { self[$0] } }
        set { if let name = HTTPField.Name(name) { self[name] = newValue } }
    }
}
