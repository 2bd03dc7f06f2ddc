package import Foundation
import NIOHTTP1

/// The rate limit headers: a limit per window, and on some routes limits per 24 hours.
enum RateLimit {
    private static let prefixes = ["x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour"]

    /// The time at which the last exhausted limit resets; nil if no header states it.
    static func reset(in headers: HTTPHeaders) -> Date? {
        let exhausted = prefixes.filter { prefix in
            headers.value("\(prefix)-remaining").map { $0.utf8.elementsEqual("0".utf8) } ?? true
        }
        // If a 429 reports remaining requests for every limit, the latest reset counts.
        return [exhausted, prefixes].lazy.compactMap { prefixes in
            prefixes.compactMap { seconds(headers.value("\($0)-reset")) }.max()
        }.first.map { Date(timeIntervalSince1970: Double($0)) }
    }

    /// The time that `Retry-After` states, in seconds or as a date in one of the three forms of RFC 9110, section
    /// 5.6.7.
    static func retryAfter(in headers: HTTPHeaders, now: Date) -> Date? {
        guard let text = headers.value("retry-after") else { return nil }
        return seconds(text).map { now.addingTimeInterval(Double($0)) } ?? HTTPDate.parse(text, now: now)
    }

    /// Reads Unix seconds up to the year 9999.
    private static func seconds(_ text: String?) -> Int64? {
        guard let text, (1...12).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let seconds = Int64(text), seconds < 253_402_300_800
        else { return nil }
        return seconds
    }
}

extension Date {
    /// The time in the local time zone with its difference from UTC: `2026-11-27 21:40:00 +01:00`.
    package var localText: String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyy-MM-dd HH:mm:ss xxx"
        return formatter.string(from: self)
    }
}
