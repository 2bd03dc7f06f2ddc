import XChatEvents

/// The reason why a text of faults is invalid.
public struct SandboxFaultsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The option, and the values that it accepts.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension SandboxFaults {
    /// Reads options from a text such as `drop=0.1,http500=0.05,rate-limit=100/60,delay=10ms-50ms`.
    ///
    /// - Parameter text: Names and values separated by commas, each name at most once; ``help`` lists them. An empty
    ///   text sets no option.
    /// - Throws: ``SandboxFaultsError`` with the option's name and the values that it accepts.
    public init(_ text: String) throws(SandboxFaultsError) {
        self.init()
        var seen: Set<String> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) where !text.isEmpty {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let name = pair.first ?? ""
            guard let option = Self.options.first(where: { $0.name == name }) else {
                let names = Self.options.map(\.name).joined(separator: ", ")
                throw SandboxFaultsError("unknown fault '\(name)'; the faults are \(names)")
            }
            guard seen.insert(name).inserted else { throw SandboxFaultsError("'\(name)' occurs twice") }
            guard pair.count == 2, option.apply(&self, pair[1]) else {
                throw SandboxFaultsError("'\(name)' takes \(option.value): \(name)=\(option.example)")
            }
        }
    }

    /// All options, one per line: name, example, meaning.
    public static var help: String {
        options.map { "\($0.name)=\($0.example): \($0.meaning) (\($0.value))" }.joined(separator: "\n")
    }

    private struct Option: Sendable {
        let name: String
        let example: String
        let value: String
        let meaning: String
        /// Sets the value; returns false for an invalid text.
        let apply: @Sendable (inout SandboxFaults, String) -> Bool
    }

    private static let options: [Option] = [
        rate("drop", "0.1", "the connection breaks instead of an answer, half of the time after the work is done") {
            $0.drop = $1
        },
        count("lose", "1", 0...1_000_000, "the first answers to new keys, groups and members are lost after the work") {
            $0.lostAnswers = $1
        },
        count(
            "lose-refresh",
            "1",
            0...1_000_000,
            "the first answers to refreshed access tokens are lost after the work"
        ) {
            $0.lostRefreshes = $1
        },
        rate("http429", "0.01", "429 that asks to wait one second") { $0.http429 = $1 },
        rate("http500", "0.05", "500 with a problem, half of the time after the work is done") { $0.http500 = $1 },
        rate("http502", "0.05", "502 with HTML") { $0.http502 = $1 },
        rate("http503", "0.05", "503 with HTML") { $0.http503 = $1 },
        Option(
            name: "delay",
            example: "10ms-50ms",
            value: "a time or two, in ms or s",
            meaning: "every answer waits"
        ) { faults, text in
            let bounds = text.split(separator: "-", omittingEmptySubsequences: false).map { duration(String($0)) }
            guard bounds.count <= 2, let first = bounds.first, let low = first, let last = bounds.last,
                let high = last, low <= high
            else { return false }
            faults.delay = low...high
            return true
        },
        Option(
            name: "rate-limit",
            example: "100/60",
            value: "requests and seconds, or off",
            meaning: "how often a caller may use a route; off sends no headers"
        ) { faults, text in
            if text == "off" {
                faults.rateLimit = nil
                return true
            }
            let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { number(String($0)) }
            guard numbers.count == 2, let requests = numbers[0], let seconds = numbers[1],
                (1...1_000_000_000).contains(requests), (1...86400).contains(seconds)
            else { return false }
            faults.rateLimit = RateLimit(requests: requests, seconds: seconds)
            return true
        },
        count("registrations", "5", 1...1_000_000, "how often a user may register keys in 24 hours") {
            $0.registrations = $1
        },
        Option(
            name: "failure-event",
            example: "6:0.1",
            value: "a failure type from 1 to 18, with a probability after a colon if not always",
            meaning: "messages are answered by a failure event"
        ) { faults, text in
            let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard parts.count <= 2, let type = parts.first.flatMap(number), (1...18).contains(type),
                let probability = parts.count == 1 ? 1 : SandboxFaults.probability(parts[1])
            else { return false }
            faults.failureEvent = FailureAnswer(FailureType(rawValue: Int32(type)), probability: probability)
            return true
        },
        Option(name: "send-status", example: "200", value: "201 or 200", meaning: "the status of a sent message") {
            faults,
            text in
            guard text == "200" || text == "201" else { return false }
            faults.sendStatus = text == "200" ? 200 : 201
            return true
        },
        choice(
            "repeat",
            "a repeated message id returns the first event, is an error, or has its key version checked first"
        ) {
            $0.repeats = $1
        },
        choice("empty", "an empty list is answered as one, or left out") { $0.empty = $1 },
        choice("history", "the members of a history's events") { $0.history = $1 },
        choice("key-events", "the pages of a history that name the key changes") { $0.keyEvents = $1 },
        choice("errors", "the bodies of errors") { $0.errors = $1 },
        choice("activity", "the spelling of events on the activity stream") { $0.activity = $1 },
        choice("members", "where the answer to added members is") { $0.members = $1 },
        rate("disconnect", "0.1", "the activity stream ends after an event") { $0.disconnect = $1 },
        rate("garble", "0.1", "an event on the activity stream comes as a line that is not JSON") { $0.garble = $1 },
        rate("duplicate", "0.1", "an event on the activity stream comes twice") { $0.duplicate = $1 },
        rate("reorder", "0.1", "an event on the activity stream comes after the next") { $0.reorder = $1 },
        Option(
            name: "keep-alive",
            example: "20s",
            value: "a time in ms or s, not zero",
            meaning: "how long the activity stream is silent at most"
        ) { faults, text in
            guard let time = duration(text), time > .zero else { return false }
            faults.keepAlive = time
            return true
        },
        count("segment-bytes", "4194304", 1...(64 << 20), "the largest segment of an upload in bytes") {
            $0.segmentBytes = $1
        },
        count("group-members", "256", 2...10_000, "the most members of a group") { $0.groupMembers = $1 },
        count("token-lifetime", "7200", 0...1_000_000_000, "how many seconds an access token is valid") {
            $0.tokenLifetime = $1
        },
        Option(name: "seed", example: "1", value: "a number", meaning: "makes the faults repeatable") { faults, text in
            guard let seed = WireString(text).number else { return false }
            faults.seed = seed
            return true
        },
    ]

    private static func rate(
        _ name: String,
        _ example: String,
        _ meaning: String,
        _ set: @escaping @Sendable (inout SandboxFaults, Double) -> Void
    ) -> Option {
        Option(name: name, example: example, value: "a probability from 0 to 1", meaning: meaning) { faults, text in
            guard let probability = probability(text) else { return false }
            set(&faults, probability)
            return true
        }
    }

    private static func count(
        _ name: String,
        _ example: String,
        _ range: ClosedRange<Int>,
        _ meaning: String,
        _ set: @escaping @Sendable (inout SandboxFaults, Int) -> Void
    ) -> Option {
        let value = "a number from \(range.lowerBound) to \(range.upperBound)"
        return Option(name: name, example: example, value: value, meaning: meaning) { faults, text in
            guard let number = number(text), range.contains(number) else { return false }
            set(&faults, number)
            return true
        }
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
        _ name: String,
        _ meaning: String,
        _ set: @escaping @Sendable (inout SandboxFaults, Choice) -> Void
    ) -> Option {
        let names = Choice.allCases.map(\.rawValue)
        return Option(name: name, example: names.last ?? "", value: names.joined(separator: " or "), meaning: meaning) {
            faults,
            text in
            guard let choice = Choice(rawValue: text) else { return false }
            set(&faults, choice)
            return true
        }
    }

    private static func probability(_ text: String) -> Double? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }),
            let number = Double(text), (0...1).contains(number)
        else { return nil }
        return number
    }

    private static func number(_ text: String) -> Int? {
        WireString(text).number.flatMap { Int(exactly: $0) }
    }

    /// Reads a time such as `20s` or `50ms`, at most a day.
    private static func duration(_ text: String) -> Duration? {
        let isMilliseconds = text.hasSuffix("ms")
        guard isMilliseconds || text.hasSuffix("s"), let count = number(String(text.dropLast(isMilliseconds ? 2 : 1))),
            count <= (isMilliseconds ? 86_400_000 : 86400)
        else { return nil }
        return isMilliseconds ? .milliseconds(count) : .seconds(count)
    }
}
