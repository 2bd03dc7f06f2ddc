package import Foundation

/// A text file of the package, usually Markdown or Swift.
package struct Document: Sendable {
    /// The folder of the package.
    package static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The path from the folder of the package.
    package let path: String
    /// The whole text.
    package let text: String

    /// Reads a file by its path from the folder of the package.
    package init(_ path: String) throws {
        self.path = path
        text = try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
    }

    /// The files of a folder whose names have an ending, in the order of their paths.
    package static func all(in folder: String, suffix: String = ".swift") throws -> [Document] {
        let paths = try FileManager.default.subpathsOfDirectory(
            atPath: root.appending(path: folder).path(percentEncoded: false)
        )
        return try paths.filter { $0.hasSuffix(suffix) && !$0.contains(".build/") }.sorted().map { path in
            try Document("\(folder)/\(path)")
        }
    }

    private var lines: [String] { text.components(separatedBy: "\n") }

    /// A code block between two lines of three backticks.
    package struct Block: Sendable {
        /// The last heading before it.
        package let heading: String
        /// The word after the backticks.
        package let language: String
        /// The lines between the backticks.
        package var lines: [String] = []

        /// The values by their names: a line is a name and a value, and an indented line continues the value before it.
        package var values: [String: String] {
            var values: [String: String] = [:]
            var name = ""
            for line in lines {
                if !line.hasPrefix(" ") { name = String(line.prefix { $0 != " " }) }
                let value = line.hasPrefix(" ") ? Substring(line) : line.dropFirst(name.count)
                values[name, default: ""] += value.drop { $0 == " " }
            }
            return values
        }
    }

    /// The lines outside of code blocks, and the code blocks.
    private func parts() -> (prose: [String], blocks: [Block]) {
        var (prose, blocks): ([String], [Block]) = ([], [])
        var (heading, isInside) = ("", false)
        for line in lines {
            let mark = line.drop { $0 == " " }
            if mark.hasPrefix("```") {
                isInside.toggle()
                if isInside { blocks.append(Block(heading: heading, language: String(mark.dropFirst(3)))) }
            } else if isInside {
                blocks[blocks.count - 1].lines.append(line)
            } else {
                if let title = Self.heading(line) { heading = title }
                prose.append(line)
            }
        }
        return (prose, blocks)
    }

    private static func heading(_ line: String) -> String? {
        line.hasPrefix("#") ? String(line.drop { $0 == "#" || $0 == " " }) : nil
    }

    /// The code blocks.
    package var blocks: [Block] { parts().blocks }

    /// The titles of all sections.
    package var headings: [String] { parts().prose.compactMap { Self.heading($0) } }

    /// The texts between backticks outside of code blocks, each on one line.
    package var codeSpans: [String] { Self.codeSpans(in: parts().prose.joined(separator: "\n")) }

    /// The texts between backticks, each on one line.
    package static func codeSpans(in text: String) -> [String] {
        let line = text.split { $0.isWhitespace }.joined(separator: " ")
        return line.components(separatedBy: "`").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
    }

    /// The numbered items of a section, each on one line.
    package func items(of section: String) -> [String] {
        var items: [String] = []
        let body = lines.drop { $0 != "## \(section)" }.dropFirst().prefix { !$0.hasPrefix("## ") }
        for line in body {
            if line.first?.isNumber == true {
                items.append(line)
            } else if !items.isEmpty {
                items[items.count - 1] += " " + line.trimmingCharacters(in: .whitespaces)
            }
        }
        return items
    }

    /// The cells of all tables whose first column has a title, row by row.
    package func rows(ofTableTitled title: String) -> [[String]] {
        var rows: [[String]] = []
        var isInside = false
        for line in lines {
            guard line.hasPrefix("|") else {
                isInside = false
                continue
            }
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            if cells.first == title {
                isInside = true
            } else if isInside, cells.first?.hasPrefix("-") == false, cells.first?.hasPrefix(":") == false {
                rows.append(cells)
            }
        }
        return rows
    }

    /// The code spans in the first column of all tables whose first column has a title.
    package func firstColumn(titled title: String) -> [String] {
        rows(ofTableTitled: title).flatMap { Self.codeSpans(in: $0.first ?? "") }
    }
}

extension UInt8 {
    /// Whether it is a digit, an ASCII letter or an underscore.
    package var isPartOfIdentifier: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"):
            true
        default:
            false
        }
    }
}
