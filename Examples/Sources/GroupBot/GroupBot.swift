import XChat

/// Creates a group with the users of its arguments and greets new members: `GroupBot USER…`.
@main
struct GroupBot {
    static func main() async throws {
        let users = CommandLine.arguments.dropFirst().map { UserID($0) }
        let account = try await Account.open(.environment)
        if !users.isEmpty {
            let group = try await account.createGroup(of: users, title: "Book club")
            try await account.send("Welcome!", to: group)
            print("created \(group)")
        }
        for try await event in account.events(consumer: "greeter") {
            guard let joined = event.addedMembers, !joined.isEmpty else { continue }
            let names = joined.map(\.string).joined(separator: " and ")
            try await event.send(.text("Hello, \(names)!"))
        }
    }
}
