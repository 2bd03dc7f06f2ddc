import Hummingbird

extension Routes {
    func addPages(to router: Router<SandboxContext>) {
        router.get("/sandbox.css") { _, _ in Response.asset(styleSheet, type: "text/css; charset=utf-8") }
    }
}
