import LibSodium
import Synchronization
import TestSupport
import Testing
import XChatFiles

@testable import XChat

struct KeyStoreTests {
    private let scratch: Scratch
    private let content = Array(#"{"user_id":"1111"}"#.utf8)

    init() throws {
        scratch = try Scratch()
    }

    private func store(_ passphrase: String = "correct", home: String = "home") -> KeyStore {
        KeyStore(home: scratch.file(home)) { _ in try SecretBytes(copying: Array(passphrase.utf8).span) }
    }

    /// Makes a store that is quick to open.
    private func create(_ passphrase: String = "correct") throws {
        try store(passphrase).create(content, limits: .minimum)
    }

    @Test func `what was sealed opens with the passphrase`() throws {
        try create()
        #expect(try store().read() == content)
    }

    @Test func `file and folder are their owner's alone`() throws {
        try create()
        #expect(try scratch.permissions("home") == 0o700)
        #expect(try scratch.permissions("home/keystore") == 0o600)
    }

    @Test func `nothing of the content stands in the file`() throws {
        try create()
        let file = try scratch.read("home/keystore")
        #expect(!file.windows(of: 4).contains(Array("user".utf8)))
    }

    @Test func `another passphrase is refused and named as the likely cause`() throws {
        try create()
        let error = #expect(throws: AccountError.self) { try store("Correct").read() }
        #expect(error?.description.contains("the passphrase is wrong") == true)
    }

    @Test func `a store that is there is not overwritten`() throws {
        try create()
        let before = try scratch.read("home/keystore")
        #expect(throws: AccountError.self) { try create("other") }
        #expect(try scratch.read("home/keystore") == before)
    }

    @Test func `a missing store says how to make one`() {
        let error = #expect(throws: AccountError.self) { try store().read() }
        #expect(error?.description.contains("keys generate") == true)
    }

    @Test func `replaced content opens, and the passphrase is asked for once`() throws {
        try create()
        let asked = Counter()
        let store = KeyStore(home: scratch.file("home")) { isNew in
            #expect(!isNew)
            asked.count.withLock { $0 += 1 }
            return try SecretBytes(copying: Array("correct".utf8).span)
        }
        _ = try store.read()
        try store.replace([1, 2, 3])
        #expect(try store.read() == [1, 2, 3])
        #expect(asked.count.withLock { $0 } == 1)
        #expect(try self.store().read() == [1, 2, 3])
    }

    @Test func `no byte of the file can change unnoticed`() throws {
        try create()
        let file = try scratch.read("home/keystore")
        for place in file.indices {
            var changed = file
            changed[place] ^= 1
            try scratch.write("home/keystore", changed)
            #expect(throws: AccountError.self, "byte \(place)") { try store().read() }
        }
    }

    @Test func `a truncated file is refused at every length`() throws {
        try create()
        let file = try scratch.read("home/keystore")
        for length in 0..<file.count {
            try scratch.write("home/keystore", file.prefix(length))
            #expect(throws: AccountError.self, "\(length) bytes") { try store().read() }
        }
    }

    @Test(
        "a file cannot ask for any amount of work",
        arguments: [
            (9, [0xff, 0xff, 0xff, 0xff]), (13, [0xff, 0xff, 0xff, 0xff]), (13, [0, 0x10, 0, 1]), (9, [0, 0, 0, 0]),
        ]
    )
    func work(_ offset: Int, _ number: [UInt8]) throws {
        try create()
        var file = try scratch.read("home/keystore")
        file.replaceSubrange(offset..<(offset + 4), with: number)
        try scratch.write("home/keystore", file)
        let error = #expect(throws: AccountError.self) { try store().read() }
        #expect(error?.description.contains("more passes or memory") == true)
    }

    @Test func `something else is not taken for a key store`() throws {
        try Files.makeFolder(scratch.file("home"))
        try scratch.write("home/keystore", String(repeating: "x", count: 200))
        let error = #expect(throws: AccountError.self) { try store().read() }
        #expect(error?.description.contains("not a key store") == true)
    }

    @Test func `a later version is told apart from damage`() throws {
        try create()
        var file = try scratch.read("home/keystore")
        file[8] = 2
        try scratch.write("home/keystore", file)
        let error = #expect(throws: AccountError.self) { try store().read() }
        #expect(error?.description.contains("version 2") == true)
    }
}

extension [UInt8] {
    func windows(of count: Int) -> [[UInt8]] {
        indices.dropLast(count - 1).map { Array(self[$0..<($0 + count)]) }
    }
}

private final class Counter: Sendable {
    let count = Mutex(0)
}
