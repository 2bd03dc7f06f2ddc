import Foundation
package import XChat
import XChatText

extension BenchCases {
    /// A list with one object for each row.
    package var json: JSONValue { .array(rows.map(\.json)) }

    /// A heading, and one line for each row.
    package var table: String {
        var lines = ["\(cores) cores; times of one whole operation, medians"]
        lines.append(line("operation", "time", "floor", "ratio", "per second"))
        for row in rows {
            lines.append(
                line(
                    row.name,
                    "\(number(row.result.median / 1000, 2)) µs",
                    "\(number(row.result.floor / 1000, 2)) µs",
                    number(row.ratio, 2),
                    number(row.perSecond, 1)
                )
            )
        }
        return lines.joined(separator: "\n")
    }

    private func line(_ name: String, _ columns: String...) -> String {
        columns.reduce(name.padded(to: 24)) { $0 + $1.leftPadded(to: 16) }
    }
}

private func number(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
}

extension BenchCases.Row {
    /// The time of the operation divided by the time of its floor.
    var ratio: Double { result.median / result.floor }
    /// The number of operations per second.
    var perSecond: Double { 1e9 / result.median }

    var json: JSONValue {
        [
            "name": .string(name),
            "median_ns": .number(Int(result.median.rounded())),
            "floor_ns": .number(Int(result.floor.rounded())),
            "ratio_to_floor": .number(number(ratio, 3)),
            "per_second": .number(number(perSecond, 3)),
        ]
    }
}
