import Foundation
import TestSupport
import Testing

/// All Swift code in the documents is also in a test or an example, where it is compiled and mostly run.
@Suite struct SnippetTests {
    /// The documents with code for users.
    private static func documents() throws -> [Document] {
        try ["README.md", "CONTRIBUTING.md", "SECURITY.md"].map { try Document($0) }
            + Document.all(in: "docs", suffix: ".md") + Document.all(in: "Sources", suffix: ".md")
    }

    /// The files whose code is compiled: the examples, which `script/examples` builds and runs, and these tests.
    private static func compiled() throws -> [[Substring]] {
        let tests = [
            "Tests/XChatTests/Documents/ArticleTests.swift", "Tests/XChatEngineTests/EngineExampleTests.swift",
        ]
        let files = try Document.all(in: "Examples/Sources") + tests.map { try Document($0) }
        return files.map { $0.text.split(separator: "\n", omittingEmptySubsequences: false) }
    }

    /// Whether a file has the lines of a block in sequence, at any indentation.
    ///
    /// Its imports may be elsewhere in the file.
    private static func contains(_ block: [String], in file: [Substring]) -> Bool {
        let imports = block.prefix { $0.hasPrefix("import ") }
        guard imports.allSatisfy({ file.contains(Substring($0)) }) else { return false }
        let code = block.dropFirst(imports.count).drop { $0.isEmpty }
        guard let first = code.first else { return true }
        return file.indices.contains { start in
            guard file[start].hasSuffix(first), file.count - start >= code.count else { return false }
            let indentation = file[start].dropLast(first.count)
            guard indentation.allSatisfy({ $0 == " " }) else { return false }
            return zip(file[start...], code).allSatisfy { line, expected in
                expected.isEmpty ? line.allSatisfy { $0 == " " } : line == indentation + expected
            }
        }
    }

    @Test func `every Swift block of the documents is compiled`() throws {
        let files = try Self.compiled()
        var count = 0
        for document in try Self.documents() {
            for block in document.blocks where block.language == "swift" {
                // Lines of a manifest; script/check-traits resolves them.
                if block.lines.first?.hasPrefix(".package(") == true { continue }
                #expect(
                    files.contains { Self.contains(block.lines, in: $0) },
                    "\(document.path), \"\(block.heading)\": this code is in no compiled file:\n\(block.lines.joined(separator: "\n"))"
                )
                count += 1
            }
        }
        #expect(count > 15)
    }

    @Test func `the README begins with the echo bot of the examples`() throws {
        let bot = try Document("Examples/Sources/EchoBot/EchoBot.swift").text
        let first = try #require(try Document("README.md").blocks.first { $0.language == "swift" })
        #expect(first.lines.joined(separator: "\n") + "\n" == bot)
    }

    @Test func `code that differs in one word, or in its order, is not taken for compiled`() throws {
        let file = "import XChat\n\nfunc f() {\n    let a = 1\n    if a > 0 {\n        print(a)\n    }\n}\n"
            .split(separator: "\n", omittingEmptySubsequences: false)
        let block = ["import XChat", "", "let a = 1", "if a > 0 {", "    print(a)", "}"]
        #expect(Self.contains(block, in: file))
        #expect(!Self.contains(block.map { $0.replacing("print", with: "debugPrint") }, in: file))
        #expect(!Self.contains(["if a > 0 {", "let a = 1"], in: file))
        #expect(!Self.contains(["if a > 0 {", "print(a)"], in: file))
        #expect(!Self.contains(["import Foundation", "let a = 1"], in: file))
    }
}
