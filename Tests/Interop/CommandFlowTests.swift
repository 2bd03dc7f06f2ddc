import Foundation
import Testing
import XChat
import XChatEvents
import XChatText

/// A conversation between a user of the command `xchat` and a user of X's own client and engine.
@Suite(.enabled(if: Bots.isWanted, Bots.absence), .timeLimit(.minutes(2)))
struct CommandFlowTests {
    private static let texts = ["", "a\u{0}b", "two\nlines\n", "👩‍👩‍👧‍👦🏳️‍🌈", "مرحبا", "e\u{301}\u{E9}", "--help"]
    private let conversation = ["conversation": Argument.string("1111-2222")]
    private let people: [String: Argument] = [
        "conversation": .string("1111-2222"), "people": .list([.string("1111"), .string("2222")]),
    ]

    @Test func `a person with the command and a bot with X's client write and send files to each other`() throws {
        let person = try Person("1111")
        let bot = try Peer("command_flow.py")
        try bot.perform("connect", of: "bob", ["url": .string(person.url), "user": .string("2222")])
        try bot.perform("register", of: "bob")
        _ = try person.xchat("conversation", "start", "2222")

        // The person writes to the bot.
        for text in Self.texts {
            _ = try person.xchat("send", "2222", "--allow-empty", input: Array(text.utf8))
        }
        var received = try bot.call("texts", of: "bob", people, returning: [String].self)
        #expect(received.map { Array($0.utf8) } == Self.texts.map { Array($0.utf8) })

        // The bot changes the key, and writes to the person.
        try bot.perform("start", of: "bob", ["other": .string("1111")])
        let answers = ["from X's own", "", "\u{202E}gnp"]
        for text in answers {
            try bot.perform("send", of: "bob", conversation.merging(["text": .string(text)]) { $1 })
        }
        // The person's state does not have that key, so the message is encrypted again before it is sent.
        let sent = try person.xchat("send", "2222", "with your key").answer()
        var read = try person.xchat("read", "2222", "--json").answers()
        #expect(try read.map { try text(of: $0) } == Self.texts + answers + ["with your key"])
        #expect(try read.last?.required("event").required("id").string() == sent.required("message_id").string())
        #expect(try read.allSatisfy { try $0.required("event").required("verified").bool() })
        received = try bot.call("texts", of: "bob", people, returning: [String].self)
        #expect(received.last == "with your key")

        // While the person follows the conversation, the bot writes again, under another new key.
        let following = try person.start("read", "2222", "--follow", "--json")
        try following.wait(for: read.count)
        try bot.perform("start", of: "bob", ["other": .string("1111")])
        try bot.perform("send", of: "bob", conversation.merging(["text": .string("live")]) { $1 })
        try following.wait(for: read.count + 1)
        #expect(try text(of: #require(following.answers().last)) == "live")
        #expect(following.stop() == 0)

        // Files in both directions.
        let picture = Self.picture + [UInt8](repeating: 7, count: 1_500_000)
        _ = try person.xchat("send", "2222", "a picture", "--attach", person.write("holiday.png", picture))
        let files = try bot.call("files", of: "bob", people, returning: [ReceivedFile].self)
        #expect(
            files == [ReceivedFile(filename: "holiday.png", type: "image", width: 640, content: Bytes(picture))]
        )
        let report = Array("a report\n".utf8) + [UInt8](repeating: 0, count: 3000)
        try bot.perform(
            "send_file",
            of: "bob",
            conversation.merging(
                ["text": .string("the report"), "filename": .string("report.bin"), "content": .bytes(report)]
            ) { $1 }
        )
        let lines = try person.xchat("read", "2222", "--json")
        read = try lines.answers()
        #expect(try text(of: #require(read.last)) == "the report")
        let line = try #require(lines.lines.last)
        _ = try person.xchat(
            "media",
            "download",
            "--event",
            "-",
            "--out",
            person.file("report"),
            input: Array(line.utf8)
        )
        #expect(try Array(Data(contentsOf: URL(filePath: person.file("report")))) == report)
        InteropTests.report(read.count, "messages and 2 files between the command and xdk through the sandbox")
    }

    private struct ReceivedFile: Decodable, Equatable {
        let filename: String
        let type: String
        let width: Int
        let content: Bytes
    }

    /// The beginning of an image of 640 by 480 pixels.
    private static let picture: [UInt8] =
        [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]
        + [0, 0, 2, 0x80, 0, 0, 1, 0xE0, 8, 2, 0, 0, 0]

    private func text(of line: JSONLocation) throws -> String {
        try line.required("event").required("content").required("text").string().string
    }
}

