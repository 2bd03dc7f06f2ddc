import Foundation
import TestSupport
import Testing
import XChat
import XChatCommand

/// The scripts that complete command lines, in the shells that are installed here.
struct CompletionTests {
    /// Completes each command line of standard input with the script `$1`, and prints the suggestions of bash.
    private static let bash = """
        . "$1"
        name=$(complete -p xchat | sed 's/.* -F \\([^ ]*\\) .*/\\1/')
        while IFS= read -r line; do
            read -r -a COMP_WORDS <<<"$line"
            case $line in *' ') COMP_WORDS+=("") ;; esac
            COMP_LINE=$line COMP_POINT=${#line} COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
            "$name" xchat "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            echo "${COMPREPLY[*]}"
        done
        """

    private func script(_ shell: String, in scratch: Scratch) async throws -> String {
        let outcome = try await Program.run("completion", shell)
        #expect(outcome.status == 0)
        #expect(outcome.errors.isEmpty)
        return try scratch.write("xchat.\(shell)", outcome.output)
    }

    private static func shell(_ name: String) -> URL? {
        ["/bin/", "/usr/bin/", "/usr/local/bin/", "/opt/homebrew/bin/"].map { URL(filePath: $0 + name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }

    @Test func `bash completes commands, options and values`() async throws {
        let bash = try #require(Self.shell("bash"))
        let scratch = try Scratch()
        try scratch.write("alice.json", "")
        let script = try await script("bash", in: scratch)
        let offers = [
            "xchat ke": "keys", "xchat keys sa": "safety-code", "xchat keys generate --sui": "--suite",
            "xchat keys generate --suite so": "sodium", "xchat completion z": "zsh",
            "xchat read 2222 --session \(scratch.file("al"))": scratch.file("alice.json"),
        ]
        let lines = offers.keys.sorted()
        let outcome = try await Program.run(
            ["-c", Self.bash, "bash", script],
            input: Array(lines.map { $0 + "\n" }.joined().utf8),
            of: bash
        )
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.lines == lines.map { offers[$0] ?? "" })
    }

    @Test("the scripts have the syntax of their shells", arguments: ["bash", "zsh", "fish"])
    func syntax(_ name: String) async throws {
        let scratch = try Scratch()
        let script = try await script(name, in: scratch)
        guard let shell = Self.shell(name) else { return print("skipped: \(name) is not installed") }
        let outcome = try await Program.run(["-n", script], of: shell)
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    @Test func `another shell is wrong use`() async throws {
        #expect(try await Program.run("completion", "csh").status == 2)
        #expect(try await Program.run("completion").status == 2)
    }
}
