import Foundation
import TestSupport
import Testing
import XChat
import XChatCommand
import XChatEngine
import XChatEvents
import XChatFiles

struct MediaCommandTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        let key = Base64.encode([UInt8](repeating: 7, count: 32))
        let session = #"{"user_id":"1111","conversation_keys":{"1111:2222":{"1":"\#(key)","2":"\#(key)"}}}"#
        try Files.create(scratch.file("session"), Array(session.utf8))
    }

    private func media(_ arguments: String..., input: [UInt8] = []) async throws -> Program.Outcome {
        try await Program.run(
            ["media"] + arguments + ["--conversation", "2222", "--session", scratch.file("session")],
            input: input,
            environment: [:]
        )
    }

    private static let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }

    @Test("a file is the same after encryption and decryption", arguments: [0, 1, 1023, 1024, 1025, 300_000])
    func roundTrip(length: Int) async throws {
        let plain = Array(Self.content.prefix(length))
        try Files.create(scratch.file("plain"), plain)
        let sealed = try await media("encrypt", "--in", scratch.file("plain"), "--out", scratch.file("sealed"))
        #expect(sealed.status == 0, "\(sealed.errors)")
        #expect(try scratch.read("sealed").count == MediaEncryptor.encryptedSize(of: length))
        let opened = try await media("decrypt", "--in", scratch.file("sealed"), "--out", scratch.file("opened"))
        #expect(opened.status == 0, "\(opened.errors)")
        #expect(try scratch.read("opened") == plain)
    }

    @Test func `a truncated or altered file leaves no output, and an existing file is not replaced`() async throws {
        try Files.create(scratch.file("plain"), Self.content)
        #expect(try await media("encrypt", "--in", scratch.file("plain"), "--out", scratch.file("sealed")).status == 0)
        let sealed = try scratch.read("sealed")
        var altered = sealed
        altered[sealed.count / 2] ^= 1
        for (name, bytes) in [("short", Array(sealed.dropLast(1041))), ("altered", altered), ("empty", [])] {
            try Files.create(scratch.file(name), bytes)
            let outcome = try await media("decrypt", "--in", scratch.file(name), "--out", scratch.file("opened"))
            #expect(outcome.status == 1)
            #expect(!Files.exists(scratch.file("opened")))
        }
        let refused = try await media("decrypt", "--in", scratch.file("sealed"), "--out", scratch.file("plain"))
        #expect(refused.status == 1)
        #expect(try scratch.read("plain") == Self.content)
        let forced = try await media(
            "decrypt",
            "--in",
            scratch.file("sealed"),
            "--out",
            scratch.file("short"),
            "--force"
        )
        #expect(forced.status == 0, "\(forced.errors)")
        #expect(try scratch.read("short") == Self.content)
        let left = try FileManager.default.contentsOfDirectory(atPath: scratch.file("."))
        #expect(!left.contains { $0.hasSuffix(".xchat-new") })
    }

    @Test func `a missing key is an error`() async throws {
        #expect(try await media("encrypt", "--conversation-key-version", "9").status == 1)
    }

    @Test(
        "a signal while a file is made leaves no part of it",
        .timeLimit(.minutes(1)),
        arguments: [SIGINT, SIGTERM, SIGHUP, SIGKILL]
    )
    func interrupted(signal: Int32) async throws {
        try Files.create(scratch.file("plain"), Self.content)
        #expect(try await media("encrypt", "--in", scratch.file("plain"), "--out", scratch.file("sealed")).status == 0)
        let process = try Program.process(
            [
                "media", "decrypt", "--out", scratch.file("opened"), "--conversation", "2222", "--session",
                scratch.file("session"),
            ],
            environment: [:]
        )
        let input = Pipe()
        process.standardInput = input
        try process.run()
        defer { kill(process.processIdentifier, SIGKILL) }
        try input.fileHandleForWriting.write(contentsOf: try scratch.read("sealed").dropLast(2000))
        while try !isWriting(process), process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
        kill(process.processIdentifier, signal)
        while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
        #expect(process.terminationStatus == (signal == SIGKILL ? SIGKILL : 128 + signal))
        #expect(try scratch.names().sorted() == ["plain", "sealed", "session"])
    }

    /// Whether a process has begun to write a file, which may have no name.
    private func isWriting(_ process: Process) throws -> Bool {
        if try scratch.names().contains(".opened.xchat-new") { return true }
        let folder = "/proc/\(process.processIdentifier)/fd"
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.contains { file in
            let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(file)")
            return path?.contains(scratch.path + "/#") ?? false
        }
    }

    @Test func `only regular files are replaced, and links are followed`() async throws {
        try Files.create(scratch.file("plain"), [1, 2, 3])
        #expect(unsafe mkfifo(scratch.file("pipe"), 0o600) == 0)
        let pipe = try await media("encrypt", "--in", scratch.file("plain"), "--out", scratch.file("pipe"), "--force")
        #expect(pipe.status == 1)
        #expect(pipe.errors.contains("not a regular file"))
        try Files.create(scratch.file("target"), [])
        try FileManager.default.createSymbolicLink(atPath: scratch.file("link"), withDestinationPath: "target")
        let link = try await media("encrypt", "--in", scratch.file("plain"), "--out", scratch.file("link"), "--force")
        #expect(link.status == 0, "\(link.errors)")
        #expect(try scratch.read("target").count == MediaEncryptor.encryptedSize(of: 3))
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: scratch.file("link")) == "target")
    }

    @Test func `a dash is standard output, and an error names the input`() async throws {
        let sealed = try await media("encrypt", "--out", "-", input: [1, 2, 3])
        #expect(sealed.output.count == MediaEncryptor.encryptedSize(of: 3))
        let cut = try await media("decrypt", input: sealed.output.dropLast())
        #expect(cut.status == 1)
        #expect(cut.errors.contains(#""standard input": frame 0, the last one"#))
        try Files.create(scratch.file("cut"), sealed.output.dropLast())
        #expect(try await media("decrypt", "--in", scratch.file("cut")).errors.contains("/cut\": frame 0"))
        let nowhere = try await media("encrypt", "--out", "/nonexistent/file", input: [1])
        #expect(nowhere.errors.contains(#""/nonexistent/file": No such file"#))
    }
}
