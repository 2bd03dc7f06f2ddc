import Foundation
import TestSupport
import Testing
import XChat
import XChatCommand

/// The files that `script/install` installs, without the man pages, whose generator would have to be built.
struct InstallTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    private func install(_ arguments: String..., environment: [String: String] = [:]) async throws -> Program.Outcome {
        // A small script that calls the built program, because that is large to copy.
        let command = scratch.file("command")
        if !FileManager.default.fileExists(atPath: command) {
            try scratch.write(
                "command",
                "#!/bin/sh\nexec '\(try #require(Program.executable).path)' \"$@\"\n",
                mode: 0o700
            )
        }
        return try await Program.run(
            [Document.root.appending(path: "script/install").path, "--no-manual"] + arguments,
            environment: ["XCHAT": command, "HOME": scratch.file("home")].merging(environment) { $1 },
            of: URL(filePath: "/bin/bash")
        )
    }

    private func files(_ folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: scratch.file(folder)).sorted().filter { path in
            let attributes = try FileManager.default.attributesOfItem(atPath: scratch.file(folder) + "/" + path)
            return attributes[.type] as? FileAttributeType == .typeRegular
        }
    }

    private static let installed = [
        "bin/xchat", "share/bash-completion/completions/xchat", "share/fish/vendor_completions.d/xchat.fish",
        "share/zsh/site-functions/_xchat",
    ]

    @Test func `the command and its completions are installed, and replaced by the next run`() async throws {
        for _ in 1...2 {
            let outcome = try await install(scratch.file("prefix"))
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(try files("prefix") == (Self.installed + ["share/xchat/installed"]).sorted())
            #expect(try scratch.permissions("prefix/bin/xchat") == 0o755)
            let list = String(decoding: try scratch.read("prefix/share/xchat/installed"), as: UTF8.self)
            #expect(list.split(separator: "\n").map(String.init) == Self.installed)
            try scratch.write("prefix/share/zsh/site-functions/_xchat", "older")
        }
        let run = try await Program.run(["help"], of: URL(filePath: scratch.file("prefix/bin/xchat")))
        #expect(run.status == 0)
    }

    @Test func `the prefix is ~/.local by default, and DESTDIR goes before it`() async throws {
        #expect(try await install().status == 0)
        #expect(try files("home/.local").contains("bin/xchat"))
        #expect(try await install("/usr", environment: ["DESTDIR": scratch.file("root")]).status == 0)
        #expect(try files("root") == ((Self.installed + ["share/xchat/installed"]).sorted()).map { "usr/" + $0 })
    }

    @Test func `a file that was not installed by the script stays, and nothing is installed`() async throws {
        for file in Self.installed {
            let prefix = "for-" + file.replacing("/", with: "-")
            let folder = URL(filePath: scratch.file("\(prefix)/\(file)")).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try scratch.write("\(prefix)/\(file)", "another program")
            let outcome = try await install(scratch.file(prefix))
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains(scratch.file("\(prefix)/\(file)")))
            #expect(try files(prefix) == [file])
            #expect(try scratch.read("\(prefix)/\(file)") == Array("another program".utf8))
            #expect(try await install("--force", scratch.file(prefix)).status == 0)
            #expect(try files(prefix).count == Self.installed.count + 1)
            #expect(try scratch.read("\(prefix)/\(file)") != Array("another program".utf8))
        }
    }

    @Test func `wrong options end with 2 and install nothing`() async throws {
        for arguments in [["--nonsense"], ["-h"], ["a", "b"], [""]] {
            let outcome = try await Program.run(
                [Document.root.appending(path: "script/install").path] + arguments,
                environment: ["HOME": scratch.path, "XCHAT": "/nonexistent"],
                of: URL(filePath: "/bin/bash")
            )
            #expect(outcome.status == 2)
        }
        #expect(try scratch.names().isEmpty)
    }
}
