import Foundation
import TestSupport
import Testing
import XChat
import XChatCommand
import XChatEngine
import XChatEvents

struct FilesTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    @Test("a new file is its owner's alone and never replaces another", arguments: FileConstruction.all)
    func create(_ construction: FileConstruction) throws {
        let path = scratch.file("new")
        try Files.create(path, [1, 2, 3], construction: construction)
        #expect(try scratch.permissions("new") == 0o600)
        #expect(throws: CommandError(#""\#(path)": File exists"#)) {
            try Files.create(path, [4], construction: construction)
        }
        #expect(try scratch.read("new") == [1, 2, 3])
        #expect(try scratch.names() == ["new"])
    }

    @Test("a file that appears while another is written under its name is kept", arguments: FileConstruction.all)
    func race(_ construction: FileConstruction) throws {
        let path = scratch.file("new")
        #expect(throws: CommandError.self) {
            try Files.write(path, overwrites: false, construction: construction) { file in
                _ = try file.write([1])
                try scratch.write("new", "other")
            }
        }
        #expect(try scratch.read("new") == Array("other".utf8))
        #expect(try scratch.names() == ["new"])
    }

    @Test("a file that cannot be completed leaves nothing", arguments: FileConstruction.all, [false, true])
    func failure(_ construction: FileConstruction, _ overwrites: Bool) throws {
        try scratch.write("new", "old")
        let path = scratch.file(overwrites ? "new" : "other")
        #expect(throws: CommandError("no")) {
            try Files.write(path, overwrites: overwrites, construction: construction) { file in
                _ = try file.write([1])
                throw CommandError("no")
            }
        }
        #expect(try scratch.read("new") == Array("old".utf8))
        #expect(try scratch.names() == ["new"])
    }

    @Test func `a file under construction has no name`() throws {
        try Files.write(scratch.file("new"), overwrites: false) { file in
            _ = try file.write([1])
            #expect(try scratch.names().isEmpty)
        }
        #expect(try scratch.names() == ["new"])
    }

    @Test func `what a process left is deleted when a file is written into the folder`() throws {
        for name in ["a", "b"] { try scratch.write(".\(name).xchat-new", "secret") }
        try Files.create(scratch.file("c"), [1])
        #expect(try scratch.names() == ["c"])
        try scratch.write(".c.xchat-new", "secret")
        try Files.replace(scratch.file("c"), [2])
        #expect(try scratch.names() == ["c"])
    }

    @Test func `only our own regular files that no process is writing are deleted`() throws {
        let names = [
            ".link.xchat-new", ".locked.xchat-new", ".folder.xchat-new", "no-dot.xchat-new", ".state.xchat-new2",
            "target",
        ]
        for name in names.dropFirst() where name != names[2] { try scratch.write(name, "x") }
        try FileManager.default.createSymbolicLink(atPath: scratch.file(names[0]), withDestinationPath: "target")
        try Files.makeFolder(scratch.file(names[2]))
        let locked = try Descriptor.reading(scratch.file(names[1]))
        try locked.lock()
        try Files.create(scratch.file("new"), [1])
        let left = try withExtendedLifetime(locked) { _ in try scratch.names() }
        #expect(left == (names + ["new"]).sorted())
    }

    @Test("two processes that replace one file do not disturb each other", arguments: FileConstruction.all)
    func concurrency(_ construction: FileConstruction) async throws {
        let path = try scratch.write("state", "0")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...4 {
                group.addTask {
                    let content = [UInt8](repeating: UInt8(number), count: 10_000)
                    for _ in 0..<20 { try Files.replace(path, content, construction: construction) }
                }
            }
            try await group.waitForAll()
        }
        let content = try scratch.read("state")
        #expect(content.count == 10_000)
        #expect(Set(content).count == 1)
        #expect(try scratch.names() == ["state"])
    }

    @Test func `a link is not followed to make a new file`() throws {
        try FileManager.default.createSymbolicLink(atPath: scratch.file("link"), withDestinationPath: "elsewhere")
        #expect(throws: CommandError.self) { try Files.create(scratch.file("link"), [1]) }
        #expect(try scratch.names() == ["link"])
    }

    @Test("replacing leaves no other file and closes the file to others", arguments: FileConstruction.all)
    func replace(_ construction: FileConstruction) throws {
        let path = try scratch.write("state", "old", mode: 0o644)
        try Files.replace(path, Array("new".utf8), construction: construction)
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

extension FileConstruction {
    static let all = [FileConstruction.unnamed, .named]
}

/// SIGKILL at instants that are not chosen: one state is left, and it opens.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct KilledWriterTests {
    private let fixture: Fixture

    init() throws {
        fixture = try Fixture()
    }

    private var names: [String] { get throws { try fixture.scratch.names() } }

    @Test("a killed update leaves one state that opens", arguments: FileConstruction.all, 0..<4)
    func update(_ construction: FileConstruction, _ run: Int) async throws {
        let path = try fixture.file(of: "1111")
        let isNamed = construction == .named
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, isNamed = isNamed as Bool] in
            let content = try Files.read(path, limit: 1 << 20)
            Self.killSoon()
            while true {
                try Files.replace(path, content, construction: isNamed ? .named : .unnamed)
            }
        }
        // A file that was complete or not: what is left has the pattern, and the next read deletes it.
        #expect(try Set(names).isSubset(of: ["session.json", ".session.json.xchat-new"]))
        let session = try StateStore(sessionFile: path).read().session()
        #expect(session.userID == "1111")
        #expect(try names == ["session.json"])
    }

    @Test("a killed decryption leaves no plaintext", arguments: FileConstruction.all, [false, true])
    func write(_ construction: FileConstruction, _ overwrites: Bool) async throws {
        let path = fixture.scratch.file("out")
        if overwrites { try fixture.scratch.write("out", "old") }
        let (isNamed, replaces) = (construction == .named, overwrites)
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = path as String, isNamed = isNamed as Bool, replaces = replaces as Bool] in
            Self.killSoon()
            try Files.write(path, overwrites: replaces, construction: isNamed ? .named : .unnamed) { file in
                while true { _ = try file.write([UInt8](repeating: 1, count: 1000)) }
            }
        }
        let before = overwrites ? ["out"] : []
        #expect(try names.filter { $0 != ".out.xchat-new" } == before)
        #expect(try isNamed || names == before)
        try Files.create(fixture.scratch.file("other"), [1])
        #expect(try names == (before + ["other"]).sorted())
    }

    /// Ends this process at some instant of the next moments.
    private static func killSoon() {
        let delay = UInt32.random(in: 0...40_000)
        Thread.detachNewThread {
            usleep(delay)
            _ = kill(getpid(), SIGKILL)
        }
    }

    @Test func `a killed import leaves no keys but in the state`() async throws {
        let blob = try #require(try fixture.keys["1111"]?.withExport { span in span.indices.map { span[$0] } })
        let input = try fixture.scratch.write("blob", blob)
        let path = fixture.scratch.file("state")
        for _ in 0..<12 {
            let process = try Program.process(
                ["keys", "import", "--user", "1111", "--key-version", "1", "--out", path, input],
                environment: [:]
            )
            process.standardError = FileHandle.nullDevice
            try process.run()
            try await Task.sleep(for: .microseconds(Int.random(in: 0...60_000)))
            kill(process.processIdentifier, SIGKILL)
            while process.isRunning { try await Task.sleep(for: .milliseconds(1)) }
            #expect(try Set(names).isSubset(of: ["blob", "state"]))
            if try names.contains("state") {
                let listed = try await Program.run("keys", "list", "--session", path)
                #expect(listed.status == 0, "\(listed.errors)")
                #expect(listed.output.isEmpty == false)
                try FileManager.default.removeItem(atPath: path)
            }
        }
    }
}
