import Foundation
import Testing
import XChatCommand

struct FilesTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    @Test func `a new file is its owner's alone and never replaces another`() throws {
        let path = scratch.file("new")
        try Files.create(path, [1, 2, 3])
        #expect(try scratch.permissions("new") == 0o600)
        #expect(throws: CommandError.self) { try Files.create(path, [4]) }
        #expect(try scratch.read("new") == [1, 2, 3])
    }

    @Test func `a link is not followed to make a new file`() throws {
        try FileManager.default.createSymbolicLink(atPath: scratch.file("link"), withDestinationPath: "elsewhere")
        #expect(throws: CommandError.self) { try Files.create(scratch.file("link"), [1]) }
        #expect(try scratch.names() == ["link"])
    }

    @Test func `replacing leaves nothing else behind and closes the file to others`() throws {
        let path = try scratch.write("state", "old", mode: 0o644)
        try Files.replace(path, Array("new".utf8))
        #expect(try scratch.read("state") == Array("new".utf8))
        #expect(try scratch.permissions("state") == 0o600)
        #expect(try scratch.names() == ["state"])
    }

    @Test func `replacing through a link keeps the link`() throws {
        try scratch.write("state", "old")
        try FileManager.default.createSymbolicLink(atPath: scratch.file("link"), withDestinationPath: "state")
        try Files.replace(scratch.file("link"), Array("new".utf8))
        #expect(try scratch.read("state") == Array("new".utf8))
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: scratch.file("link")) == "state")
    }

    @Test func `folders are made for their owner alone`() throws {
        try Files.makeFolder(scratch.file("a/b/c"))
        #expect(try scratch.permissions("a") == 0o700)
        #expect(try scratch.permissions("a/b/c") == 0o700)
        try Files.makeFolder(scratch.file("a/b/c"))
    }

    @Test func `a missing file is named, with its name made visible`() {
        #expect(throws: CommandError(#""/no/such\u{1B}file": No such file or directory"#)) {
            try Files.read("/no/such\u{1b}file", limit: 10)
        }
    }

    @Test func `a file beyond its limit is refused`() throws {
        let path = try scratch.write("big", [UInt8](repeating: 7, count: 11))
        #expect(throws: CommandError.self) { try Files.read(path, limit: 10) }
        #expect(try Files.read(path, limit: 11).count == 11)
    }

    @Test func `one process at a time holds the lock`() async throws {
        let path = try scratch.write("counter", "0")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<25 {
                        try Files.withLock(on: path) {
                            let count = Int(String(decoding: try Files.read(path, limit: 10), as: UTF8.self))
                            // Time enough for another one to come in between.
                            usleep(500)
                            try Files.replace(path, Array("\((count ?? -1000) + 1)".utf8))
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try scratch.read("counter") == Array("100".utf8))
    }

    @Test func `somebody else's lock is not waited for without end`() throws {
        let path = try scratch.write("state", "")
        let held = try Descriptor.reading(scratch.file("."))
        try held.lock()
        let other = try Descriptor.reading(scratch.file("."))
        #expect(throws: CommandError.self) { try other.lock(patience: .milliseconds(30)) }
        withExtendedLifetime(held) { _ in #expect(Files.exists(path)) }
    }
}
