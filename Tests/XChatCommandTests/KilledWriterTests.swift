import Foundation
import TestSupport
import Testing
import XChat
import XChatCommand
import XChatEngine
import XChatEvents
import XChatFiles

/// After SIGKILL at random instants one state is left, and it can be opened.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct KilledWriterTests {
    private let fixture: Fixture

    init() throws {
        fixture = try Fixture()
    }

    private var names: [String] { get throws { try fixture.scratch.names() } }

    @Test("a killed update leaves one state that opens", arguments: FileConstruction.allCases, 0..<4)
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
        // A remaining file, complete or not, has a name with the pattern, and the next read deletes it.
        #expect(try Set(names).isSubset(of: ["session.json", ".session.json.xchat-new"]))
        let session = try SessionFile(path).read().session()
        #expect(session.userID == "1111")
        #expect(try names == ["session.json"])
    }

    @Test("a killed decryption leaves no plaintext", arguments: FileConstruction.allCases, [false, true])
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

    /// Ends this process at a random instant soon.
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
