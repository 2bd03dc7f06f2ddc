import Foundation
import Hummingbird
import XChat
import XChatHTTP

/// Echoes messages that X delivers to a webhook; `XCHAT_CONSUMER_SECRET` is the app's secret, `PORT` the port to listen
/// on.
///
/// X checks with a token (CRC) that the app's owner controls the URL, and signs each webhook request. A request only
/// says that there is a new event: the account verifies the event like any other, and reads events whose request was
/// lost from the history.
@main
struct WebhookBot {
    static func main() async throws {
        let environment = ProcessInfo.processInfo.environment
        guard let secret = environment["XCHAT_CONSUMER_SECRET"], !secret.isEmpty else {
            print("XCHAT_CONSUMER_SECRET is not set")
            exit(2)
        }
        var configuration = try Account.Configuration.environment
        // Webhook requests announce new events. The list of conversations is read only in case a request was lost.
        configuration.pollInterval = .seconds(300)
        let account = try await Account.open(configuration)

        let router = Router()
        router.get("webhook") { request, _ in
            guard let token = request.uri.queryParameters.get("crc_token"),
                let answer = try? Webhook.crcAnswer(crcToken: token, consumerSecret: secret)
            else { throw HTTPError(.badRequest) }
            return Response(
                status: .ok,
                headers: [.contentType: "application/json"],
                body: .init(byteBuffer: ByteBuffer(string: answer))
            )
        }
        router.post("webhook") { request, context in
            let body = try await request.body.collect(upTo: 32 << 20)
            let bytes = Array(body.readableBytesView)
            let header = request.headers.first { $0.name.canonicalName == Webhook.signatureHeader }?.value
            guard Webhook.isValid(signature: header, body: bytes, consumerSecret: secret) else {
                throw HTTPError(.unauthorized)
            }
            account.receive(try ActivityEvent(webhookBody: bytes))
            return HTTPResponse.Status.ok
        }
        let port = environment["PORT"].flatMap { Int($0) } ?? 8080
        let server = Application(router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)))

        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.runService() }
            group.addTask {
                for try await message in account.messages() {
                    guard !message.isOwn, let text = message.text else { continue }
                    try await message.reply("echo: \(text)")
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }
}
