import Foundation
import TestSupport
import XChat
import XChatCommand
import XChatEvents

/// Runs the built executable.
enum Program {
    /// The exit status and the output of a run.
    struct Outcome {
        let status: Int32
        let output: [UInt8]
        let errors: String

        var text: String { String(decoding: output, as: UTF8.self) }
        /// The lines of the output, without their newlines.
        var lines: [String] {
            text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
        }

        /// The lines of the output as JSON.
        var json: [JSONLocation] {
            get throws {
                try lines.map { try JSONLocation(parsing: Array($0.utf8), document: "output") }
            }
        }
    }

    /// The executable is in the folder of the test bundle.
    static let executable: URL? = {
        for argument in CommandLine.arguments {
            var url = URL(filePath: argument)
            while url.pathComponents.count > 1 {
                let isBundle = url.pathExtension == "xctest"
                url.deleteLastPathComponent()
                if isBundle {
                    return url.appending(path: "xchat")
                }
            }
        }
        return nil
    }()

    /// A process that is ready to run, without the developer's environment.
    static func process(
        _ arguments: [String],
        environment: [String: String],
        of program: URL? = executable
    ) throws -> Process {
        guard let executable = program else { throw CommandError("the executable was not found next to the tests") }
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = ["HOME": "/nonexistent", "PATH": "/usr/bin:/bin"].merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        return process
    }

    /// Runs a command line to its end.
    static func run(
        _ arguments: String...,
        input: [UInt8] = [],
        environment: [String: String] = [:]
    ) async throws -> Outcome {
        try await run(arguments, input: input, environment: environment)
    }

    /// Runs a shell script with arguments in a folder, to its end.
    static func shell(
        _ script: String,
        _ arguments: [String] = [],
        in folder: Scratch,
        environment: [String: String] = [:]
    ) async throws -> Outcome {
        let lines = "cd \"$1\" || exit 99; shift\n" + script
        return try await run(
            ["-c", lines, "sh", folder.path] + arguments,
            environment: environment,
            of: URL(filePath: "/bin/sh")
        )
    }

    /// Runs a command line to its end.
    static func run(
        _ arguments: [String],
        input: [UInt8] = [],
        environment: [String: String] = [:],
        of program: URL? = executable
    ) async throws -> Outcome {
        let scratch = try Scratch()
        let process = try process(arguments, environment: environment, of: program)
        // Files, because a full pipe without a reader would stop the program.
        let files = [
            FileHandle(forReadingAtPath: try scratch.write("in", input)),
            FileHandle(forWritingAtPath: try scratch.write("out", [])),
            FileHandle(forWritingAtPath: try scratch.write("err", [])),
        ]
        (process.standardInput, process.standardOutput, process.standardError) = (files[0], files[1], files[2])
        // Closed here, because Foundation keeps them open: after some hundred programs this process had more than a
        // thousand open files, and Foundation's search for open files crashed.
        defer { for file in files { try? file?.close() } }
        try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Void, any Error>) in
            // Waiting would hold a thread that other tests need.
            process.terminationHandler = { _ in ended.resume() }
            do {
                try process.run()
            } catch {
                process.terminationHandler = nil
                ended.resume(throwing: error)
            }
        }
        return Outcome(
            status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
            output: try scratch.read("out"),
            errors: String(decoding: try scratch.read("err"), as: UTF8.self)
        )
    }
}
