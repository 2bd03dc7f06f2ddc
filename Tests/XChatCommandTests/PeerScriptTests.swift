import Foundation
import TestSupport
import Testing

/// `script/peers`, with a `python3` that makes the virtual environment that the test needs.
@Suite(.timeLimit(.minutes(1)))
struct PeerScriptTests {
    private let scratch: Scratch
    private static let script = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "script/peers").path

    init() throws {
        scratch = try Scratch()
        for folder in ["script", "bin"] {
            try FileManager.default.createDirectory(atPath: scratch.file(folder), withIntermediateDirectories: false)
        }
        try FileManager.default.copyItem(atPath: Self.script, toPath: scratch.file("script/peers"))
        // In this environment, python -c succeeds only after python -m pip has succeeded.
        let python = """
            #!/bin/sh
            case $1 in
            -c) test -e "$(dirname "$0")/installed" ;;
            -m) [ "$PIP" = kill ] && kill -KILL $PPID; [ "$PIP" = works ] && touch "$(dirname "$0")/installed" ;;
            esac
            """
        try scratch.write("python", python, mode: 0o700)
        let python3 = #"""
            #!/bin/sh
            mkdir -p "$3/bin" && cp python "$3/bin/python"
            """#
        try scratch.write("bin/python3", python3, mode: 0o700)
    }

    /// Runs the script; `pip` works, fails, or is "kill" and ends the script.
    private func run(pip: String) async throws -> Program.Outcome {
        try await Program.shell(
            #"PATH="$PWD/bin:$PATH" exec script/peers"#,
            in: scratch,
            environment: ["PIP": pip]
        )
    }

    private func environments() throws -> [String] { try scratch.names().filter { $0.hasPrefix(".venv") } }

    @Test func `an environment that could not be filled does not exist, and is made again`() async throws {
        let failed = try await run(pip: "fails")
        #expect(failed.status == 1)
        #expect(failed.errors.contains("chatxdk==0.5.2"))
        #expect(try environments().isEmpty)
        #expect(try await run(pip: "works").status == 0)
        #expect(try environments() == [".venv"])
        // A complete environment is not changed.
        #expect(try await run(pip: "fails").status == 0)
        #expect(try environments() == [".venv"])
    }

    @Test func `the remains of a killed run are not used as an environment`() async throws {
        _ = try await run(pip: "kill")
        #expect(try environments() == [".venv.new"])
        #expect(try await run(pip: "works").status == 0)
        #expect(try environments() == [".venv"])
    }

    @Test func `an environment without the packages is replaced`() async throws {
        try FileManager.default.createDirectory(
            atPath: scratch.file(".venv/bin"),
            withIntermediateDirectories: true
        )
        try FileManager.default.copyItem(atPath: scratch.file("python"), toPath: scratch.file(".venv/bin/python"))
        #expect(try await run(pip: "fails").status == 1)
        #expect(try environments().isEmpty)
        #expect(try await run(pip: "works").status == 0)
        #expect(try environments() == [".venv"])
    }
}
