import Dispatch
import Foundation
import Testing

/// Users of X's own client, xdk, in a separate process: `xdk_flow.py`.
///
/// Calls block a separate thread: the server that the users talk to is in this process, and needs the threads of the
/// tests.
actor Bots {
    private let executor = ThreadOfItsOwn()
    private let peer: Peer

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    private static let hasXDK = canImport("chat_xdk, jsonschema, xdk")

    /// Whether Python modules are installed.
    static func canImport(_ modules: String) -> Bool {
        let probe = Process()
        probe.executableURL = Peer.python
        probe.arguments = ["-c", "import \(modules)"]
        probe.standardError = FileHandle.nullDevice
        guard FileManager.default.isExecutableFile(atPath: Peer.python.path), (try? probe.run()) != nil else {
            return false
        }
        probe.waitUntilExit()
        return probe.terminationStatus == 0
    }

    /// Whether the tests run; see ``Peer/isWanted``.
    static var isWanted: Bool { hasXDK || ProcessInfo.processInfo.environment["CI"] == "true" }
    static let absence: Comment = "xdk and jsonschema are not in .venv, where script/test installs them"

    /// X's OpenAPI document, if it is in the folder next to this package.
    static let document: String? = {
        let path = Peer.root.appending(path: "../shared/spec/openapi-chat.json").standardizedFileURL.path
        guard FileManager.default.fileExists(atPath: path) else {
            print("skipped: no OpenAPI document at \(path), so no answer is checked against it")
            return nil
        }
        return path
    }()

    init(_ program: String = "xdk_flow.py") throws {
        peer = try Peer(program)
    }

    func call<Result: Decodable & Sendable>(
        _ method: String,
        of bot: String,
        _ arguments: [String: String],
        returning: Result.Type = Result.self
    ) throws -> Result {
        try peer.call(method, of: bot, Self.arguments(arguments), returning: Result.self)
    }

    func perform(_ method: String, of bot: String, _ arguments: [String: String]) throws {
        try peer.perform(method, of: bot, Self.arguments(arguments))
    }

    private static func arguments(_ arguments: [String: String]) -> [String: Argument] {
        // A text that begins with "[" is a list, separated by commas.
        arguments.mapValues { text in
            text.hasPrefix("[")
                ? .list(text.dropFirst().split(separator: ",").map { .string(String($0)) }) : .string(text)
        }
    }
}

private final class ThreadOfItsOwn: SerialExecutor {
    private let queue = DispatchQueue(label: "bots")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { unsafe job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
