import Foundation
import XChat

/// Sends a file to a user: `SendFile USER FILE [TEXT]`.
@main
struct SendFile {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let user = arguments.first, let path = arguments.dropFirst().first else {
            print("usage: SendFile USER FILE [TEXT]")
            exit(2)
        }
        let account = try await Account.open(.environment)
        let conversation = try await account.startConversation(with: UserID(user))
        let receipt = try await account.send(
            arguments.dropFirst(2).first ?? "",
            files: [path],
            to: conversation,
            progress: { _, progress in print("\(progress.doneBytes) of \(progress.totalBytes ?? 0) bytes") }
        )
        print("sent as \(receipt.messageID)")
        await account.close()
    }
}
