import Foundation

/// Measures what the client, the outbox and the stores take, against what has to be taken in any case.
///
/// Without arguments all rows; with names those whose names begin so. Each row goes to standard error as soon as it is
/// known; standard output gets all of them as JSON.
@main
struct Ratios {
    static func main() async {
        do {
            try await run(Array(CommandLine.arguments.dropFirst()))
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            exit(1)
        }
    }

    private static func run(_ arguments: [String]) async throws {
        switch arguments.first {
        case "serve": try Server.serve(Array(arguments.dropFirst()))
        case "open" where arguments.count == 3:
            guard let kind = States.Kind(rawValue: arguments[1]) else { exit(2) }
            try await States.open(kind, arguments[2])
        case "scale": try await StateRows.printScale()
        default: try await measure(arguments)
        }
    }

    private static func measure(_ names: [String]) async throws {
        var rows: [Row] = []
        func report(_ new: [Row]) {
            for row in new where names.isEmpty || names.contains(where: { row.name.hasPrefix($0) }) {
                rows.append(row)
                FileHandle.standardError.write(Data((row.line + "\n").utf8))
            }
        }
        func isAsked(_ group: String) -> Bool {
            names.isEmpty || names.contains { group.hasPrefix($0) || $0.hasPrefix(group + "-") }
        }
        FileHandle.standardError.write(Data((Row.tableHead + "\n").utf8))
        let sealer = try Sealer(conversations: 3_000)
        let server = try Server(sealer)
        let drain = DrainRows(sealer: sealer, server: server)
        for (number, target) in [(1, 0.8), (16, 0.5), (64, 0.5)] where isAsked("drain-\(number)") {
            report(try await drain.few(number, target))
        }
        if isAsked("drain-3000") { report(try await drain.many()) }
        let idle = IdleRows(sealer: sealer, server: server)
        if isAsked("idle") { report([try await idle.statements()]) }
        if isAsked("wake") { report([try await idle.latency()]) }
        let enqueue = EnqueueRows(sealer: sealer)
        if isAsked("enqueue-1") { report(try await enqueue.batches(of: 1, count: 1_000)) }
        if isAsked("enqueue-256") { report(try await enqueue.batches(of: 256, count: 256 * 24)) }
        let send = try SendRows(sealer, server)
        if isAsked("send-16") { report(try await send.rates(concurrency: 16, count: 8_000)) }
        if isAsked("memory") { report([try await send.memory()]) }
        if isAsked("open") || isAsked("save") { report(try await StateRows().rows) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        print(String(decoding: try encoder.encode(rows), as: UTF8.self))
    }
}
