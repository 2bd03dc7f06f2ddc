import Foundation
import TestSupport
import Testing
import XChatFiles

#if os(Linux)
    import Glibc
#endif

struct FilesTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    @Test("a new file is its owner's alone and never replaces another", arguments: FileConstruction.allCases)
    func create(_ construction: FileConstruction) throws {
        let path = scratch.file("new")
        try Files.create(path, [1, 2, 3], construction: construction)
        #expect(try scratch.permissions("new") == 0o600)
        let error = #expect(throws: FileError.self) {
            try Files.create(path, [4], construction: construction)
        }
        #expect(error?.description == #""\#(path)": File exists"#)
        #expect(error?.isNameTaken == true)
        #expect(try scratch.read("new") == [1, 2, 3])
        #expect(try scratch.names() == ["new"])
    }

    @Test("a file that appears while another is written under its name is kept", arguments: FileConstruction.allCases)
    func race(_ construction: FileConstruction) throws {
        let path = scratch.file("new")
        #expect(throws: FileError.self) {
            try Files.write(path, overwrites: false, construction: construction) { file in
                _ = try file.write([1])
                try scratch.write("new", "other")
            }
        }
        #expect(try scratch.read("new") == Array("other".utf8))
        #expect(try scratch.names() == ["new"])
    }

    @Test("a file that cannot be completed leaves nothing", arguments: FileConstruction.allCases, [false, true])
    func failure(_ construction: FileConstruction, _ overwrites: Bool) throws {
        try scratch.write("new", "old")
        let path = scratch.file(overwrites ? "new" : "other")
        #expect(throws: Unfinished()) {
            try Files.write(path, overwrites: overwrites, construction: construction) { file in
                _ = try file.write([1])
                throw Unfinished()
            }
        }
        #expect(try scratch.read("new") == Array("old".utf8))
        #expect(try scratch.names() == ["new"])
    }

    #if os(Linux)
        @Test(
            "a file whose folder cannot be opened does not appear",
            arguments: FileConstruction.allCases,
            [false, true]
        )
        func unopenedFolder(_ construction: FileConstruction, _ overwrites: Bool) async throws {
            try scratch.write("new", "old")
            let path = scratch.file(overwrites ? "new" : "other")
            let isUnnamed = construction == .unnamed
            await #expect(processExitsWith: .success) {
                [path = path as String, isUnnamed = isUnnamed as Bool, overwrites = overwrites as Bool] in
                do {
                    let construction: FileConstruction = isUnnamed ? .unnamed : .named
                    try Files.write(path, overwrites: overwrites, construction: construction) { file in
                        try file.writeAll([1])
                        // From now on the process can open no file.
                        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
                        #expect(unsafe setrlimit(.init(RLIMIT_NOFILE.rawValue), &limit) == 0)
                    }
                    exit(1)
                } catch let error as FileError {
                    exit(error.description.hasSuffix("Too many open files") ? 0 : 2)
                }
            }
            #expect(try scratch.read("new") == Array("old".utf8))
            #expect(try scratch.names() == ["new"])
        }
    #endif

    @Test(
        "a path with .. after a link leads to the file that the system finds",
        arguments: FileConstruction.allCases
    )
    func resolution(_ construction: FileConstruction) throws {
        for folder in ["a", "b", "b/c"] { try Files.makeFolder(scratch.file(folder)) }
        try FileManager.default.createSymbolicLink(atPath: scratch.file("a/link"), withDestinationPath: "../b/c")
        try scratch.write("a/file", "wrong")
        try scratch.write("b/file", "right")
        let path = scratch.file("a/link/../file")
        let file = try RegularFile(path)
        #expect(try file.read(upTo: 10, at: 0) == Array("right".utf8))
        try Files.replace(path, Array("new".utf8), construction: construction)
        #expect(try scratch.read("b/file") == Array("new".utf8))
        #expect(try scratch.read("a/file") == Array("wrong".utf8))
        try Files.write(scratch.file("a/link/../made"), overwrites: true, construction: construction) { file in
            _ = try file.write([1])
        }
        #expect(try scratch.read("b/made") == [1])
        // An open file stays the one that was opened.
        #expect(try file.read(upTo: 10, at: 0) == Array("right".utf8))
        #expect(file.byteCount == 5)
    }

    @Test func `links to links are followed to the file, and the path stays relative to their folders`() throws {
        try Files.makeFolder(scratch.file("a"))
        try scratch.write("file", "old")
        for (name, target) in [("a/first", "second"), ("a/second", "../file"), ("a/loop", "loop"), ("a/gone", "none")] {
            try FileManager.default.createSymbolicLink(atPath: scratch.file(name), withDestinationPath: target)
        }
        #expect(Files.resolved(scratch.file("a/first")) == scratch.file("a/../file"))
        try Files.replace(scratch.file("a/first"), Array("new".utf8))
        #expect(try scratch.read("file") == Array("new".utf8))
        for name in ["a/loop", "a/gone", "file"] { #expect(Files.resolved(scratch.file(name)) == scratch.file(name)) }
    }

    @Test func `only a regular file is opened as one, and a pipe without a writer is no reason to wait`() throws {
        #expect(unsafe mkfifo(scratch.file("pipe"), 0o600) == 0)
        for path in [scratch.file("pipe"), scratch.path, "/dev/zero"] {
            #expect(throws: FileError(path, .notRegular)) { try RegularFile(path) }
        }
        #expect(throws: FileError.self) { try RegularFile(scratch.file("none")) }
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

    @Test("two processes that replace one file do not disturb each other", arguments: FileConstruction.allCases)
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
        #expect(throws: FileError.self) { try Files.create(scratch.file("link"), [1]) }
        #expect(try scratch.names() == ["link"])
    }

    @Test("replacing leaves no other file and closes the file to others", arguments: FileConstruction.allCases)
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
        let error = #expect(throws: FileError.self) { try Files.read("/no/such\u{1b}file", limit: 10) }
        #expect(error?.description == #""/no/such\u{1B}file": No such file or directory"#)
    }

    @Test func `a file beyond its limit is refused`() throws {
        let path = try scratch.write("big", [UInt8](repeating: 7, count: 11))
        #expect(throws: FileError.self) { try Files.read(path, limit: 10) }
        #expect(try Files.read(path, limit: 11).count == 11)
    }

    @Test func `a path with a zero byte opens no file`() throws {
        let path = try scratch.write("state", "secret")
        #expect(throws: FileError(path + "\0x", .invalidPath)) { try Files.read(path + "\0x", limit: 10) }
        #expect(throws: FileError(path + "\0x", .invalidPath)) { try Files.size(path + "\0x") }
        #expect(throws: FileError(path + "\0x", .invalidPath)) { try Files.replace(path + "\0x", [1]) }
        #expect(throws: FileError(path + "\0x", .invalidPath)) { try Files.create(path + "\0x", [1]) }
        #expect(throws: FileError(path + "2\0x", .invalidPath)) { try Files.makeFolder(path + "2\0x") }
        #expect(!Files.exists(path + "\0x"))
        #expect(try scratch.read("state") == Array("secret".utf8))
        #expect(try scratch.names() == ["state"])
    }

    @Test func `a private file is created, or closed to others`() throws {
        try Files.makePrivate(scratch.file("new"))
        #expect(try scratch.permissions("new") == 0o600)
        #expect(try scratch.read("new").isEmpty)
        let path = try scratch.write("old", "content", mode: 0o664)
        try Files.makePrivate(path)
        #expect(try scratch.permissions("old") == 0o600)
        #expect(try scratch.read("old") == Array("content".utf8))
        #expect(throws: FileError(scratch.path, .notRegular)) { try Files.makePrivate(scratch.path) }
    }

    @Test func `a file says whether it is open to others`() throws {
        for (mode, isOpen) in [(0o600, false), (0o640, true), (0o602, true), (0o400, false)] {
            let path = try scratch.write("file\(mode)", "", mode: mode)
            #expect(try Descriptor.reading(path).isOpenToOthers() == isOpen)
        }
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

    @Test func `waiting for a lock has an end`() throws {
        let path = try scratch.write("state", "")
        let held = try Descriptor.reading(scratch.file("."))
        try held.lock()
        let other = try Descriptor.reading(scratch.file("."))
        #expect(throws: FileError(scratch.file("."), .locked)) { try other.lock(patience: .milliseconds(30)) }
        #expect(try !other.tryLock())
        withExtendedLifetime(held) { _ in #expect(Files.exists(path)) }
    }
}

/// The error of a writer that fails.
private struct Unfinished: Error, Equatable {}
