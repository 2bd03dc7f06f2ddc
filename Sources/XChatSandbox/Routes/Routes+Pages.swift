import Hummingbird
import XChatHTTP

extension Routes {
    /// Where people look at the server: no fault and no limit applies.
    static let pages: Set = [
        "/", "/sandbox.css", "/sandbox.js", "/sandbox.json", "/i/oauth2/authorize", "/2/oauth2/authorize",
    ]

    func addPages(to router: Router<SandboxContext>) {
        router.get("/") { _, _ in LivePage.response() }
        router.get("/sandbox.css") { _, _ in Response.asset(styleSheet, type: "text/css; charset=utf-8") }
        router.get("/sandbox.js") { _, _ in Response.asset(LivePage.script, type: "text/javascript; charset=utf-8") }
        router.get("/sandbox.json") { request, _ in
            // Browsers say where a request comes from; other programs do not, and can read the whole API anyway.
            guard ["same-origin", "none", nil].contains(request.headers["sec-fetch-site"]) else {
                throw Problem.forbidden("This page is not shown to other origins.", resourceType: "page")
            }
            let text = String(decoding: try await state.view().json.text(), as: UTF8.self)
            return Response.asset(text, type: "application/json")
        }
    }
}

/// Refuses requests under a name that is not this machine's, where the server listens on a loopback address.
///
/// With DNS that changes its answer, a page of another origin could otherwise read this server through a browser.
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
