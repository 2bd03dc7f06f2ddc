import Foundation
import Testing
import XChat
import XChatEvents
import XChatText

/// X's own SDK in a separate process: `peer.py`, which answers each line of JSON with one line of JSON.
///
/// Instances are not shared between tests; calls are answered in order.
final class Peer {
    private let process = Process()
    private let requests = Pipe()
    private let answers = Pipe()
    private var received: [UInt8] = []

    /// Ends the process if the SDK does not answer within this time, so that a test fails instead of hanging.
    private static let patience = DispatchTimeInterval.seconds(120)

    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let python = root.appending(path: ".venv/bin/python")

    private static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: python.path) }

    /// Whether the tests run: if the SDK is installed, and with `CI=true` always, so that they fail without it.
    static var isWanted: Bool { isInstalled || ProcessInfo.processInfo.environment["CI"] == "true" }

    /// The reason why the tests are skipped.
    static let absence: Comment = "chatxdk is not in .venv, where script/test installs it"

    /// Starts a program that answers as `peer.py` does.
    init(_ program: String = "peer.py") throws {
        guard Self.isInstalled else { throw Refusal(text: "\(Self.absence)") }
        // If the peer has ended, a write to it must be an error, not a signal that ends the tests.
        signal(SIGPIPE, SIG_IGN)
        process.executableURL = Self.python
        process.arguments = [Self.root.appending(path: "Tests/Interop/\(program)").path]
        process.standardInput = requests
        process.standardOutput = answers
        try process.run()
        // The child has its own copies. Unless ours are closed, the pipe does not end when the child ends.
        try requests.fileHandleForReading.close()
        try answers.fileHandleForWriting.close()
    }

    deinit {
        try? requests.fileHandleForWriting.close()  // ends its loop
        process.waitUntilExit()
    }

    /// Calls a method of the SDK's `Chat`.
    ///
    /// - Parameters:
    ///   - method: Its name.
    ///   - chat: Which instance; a new name makes a new one.
    ///   - arguments: Its arguments by name.
    ///   - returning: The type of the result.
    /// - Returns: The result.
    /// - Throws: ``Refusal`` if the SDK raised an error.
    func call<Result: Decodable>(
        _ method: String,
        of chat: String,
        _ arguments: [String: Argument] = [:],
        returning: Result.Type = Result.self
    ) throws -> Result {
        guard let result = try ask(method, of: chat, arguments, Result.self) else {
            throw Refusal(text: "\(method) returned nothing")
        }
        return result
    }

    /// Calls a method of the SDK's `Chat` for its effect.
    ///
    /// - Parameters:
    ///   - method: Its name.
    ///   - chat: Which instance; a new name makes a new one.
    ///   - arguments: Its arguments by name.
    /// - Throws: ``Refusal`` if the SDK raised an error.
    func perform(_ method: String, of chat: String, _ arguments: [String: Argument] = [:]) throws {
        _ = try ask(method, of: chat, arguments, Ignored.self)
    }

    /// Calls a method of the SDK's `Chat`, and returns its error.
    ///
    /// - Parameters:
    ///   - method: Its name.
    ///   - chat: Which instance; a new name makes a new one.
    ///   - arguments: Its arguments by name.
    /// - Returns: The text of the error; nil if the call succeeds.
    /// - Throws: If there is no answer.
    func refusal(_ method: String, of chat: String, _ arguments: [String: Argument]) throws -> String? {
        do {
            try perform(method, of: chat, arguments)
            return nil
        } catch let refusal as Refusal {
            return refusal.text
        }
    }

    /// Calls a method of the SDK's `Chat` many times in one request.
    ///
    /// - Parameters:
    ///   - method: Its name.
    ///   - chat: Which instance; a new name makes a new one.
    ///   - arguments: The arguments that all calls have.
    ///   - each: The other arguments, one set for each call.
    /// - Returns: The outcome of each call, in the same order, with every digit and byte of the SDK's answer.
    /// - Throws: If there is no answer.
    func calls(
        _ method: String,
        of chat: String,
        _ arguments: [String: Argument] = [:],
        each: [[String: Argument]]
    ) throws -> [Outcome] {
        let answer = try exchange(Request(chat: chat, call: method, with: arguments, each: each))
        guard case .object(let object) = try JSONReader.value(in: [UInt8](answer)),
            case .array(let answers) = object["result"], answers.count == each.count
        else { throw Refusal(text: "\(method): \(String(decoding: answer.prefix(500), as: UTF8.self))") }
        return try answers.map { answer in
            guard case .object(let object) = answer else { throw Refusal(text: "\(method): no answer") }
            if case .string(let error) = object["error"] { return .refused(error.string) }
            return .returned(object["result"] ?? .null)
        }
    }

    private func ask<Result: Decodable>(
        _ method: String,
        of chat: String,
        _ arguments: [String: Argument],
        _: Result.Type
    ) throws -> Result? {
        let line = try exchange(Request(chat: chat, call: method, with: arguments, each: nil))
        let answer = try JSONDecoder().decode(Answer<Result>.self, from: line)
        if let error = answer.error { throw Refusal(text: error) }
        return answer.result
    }

    private func exchange(_ request: Request) throws -> Data {
        let line = try JSONEncoder().encode(request)
        let process = process
        let impatience = DispatchWorkItem { process.terminate() }
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.patience, execute: impatience)
        defer { impatience.cancel() }
        try requests.fileHandleForWriting.write(contentsOf: line + [UInt8(ascii: "\n")])
        return try readLine()
    }

    private func readLine() throws -> Data {
        var searched = 0
        while true {
            if let end = received[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { received.removeSubrange(...end) }
                return Data(received[..<end])
            }
            searched = received.count
            let more = answers.fileHandleForReading.availableData
            guard !more.isEmpty else { throw Refusal(text: "the peer has ended") }
            received += more
        }
    }
}

/// An error of the SDK.
struct Refusal: Error, CustomStringConvertible {
    let text: String
    var description: String { "chatxdk: \(text)" }
}

/// The outcome of one of many calls.
enum Outcome {
    case returned(JSONValue)
    case refused(String)
}

/// Bytes that are sent to the SDK or received from it, as base64 in JSON.
struct Bytes: Codable, Hashable, Sendable {
    let base64: Data

    init(_ bytes: [UInt8]) {
        base64 = Data(bytes)
    }

    var bytes: [UInt8] { [UInt8](base64) }
}

/// An argument of one of the SDK's methods.
enum Argument: Encodable, Sendable {
    case string(String)
    case integer(Int64)
    case bool(Bool)
    case bytes(Bytes)
    case list([Argument])
    case members([String: Argument])

    static func bytes(_ bytes: [UInt8]) -> Argument { .bytes(Bytes(bytes)) }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .string(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .bool(let value): try container.encode(value)
        case .bytes(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .members(let value): try container.encode(value)
        }
    }
}

private struct Request: Encodable {
    let chat: String
    let call: String
    let with: [String: Argument]
    let each: [[String: Argument]]?
}

private struct Answer<Result: Decodable>: Decodable {
    let result: Result?
    let error: String?
}

private struct Ignored: Decodable {
    init(from decoder: any Decoder) throws {}
}

/// Prints a line with the number of compared cases; script/test adds up the numbers of these lines.
func report(_ cases: Int, _ what: String) {
    printLine("interop: \(cases) \(what)")
}

/// Prints a line without buffering.
func printLine(_ line: String) {
    FileHandle.standardOutput.write(Data("\(line)\n".utf8))
}
