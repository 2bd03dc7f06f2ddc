#if TESTABLE
    import NIOHTTP1
    import XChatEvents
    @testable import XChatHTTP

    import struct Foundation.Date

    /// The first byte is a status and the second one time; the others are lines with a name, a colon and a value.
    enum HeadersTarget: FuzzTargetImplementation {
        static func run(_ input: [UInt8]) throws {
            var input = FuzzInput(input)
            let status = 300 + 2 * Int(input.byte())
            let now = Date(timeIntervalSince1970: Double(input.byte()) * 1e8)
            var headers = HTTPHeaders()
            for line in input.rest.split(separator: UInt8(ascii: "\n")) {
                let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1)
                // The HTTP parser lets no other names through.
                guard parts.count == 2, parts[0].allSatisfy({ (0x21...0x7E).contains($0) }) else { continue }
                headers.add(
                    name: String(decoding: parts[0], as: UTF8.self),
                    value: String(decoding: parts[1], as: UTF8.self)
                )
            }
            let response = APIResponse(status: status, headers: headers)
            let error = APIError(refusal: response, token: try AnswersTarget.token.get(), now: now)
            try AnswersTarget.check(error)
            if let reset = error.resetAt {
                // The years 0 to 9999.
                let limits = -62_200_000_000.0..<253_402_300_800
                try require(limits.contains(reset.timeIntervalSince1970), "a time is out of all bounds")
            }
            try checkRetries(error, now: now)
        }

        /// Checks that the pauses that follow from an error are within their bounds.
        private static func checkRetries(_ error: APIError, now: Date) throws {
            let policy = RetryPolicy(attempts: 20, budget: .seconds(3600))
            var retries = RetryState(policy: policy, isRepeatable: true)
            var stream = ReconnectState(longLife: .seconds(30))
            for attempt in 0..<20 {
                let jitter = Double(attempt) / 19
                if case .retry(let pause) = retries.failed(error, elapsed: .seconds(attempt), now: now, jitter: jitter)
                {
                    try require((.zero...policy.budget).contains(pause), "a pause is \(pause)")
                }
                if case .connect(let pause) = stream.ended(error, life: nil, now: now, jitter: jitter) {
                    try require((.zero...Duration.seconds(86_401)).contains(pause), "the stream pauses \(pause)")
                }
            }
        }

        static func seeds() throws -> [String: [UInt8]] {
            func seed(_ status: Int, _ text: String) -> [UInt8] { [UInt8((status - 300) / 2), 17] + Array(text.utf8) }
            return [
                "seconds": seed(502, "retry-after:120\n"),
                "date": seed(502, "retry-after:Sun, 06 Nov 2094 08:49:37 GMT\n"),
                "old-date": seed(502, "retry-after:Sunday, 06-Nov-94 08:49:37 GMT\n"),
                "asctime": seed(502, "retry-after:Sun Nov  6 08:49:37 2094\n"),
                "rate": seed(
                    428,
                    "x-rate-limit-limit:5\nx-rate-limit-remaining:0\nx-rate-limit-reset:1700000100\n"
                        + "x-user-limit-24hour-remaining:3\nx-user-limit-24hour-reset:1700086400\n"
                ),
                "redirect": seed(302, "location:https://example.com/path?query\n"),
            ]
        }

        static var words: [String] {
            [
                "retry-after:", "x-rate-limit-reset:", "x-rate-limit-remaining:0", "x-user-limit-24hour-reset:",
                "x-app-limit-24hour-reset:", "location:", "https://", "GMT", "Sun, ", " Nov ", "253402300799", "-1",
                "+1",
            ]
        }
    }
#endif