/// A user of the built command, with a sandbox that the built command runs.
private final class Person {
    let url: String
    private let user: String
    private let folder: URL
    private let server = Process()

    init(_ user: String) throws {
        self.user = user
        folder = FileManager.default.temporaryDirectory.appending(path: "xchat-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let output = Pipe()
        server.executableURL = BuiltCommand.executable
        server.arguments = ["sandbox"]
        server.standardOutput = output
        server.standardError = FileHandle.nullDevice
        try server.run()
        let line = Array(output.fileHandleForReading.availableData)
        url = try JSONLocation(parsing: line, document: "the first line").required("url").string().string
        _ = try xchat("keys", "generate", "--user", user, "--out", session, isAlone: true)
        _ = try xchat("keys", "register")
    }

    private var session: String { file("session.json") }

    func file(_ name: String) -> String { folder.appending(path: name).path }

    func write(_ name: String, _ content: [UInt8]) throws -> String {
        try Data(content).write(to: URL(filePath: file(name)))
        return file(name)
    }

    private func process(_ arguments: [String], output: String, errors: String) throws -> Process {
        let process = Process()
        process.executableURL = BuiltCommand.executable
        process.arguments = arguments
        process.environment = [
            "HOME": "/nonexistent", "PATH": "/usr/bin:/bin", "XCHAT_API_URL": url, "XCHAT_TOKEN": "sandbox-\(user)",
            "XCHAT_APP_TOKEN": "sandbox-app",
        ]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: try write(output, []))
        process.standardError = FileHandle(forWritingAtPath: try write(errors, []))
        return process
    }

    /// Starts a command that runs until it is stopped.
    func start(_ arguments: String...) throws -> Running {
        let process = try process(arguments + ["--session", session], output: "live", errors: "live-errors")
        try process.run()
        return Running(process: process, output: file("live"), errors: file("live-errors"))
    }

    /// Runs a command, which must succeed.
    func xchat(_ arguments: String..., isAlone: Bool = false, input: [UInt8] = []) throws -> Run {
        let process = try process(
            arguments + (isAlone ? [] : ["--session", session]),
            output: "out",
            errors: "err"
        )
        process.standardInput = FileHandle(forReadingAtPath: try write("in", input))
        try process.run()
        process.waitUntilExit()
        let errors = String(decoding: try Data(contentsOf: URL(filePath: file("err"))), as: UTF8.self)
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw Refusal(text: "xchat \(arguments) ended with \(process.terminationStatus): \(errors)")
        }
        let output = String(decoding: try Data(contentsOf: URL(filePath: file("out"))), as: UTF8.self)
        return Run(lines: output.split(separator: "\n").map(String.init))
    }

    /// A running command and its output so far.
    final class Running {
        private let process: Process
        private let output: String
        private let errors: String

        init(process: Process, output: String, errors: String) {
            (self.process, self.output, self.errors) = (process, output, errors)
        }

        func answers() throws -> [JSONLocation] {
            let text = String(decoding: try Data(contentsOf: URL(filePath: output)), as: UTF8.self)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            return try lines.map { try JSONLocation(parsing: Array($0.utf8), document: "output") }
        }

        /// Waits for a number of lines.
        func wait(for count: Int) throws {
            for _ in 0..<600 {
                if try answers().count >= count { return }
                guard process.isRunning else { break }
                Thread.sleep(forTimeInterval: 0.05)
            }
            let errors = String(decoding: try Data(contentsOf: URL(filePath: errors)), as: UTF8.self)
            throw Refusal(text: "\(try answers().count) lines instead of \(count): \(errors)")
        }

        func stop() -> Int32 {
            process.interrupt()
            process.waitUntilExit()
            return process.terminationReason == .exit ? process.terminationStatus : -1
        }

        deinit {
            if process.isRunning { process.terminate() }
        }
    }

    struct Run {
        let lines: [String]

        func answers() throws -> [JSONLocation] {
            try lines.map { try JSONLocation(parsing: Array($0.utf8), document: "output") }
        }

        func answer() throws -> JSONLocation {
            try #require(try answers().first)
        }
    }

    deinit {
        server.terminate()
        server.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }
}
