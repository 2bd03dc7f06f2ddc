/// The progress of a transfer as one line that fits a terminal: as many figures as fit, then a bar if it fits too.
///
/// - Parameters:
///   - label: What is being done, in ASCII.
///   - done: The bytes transferred so far.
///   - total: The bytes to transfer; nil if unknown.
///   - elapsed: The time since the start.
///   - columns: The width of the terminal.
/// - Returns: The line, shorter than the terminal is wide.
package func progressText(_ label: String, done: Int, total: Int?, elapsed: Duration, columns: Int) -> String {
    let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
    // In the first half second the rate is too uncertain.
    let rate = seconds >= 0.5 ? Double(max(0, done)) / seconds : 0
    let share = total.map { $0 > 0 ? min(1, max(0, Double(done) / Double($0))) : 1 }
    var figures: [String] = []
    if let total, let share {
        let percent = String(Int(share * 100))
        figures.append(String(repeating: " ", count: 3 - percent.utf8.count) + percent + " %")
        figures.append("\(byteCount(Double(done))) of \(byteCount(Double(total)))")
    } else {
        figures.append(byteCount(Double(done)))
    }
    if rate > 0 {
        figures.append("\(byteCount(rate))/s")
        if let total, done < total {
            figures.append("\(clock((Double(total) - Double(done)) / rate)) left")
        }
    }
    // The last column stays free: a character there makes some terminals start a new line.
    var freeColumns = max(0, columns - 1) - label.utf8.count
    guard freeColumns >= 0 else { return String(label.prefix(max(0, columns - 1))) }
    var text = ""
    for figure in figures {
        guard figure.utf8.count + 2 <= freeColumns else { break }
        text += "  " + figure
        freeColumns -= figure.utf8.count + 2
    }
    guard let share, freeColumns >= 13 else { return label + text }
    let cells = min(40, freeColumns - 3)
    let full = Int(share * Double(cells))
    return "\(label) [\(String(repeating: "#", count: full))\(String(repeating: ".", count: cells - full))]\(text)"
}

private func byteCount(_ bytes: Double) -> String {
    guard bytes >= 1024 else { return "\(Int(max(0, bytes))) B" }
    var amount = bytes
    var unit = ""
    for next in ["KiB", "MiB", "GiB", "TiB"] where amount >= 1024 || unit.isEmpty {
        amount /= 1024
        unit = next
    }
    let tenths = Int(min(amount, 1e6) * 10)
    return "\(tenths / 10).\(tenths % 10) \(unit)"
}

private func clock(_ seconds: Double) -> String {
    let seconds = Int(min(max(seconds, 0), 359_999).rounded(.up))
    func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
    let minutes = "\(seconds / 60 % 60)"
    guard seconds >= 3600 else { return "\(minutes):\(two(seconds % 60))" }
    return "\(seconds / 3600):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
}
