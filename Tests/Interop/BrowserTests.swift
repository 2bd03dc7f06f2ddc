import Foundation
import Testing
import XChatEngine
import XChatEvents
import XChatHTTP
import XChatSandbox

/// Whether the browser that `browser.py` drives is installed.
enum Chromium {
    private static let isInstalled: Bool = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let hasPrograms = ["chromium", "chromedriver"].allSatisfy { program in
            folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
        }
        return hasPrograms && Bots.canImport("selenium")
    }()

    /// Whether the tests run, as ``Peer/isWanted``, but only on Linux, where `script/setup` installs Chromium.
    static let isWanted: Bool = {
        #if os(Linux)
            return isInstalled || ProcessInfo.processInfo.environment["CI"] == "true"
        #else
            return isInstalled
        #endif
    }()
    static let absence: Comment =
        "chromium, chromedriver or selenium is not installed; script/setup --tests installs them"
}

/// The sandbox's pages in headless Chromium.
///
/// If `XCHAT_SCREENSHOT` is set, a picture of the live page is written to that path: README shows it as
/// docs/images/sandbox.png.
@Suite(.enabled(if: Chromium.isWanted, Chromium.absence), .timeLimit(.minutes(2)))
struct BrowserTests {
    private typealias Answer = [String: String]

    @Test func `a user allows, refuses, and signs in as another user`() async throws {
        try await Sandbox().serving { url in
            try await Alice.registerBob(url)
            let browser = try Bots("browser.py")
            let page = ["url": url.absoluteString]
            func click(_ decision: String, user: String? = nil) async throws -> Answer {
                var arguments = page
                arguments["decision"] = decision
                arguments["user"] = user
                return try await browser.call("click", of: "user", arguments, returning: Answer.self)
            }
            #expect(try await click("refuse") == ["error": "access_denied"])
            #expect(try await click("allow") == ["user": "2222"])
            #expect(try await click("allow", user: "9999") == ["user": "9999"])

            let mistaken = try await browser.call("mistake", of: "user", page, returning: Answer.self)
            #expect(mistaken["alert"] == "Choose a user, or enter an id of 1 to 19 digits.")
            #expect(mistaken["error"] == "access_denied")
        }
    }

    @Test func `the consent page is used by keyboard alone, with visible focus`() async throws {
        try await Sandbox().serving { url in
            try await Alice.registerBob(url)
            let browser = try Bots("browser.py")
            func type(_ keys: String) async throws -> Answer {
                let arguments = ["url": url.absoluteString, "keys": "[" + keys.replacing(" ", with: ",")]
                return try await browser.call("type", of: "user", arguments, returning: Answer.self)
            }
            let allowed = try await type("tab tab tab enter")
            #expect(allowed["focused"] == "2222 other allow")
            #expect(allowed["user"] == "2222")
            let refused = try await type("tab tab tab tab space")
            #expect(refused["focused"] == "2222 other allow refuse")
            #expect(refused["error"] == "access_denied")
            let other = try await type("tab down tab 4444 tab enter")
            #expect(other["user"] == "4444")
        }
    }

    @Test func `the live page shows a message as it is posted, and a hostile title as text`() async throws {
        try await Sandbox().serving { url in
            try await Alice.registerBob(url)
            let browser = try Bots("browser.py")
            try await browser.perform("open", of: "page", ["url": url.absoluteString])
            func wait(for text: String) async throws -> String {
                try await browser.call("wait_for", of: "page", ["text": text], returning: String.self)
            }
            _ = try await wait(for: "No events yet.")
            var alice = try await Alice(url)
            try await alice.start()
            _ = try await wait(for: "New conversation key from 1111 in 1111:2222")
            try await alice.send("not for the server")
            let status = try await wait(for: "Message from 1111 in 1111:2222")
            #expect(status == "2 events. The newest: Message from 1111 in 1111:2222.")

            let title = "<img src=x onerror=window.wasRun=1><script>window.wasRun=1</script>\u{202E}"
            try await alice.startGroup(title)
            _ = try await wait(for: title.replacing("\u{202E}", with: "\\u{202E}"))
            let faults = try await browser.call("check", of: "page", [:], returning: [String].self)
            #expect(faults.isEmpty)

            // A paused page does not change; after the pause it is updated.
            var pressed = try await browser.call("pause", of: "page", [:], returning: [String].self)
            #expect(pressed == ["true", "pause"])
            try await alice.send("one more")
            pressed = try await browser.call("pause", of: "page", [:], returning: [String].self)
            #expect(pressed == ["false", "pause"])
            _ = try await wait(for: "5 events.")
        }
    }

    @Test func `a picture of the live page is small enough for README`() async throws {
        try await Sandbox().serving { url in
            try await Alice.registerBob(url)
            var alice = try await Alice(url)
            try await alice.start()
            try await alice.send("Meet at nine?")
            let browser = try Bots("browser.py")
            try await browser.perform("open", of: "page", ["url": url.absoluteString])
            _ = try await browser.call("wait_for", of: "page", ["text": "2 events."], returning: String.self)
            let size = ["width": "1000", "height": "760"]
            let picture = try await browser.call("screenshot", of: "page", size, returning: Bytes.self)
            #expect((1000..<150_000).contains(picture.bytes.count))
            if let path = ProcessInfo.processInfo.environment["XCHAT_SCREENSHOT"] {
                try Data(picture.bytes).write(to: URL(filePath: path))
            }
        }
    }
}
