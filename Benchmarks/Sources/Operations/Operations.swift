import Fixtures
import Foundation
import LibSodium
import XChatEngine
import XChatEvents

/// Performs one operation many times, to be counted from outside, and prints how long it took.
///
/// The first number is the time that went by, the second what the cores worked, both in nanoseconds.
///
/// What comes before depends on LIMIT and not on COUNT: two runs with different counts differ by the operations alone.
@main
enum Operations {
    static let usage =
        "usage: Operations NAME[:BYTES] COUNT LIMIT, with NAME one of \(names.joined(separator: ", ")), and BYTES the "
        + "length of the text of single messages (1024)"
    static let names = [
        "seal", "seal-primitives", "open", "open-primitives", "verify", "wrap", "unwrap", "batch", "batch-200",
        "decode", "encode", "base64-decode", "base64-encode",
    ]

    struct Usage: Error, CustomStringConvertible {
        let description = Operations.usage
    }

    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let count = Int(arguments[2]), let limit = Int(arguments[3]), count <= limit else {
            throw Usage()
        }
        var name = arguments[1][...]
        let isSodium = name.hasPrefix("sodium-")
        if isSodium { name = name.dropFirst("sodium-".count) }
        var bytes = 1024
        if let colon = name.firstIndex(of: ":") {
            guard let number = Int(name[name.index(after: colon)...]), number > 0 else { throw Usage() }
            (name, bytes) = (name[..<colon], number)
        }
        let operation = try operation(String(name), isSodium ? .sodium : .xchat, bytes: bytes, limit: limit)
        let (start, startOfWork) = (ContinuousClock.now, processorTime())
        try countedRun(operation, count)
        print(Int((ContinuousClock.now - start) / .nanoseconds(1)), processorTime() - startOfWork)
    }

    /// Callgrind counts inside of this function, which it finds by its name.
    @inline(never)
    @_optimize(none)
    private static func countedRun(_ operation: (_ count: Int) throws -> Void, _ count: Int) throws {
        try operation(count)
    }

    /// Nanoseconds that the cores worked for this process, however many others they worked for.
    private static func processorTime() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    /// Prepares, and returns what is to be measured: so many operations.
    static func operation(
        _ name: String,
        _ suite: SuiteName,
        bytes: Int,
        limit: Int
    ) throws -> (_ count: Int) throws -> Void {
        switch name {
        case "batch", "batch-200":
            let history = try History(senders: name == "batch" ? 1 : 200, count: limit, suite: suite)
            return { try history.open(first: $0) }
        case "wrap":
            var alice = try People(suite).aliceInGroup(of: limit)
            let members = (alice.readers(of: People.group) ?? []).sorted()
            // One signature is in it, however many wraps: the difference of two runs is wraps alone.
            return { keep(try alice.prepareKeyChange(in: People.group, for: Array(members.prefix($0)))) }
        case "seal-primitives", "open-primitives":
            return try Primitives(suite, like: try People(suite).message(text(bytes)).event).operation(name)
        default:
            let once = try single(name, try People(suite), bytes: bytes)
            return { for _ in 0..<$0 { try once() } }
        }
    }

    private static func single(_ name: String, _ people: People, bytes count: Int) throws -> () throws -> Void {
        let text = text(count)
        let event = try people.message(text).event
        let bytes = event.encoded()
        let line = Base64.encode(bytes)
        var bob = people.bob
        switch name {
        case "seal": return { keep(try people.message(text)) }
        case "open": return { keep(try bob.open(try MessageEvent(base64: line))) }
        case "verify": return { try bob.verify(try MessageEvent(base64: line)) }
        case "unwrap":
            let change = try people.keyChange().event
            var stranger = people.stranger
            // The signer is unknown: the key is unwrapped and no signature verified.
            return { keep(Result { () throws(XChatError) in try stranger.open(change) }) }
        case "decode": return { keep(try MessageEvent(decoding: bytes)) }
        case "encode": return { keep(event.encoded()) }
        case "base64-decode": return { keep(try Base64.decode(line)) }
        case "base64-encode": return { keep(Base64.encode(bytes)) }
        default: throw Usage()
        }
    }
}

/// Keeps the optimizer from leaving out unused results.
@inline(never)
func keep<Value>(_ value: Value) {}
