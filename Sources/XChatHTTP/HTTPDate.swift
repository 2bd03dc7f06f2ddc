import struct Foundation.Calendar
import struct Foundation.Date
import struct Foundation.DateComponents
import struct Foundation.TimeZone

/// Reads dates of HTTP headers: RFC 9110, section 5.6.7.
///
/// `DateFormatter` is not used, because on Linux it ends the process for some texts, such as one with a combining
/// character, and a server could send such a text.
struct HTTPDate {
    private let day: Int
    private let month: Int
    private let time: [Int]

    private static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].map { Array($0.utf8) }
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ].map { Array($0.utf8) }

    /// Reads a date in one of the three forms, as in `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`
    /// and `Sun Nov  6 08:49:37 1994`.
    ///
    /// - Parameters:
    ///   - text: The text, at most 64 bytes.
    ///   - now: The time. A year of two digits is at most 50 years after it.
    /// - Returns: The date; nil for another form, or for a date that does not exist.
    static func parse(_ text: String, now: Date) -> Date? {
        guard text.utf8.count <= 64 else { return nil }
        let words = text.utf8.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: ",") }.map { Array($0) }
        guard let weekday = words.first, weekdays.contains(Array(weekday.prefix(3))) else { return nil }
        let isGMT = words.last == Array("GMT".utf8)
        switch words.count {
        case 6 where isGMT:
            return HTTPDate(day: words[1], month: words[2], time: words[4])?.date(fullYear: words[3])
        case 4 where isGMT:
            let parts = words[1].split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false).map { Array($0) }
            guard parts.count == 3 else { return nil }
            return HTTPDate(day: parts[0], month: parts[1], time: words[2])?.date(shortYear: parts[2], now: now)
        case 5:
            return HTTPDate(day: words[2], month: words[1], time: words[3])?.date(fullYear: words[4])
        default:
            return nil
        }
    }

    private init?(day: [UInt8], month: [UInt8], time: [UInt8]) {
        let parts = time.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Self.number(Array($0), digits: 2...2) }
        guard let day = Self.number(day, digits: 1...2), let index = Self.months.firstIndex(of: month),
            parts.count == 3, numbers.count == 3
        else { return nil }
        (self.day, self.month, self.time) = (day, index + 1, numbers)
    }

    private func date(fullYear text: [UInt8]) -> Date? {
        Self.number(text, digits: 4...4).flatMap { date(year: $0) }
    }

    private func date(shortYear text: [UInt8], now: Date) -> Date? {
        guard let short = Self.number(text, digits: 2...2) else { return nil }
        let earliest = now.addingTimeInterval(-50 * 365.2425 * 86_400)
        let century = Self.calendar.component(.year, from: now) / 100 * 100
        return [-100, 0, 100].lazy.compactMap { date(year: century + $0 + short) }.first { $0 >= earliest }
    }

    private func date(year: Int) -> Date? {
        let components = DateComponents(
            year: year,
            month: month,
            day: day,
            hour: time[0],
            minute: time[1],
            second: time[2]
        )
        guard components.isValidDate(in: Self.calendar) else { return nil }
        return Self.calendar.date(from: components)
    }

    private static var calendar: Calendar {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }

    private static func number(_ text: [UInt8], digits: ClosedRange<Int>) -> Int? {
        guard digits.contains(text.count), text.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return text.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
