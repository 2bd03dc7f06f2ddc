import Foundation

/// One line of the table: a figure of ours, what it is compared with, and what the comparison has to give.
struct Row: Codable, Sendable {
    /// What `value` is.
    enum Comparison: String, Codable {
        /// Ours divided by the floor.
        case ratio
        /// Ours minus the floor.
        case difference
        /// Ours.
        case ours
    }

    /// The name by which the row is asked for, and found in the thresholds.
    let name: String
    let what: String
    let ours: Double
    /// Nil where there is nothing to compare with.
    let floor: Double?
    /// The unit of `ours` and `floor`.
    let unit: String
    let comparison: Comparison
    let value: Double
    /// Nil where only the thresholds say how much is too much.
    let target: Double?
    /// Whether more is better.
    let isAtLeast: Bool
    let isMet: Bool?

    init(
        _ name: String,
        _ what: String,
        _ result: Comparison,
        _ target: Target,
        ours: Double,
        floor: Double? = nil,
        value: Double? = nil,
        unit: String
    ) {
        (self.name, self.what, self.unit, comparison) = (name, what, unit, result)
        (self.ours, self.floor) = (ours, floor)
        let compared: Double =
            switch result {
            case .ratio: ours / (floor ?? .nan)
            case .difference: ours - (floor ?? .nan)
            case .ours: ours
            }
        self.value = value ?? compared
        switch target {
        case .atLeast(let limit): (self.target, isAtLeast, isMet) = (limit, true, self.value >= limit)
        case .atMost(let limit): (self.target, isAtLeast, isMet) = (limit, false, self.value <= limit)
        case .low: (self.target, isAtLeast, isMet) = (nil, false, nil)
        }
    }

    enum Target {
        case atLeast(Double)
        case atMost(Double)
        /// Less is better.
        case low
    }

    static let tableHead = """
        | row | what | ours | floor | value | target | |
        |:--|:--|--:|--:|--:|--:|:--|
        """

    /// The row of a Markdown table.
    var line: String {
        let unit = comparison == .ratio ? "" : " \(unit)"
        let bound = target.map { "\(isAtLeast ? "≥" : "≤") \(Self.number($0))\(unit)" } ?? "–"
        let verdict = isMet.map { $0 ? "met" : "**missed**" } ?? ""
        let floor = floor.map { "\(Self.number($0)) \(self.unit)" } ?? "–"
        let columns = [
            name, what, "\(Self.number(ours)) \(self.unit)", floor, Self.number(value) + unit,
            bound, verdict,
        ]
        return "| \(columns.joined(separator: " | ")) |"
    }

    /// Three digits, and all of them in front of the point.
    private static func number(_ value: Double) -> String {
        let digits = abs(value) >= 100 ? 0 : abs(value) >= 10 ? 1 : 2
        let text = String(format: "%.\(digits)f", value)
        guard digits == 0 else { return text }
        var grouped = ""
        for (index, digit) in text.reversed().enumerated() {
            if index > 0, index % 3 == 0, digit != "-" { grouped.append(",") }
            grouped.append(digit)
        }
        return String(grouped.reversed())
    }
}
