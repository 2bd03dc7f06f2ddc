import Hummingbird
import XChatHTTP

extension Routes {
    /// The routes of the pages for people: faults and rate limits do not apply to them.
    static let pages: Set = [
        "/", "/sandbox.css", "/sandbox.js", "/sandbox.json", "/i/oauth2/authorize", "/2/oauth2/authorize",
    ]

    func addPages(to router: Router<SandboxContext>) {
        router.get("/") { _, _ in LivePage.response() }
        router.get("/sandbox.css") { _, _ in Response.asset(styleSheet, type: "text/css; charset=utf-8") }
        router.get("/sandbox.js") { _, _ in Response.asset(LivePage.script, type: "text/javascript; charset=utf-8") }
        router.get("/sandbox.json") { request, _ in
            // Browsers state in this header where a request comes from. Other programs do not send it, and can read the
            // whole API anyway.
            guard ["same-origin", "none", nil].contains(request.headers["sec-fetch-site"]) else {
                throw Problem.forbidden("This page is not shown to other origins.", resourceType: "page")
            }
            let text = String(decoding: try await state.view().json.text(), as: UTF8.self)
            return Response.asset(text, type: "application/json")
        }
    }
}

/// Refuses requests whose host name is not one of this machine, against DNS rebinding.
///
/// Otherwise a web page whose host name resolves to this machine could read the server through a user's browser. The
/// check is used only if the server listens on a loopback address.
struct HostMiddleware: RouterMiddleware {
    let errors: SandboxFaults.ErrorShape

    @concurrent
    func handle(
        _ request: Request,
        context: SandboxContext,
        next: @concurrent (Request, SandboxContext) async throws -> Response
    ) async throws -> Response {
        guard Loopback.containsHost(ofAuthority: (request.head.authority ?? "localhost").utf8) else {
            return try .problem(.misdirected, errors)
        }
        return try await next(request, context)
    }
}
