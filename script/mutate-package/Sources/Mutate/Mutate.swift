import Foundation
import SwiftOperators
import SwiftParser
import SwiftSyntax

/// Writes mutants into the Swift files of a folder, which is a copy of the sources of one module.
///
/// Generated code is left as it is.
///
/// Usage: `Mutate FOLDER [EXCLUDED …]`. Every mutant gets a number, the same in each run over the same sources, and is
/// compiled next to the original code. A global function of the module selects one of them at run time. The mutants
/// with the excluded numbers are left out. Prints one line for each mutant that was written: number, file, line,
/// change.
@main
struct Mutate {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let folder = arguments.first else {
            FileHandle.standardError.write(Data("usage: Mutate FOLDER [EXCLUDED …]\n".utf8))
            exit(2)
        }
        let excluded = Set(arguments.dropFirst().compactMap { Int($0) })
        var numbers = Numbers(excluded: excluded)
        let paths = try FileManager.default.subpathsOfDirectory(atPath: folder).sorted()
        for path in paths where path.hasSuffix(".swift") && !path.hasPrefix("Generated/") && path != selectorName {
            let file = URL(filePath: folder).appending(path: path)
            let source = try String(contentsOf: file, encoding: .utf8)
            // Without the precedence of operators a sequence of expressions is flat.
            let tree = OperatorTable.standardOperators.foldAll(Parser.parse(source: source)) { _ in }
            let rewriter = MutantRewriter(
                numbers: numbers,
                locations: SourceLocationConverter(fileName: path, tree: tree),
                file: path
            )
            let mutated = rewriter.rewrite(tree)
            numbers = rewriter.numbers
            try mutated.description.write(to: file, atomically: true, encoding: .utf8)
        }
        try selector(count: numbers.last).write(
            to: URL(filePath: folder).appending(path: selectorName),
            atomically: true,
            encoding: .utf8
        )
    }

    private static let selectorName = "MutantSelector.swift"

    /// The function that selects a mutant: `XCHAT_MUTANT` is its number.
    ///
    /// `XCHAT_MUTANT_COVERAGE` names a file that receives the number of each mutant when it is reached for the first
    /// time.
    private static func selector(count: Int) -> String {
        """
        #if canImport(Darwin)
            import Darwin
        #else
            @preconcurrency import Glibc
        #endif

        private let selected = getenv("XCHAT_MUTANT").flatMap { Int(String(cString: $0)) } ?? 0
        private let coverage = getenv("XCHAT_MUTANT_COVERAGE").map { open($0, O_WRONLY | O_CREAT | O_APPEND, 0o600) } ?? -1
        nonisolated(unsafe) private let reached: UnsafeMutablePointer<Bool> = {
            let memory = UnsafeMutablePointer<Bool>.allocate(capacity: \(count + 1))
            memory.initialize(repeating: false, count: \(count + 1))
            return memory
        }()

        @usableFromInline
        func \(selectorFunction)(_ number: Int) -> Bool {
            if coverage >= 0, !reached[number] {
                reached[number] = true
                let line = Array("\\(number)\\n".utf8)
                _ = line.withUnsafeBytes { write(coverage, $0.baseAddress, $0.count) }
            }
            return number == selected
        }

        """
    }
}

/// The name of the function that says whether a mutant is selected.
let selectorFunction = "isMutant__"

/// Counts the mutants.
struct Numbers {
    let excluded: Set<Int>
    private(set) var last = 0

    init(excluded: Set<Int>) {
        self.excluded = excluded
    }

    /// The number of the next mutant; nil if it is excluded.
    mutating func next() -> Int? {
        last += 1
        return excluded.contains(last) ? nil : last
    }
}
