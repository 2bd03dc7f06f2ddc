import XChat

@main
struct EchoBot {
    static func main() async throws {
        let account = try await Account.open(.environment)
        for try await message in account.messages() {
            guard !message.isOwn, let text = message.text else { continue }
            try await message.reply("echo: \(text)")
        }
    }
}
