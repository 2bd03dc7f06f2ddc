import Foundation
import TestSupport
import Testing
import XChatEvents

@testable import XChatEngine

/// The tests, headings, errors, marks and identifiers that the documents name exist.
@Suite struct DocumentTests {
    private let security: Document
    private let trust: Document
    private let protocolPage: Document

    init() throws {
        security = try Document("SECURITY.md")
        trust = try Document("docs/trust.md")
        protocolPage = try Document("docs/protocol.md")
    }

    @Test func `every test that the security page names exists`() throws {
        let names = try testNames()
        let named = security.codeSpans.filter { $0.contains(" ") && !$0.hasPrefix("xchat ") }
        #expect(named.count > 50)
        #expect(named.filter { !names.contains($0) } == [])
    }

    @Test func `every promise of the security page names a test`() throws {
        let promises = security.items(of: "Promises")
        #expect(promises.count > 10)
        for (index, promise) in promises.enumerated() {
            #expect(promise.hasPrefix("\(index + 1). "), "\(promise)")
            let tests = promise.components(separatedBy: "Test").dropFirst().joined()
            #expect(Document.codeSpans(in: tests).contains { $0.contains(" ") }, "\(promise)")
        }
    }

    @Test func `comments cite headings of our pages that exist`() throws {
        var citations: [String: Int] = [:]
        for file in try Document.all(in: "Sources") where file.text.contains("docs/") {
            // A citation may continue in the next line of the comment.
            let lines = file.text.split(separator: "\n").map { $0.drop { $0 == " " || $0 == "/" } }
            for rest in lines.joined(separator: " ").components(separatedBy: "`docs/").dropFirst() {
                let page = "docs/" + rest.prefix { $0 != "`" }
                let heading = rest.dropFirst(page.utf8.count - 5)
                guard heading.hasPrefix("`, \"") else {
                    Issue.record("\(file.path) cites \(page) without a heading")
                    continue
                }
                let title = String(heading.dropFirst(4).prefix { $0 != "\"" })
                #expect(try Document(page).headings.contains(title), "\(file.path) cites \"\(title)\" of \(page)")
                citations[page, default: 0] += 1
            }
            // Citations in another form are not found above, so there must be none.
            let others = file.text.components(separatedBy: "docs/").count - 1
            #expect(others == file.text.components(separatedBy: "`docs/").count - 1, "\(file.path)")
        }
        #expect(citations["docs/trust.md", default: 0] >= 5)
        #expect(citations["docs/protocol.md", default: 0] >= 15)
    }

    @Test func `the trust page names errors, marks and claims that exist, and every mark`() throws {
        let source = try Document("Sources/XChatEngine/XChatError.swift").text
        let words = source.components(separatedBy: "Code(rawValue: \"").dropFirst()
        let codes = Set(words.map { rest in String(rest.prefix { $0 != "\"" }) })
        #expect(codes.count > 20)
        let errors = trust.firstColumn(titled: "error")
        #expect(errors.count > 10)
        #expect(errors.filter { !codes.contains($0) } == [])
        #expect(Set(trust.firstColumn(titled: "mark")) == Set(Event.Mark.allCases.map(\.rawValue)))
        let claims = trust.firstColumn(titled: "claim")
        #expect(claims.count == 5)
        #expect(claims.filter { Membership.Claim(rawValue: $0) == nil } == [])
    }

    @Test func `the pages name identifiers of the sources`() throws {
        var words: Set<String> = []
        for file in try Document.all(in: "Sources") {
            for word in file.text.utf8.split(whereSeparator: { !$0.isPartOfIdentifier }) {
                words.insert(String(decoding: word, as: UTF8.self))
            }
        }
        /// The documents name a group of functions by the common beginning of their names.
        func isKnown(_ name: String) -> Bool { words.contains(name) || words.contains { $0.hasPrefix(name) } }
        for document in [security, trust, protocolPage, try Document("docs/account.md")] {
            // Samples of base64 are in a table with this title.
            let samples = document.firstColumn(titled: "text")
            let identifiers = document.codeSpans.filter { span in
                !samples.contains(span) && span.utf8.allSatisfy { $0.isPartOfIdentifier || $0 == UInt8(ascii: ".") }
            }
            let parts = Set(identifiers.flatMap { $0.split(separator: ".").map { String($0) } })
            #expect(parts.count > 10)
            #expect(parts.filter { !isKnown($0) }.sorted() == [], "\(document.path)")
        }
    }

    @Test func `every relative link leads to a file`() throws {
        let others = try ["README.md", "CONTRIBUTING.md", "docs/account.md"].map { try Document($0) }
        for document in [security, trust, protocolPage] + others {
            let folder = Document.root.appending(path: document.path).deletingLastPathComponent()
            for rest in document.text.components(separatedBy: "](").dropFirst() {
                let link = rest.prefix { $0 != ")" }
                guard !link.contains("://"), !link.hasPrefix("#"), let file = link.split(separator: "#").first
                else { continue }
                let path = folder.appending(path: String(file)).path(percentEncoded: false)
                #expect(FileManager.default.fileExists(atPath: path), "\(document.path) links to \(link)")
            }
        }
    }

    @Test func `NOTICE names every package that the manifest declares`() throws {
        let notice = try Document("NOTICE").text
        let manifest = try Document("Package.swift").text
        let packages = manifest.components(separatedBy: ".package(url: \"https://github.com/").dropFirst().map { rest in
            String(rest.prefix { $0 != "\"" }.split(separator: "/").last ?? "")
        }
        #expect(packages.count > 8)
        // This plugin builds the documentation and is not linked.
        for package in packages where package != "swift-docc-plugin" {
            #expect(notice.contains("  \(package)"), "\(package)")
        }
    }

    // MARK: The worked example

    /// The results of the engine for the history in the section "Who can read the next message".
    private struct Example {
        let people: People
        var alice: Session
        var history = GroupHistory()
        /// The present members after each step and the key or error for the next message, in the words of the page.
        var rows: [[String]] = []
        private let names: [UserID: String] = ["1111": "Alice", "2222": "Bob", "3333": "Carol", "4444": "Dave"]

        init() throws {
            people = try People()
            alice = people.alice
            alice.clock = { 1000 }
        }

        /// Delivers the events of the history from an index on, and adds a row.
        @discardableResult
        mutating func deliver(from place: Int) -> Delivery {
            let delivery = alice.deliver(history.events[place...].map { .success($0) })
            note()
            return delivery
        }

        mutating func note() {
            let present = alice.memberships[GroupHistory.id]?.present ?? []
            let members = present.sorted().map { names[$0] ?? "?" }.joined(separator: ", ")
            rows.append([members, nextMessage])
        }

        private var nextMessage: String {
            do {
                let version = try alice.encryptingVersion(in: GroupHistory.id)
                return "under \(version)"
            } catch {
                return "`\(error.code.rawValue)`"
            }
        }
    }

    @Test func `the worked example of the trust page is what the engine does`() throws {
        var example = try Example()
        let (bob, carol) = (example.people.bob, example.people.carol)
        let all = [example.people.alice, bob, carol, example.people.dave]
        // 1 to 4
        try example.history.create(bob, [example.people.alice, bob, carol])
        example.deliver(from: 0)
        try example.history.say(carol, "hello")
        example.deliver(from: 2)
        try example.history.rotate(bob, for: all)
        example.deliver(from: 3)
        try example.history.add(bob, ["4444"], to: ["2222", "1111", "3333"])
        example.deliver(from: 4)
        // 5 to 7
        example.alice.clock = { 5000 }
        try example.history.remove(bob, ["3333"])
        example.deliver(from: 5)
        #expect(example.alice.memberships[GroupHistory.id]?.bars == ["3333": 1002])
        try example.history.rotate(bob, for: [example.people.alice, bob, example.people.dave], version: 4999)
        example.deliver(from: 6)
        example.alice.clock = { 6000 }
        let change = try example.alice.prepareKeyChange(in: GroupHistory.id)
        try example.alice.adopt(change)
        example.note()
        #expect(Set(change.participantKeys.map(\.userID)) == ["1111", "2222", "4444"])
        // 8 to 10
        example.history.append(example.history.events[4])
        example.deliver(from: 7)
        try example.history.say(carol, "late", version: "1002")
        let late = example.deliver(from: 8)
        #expect(try late.results[0].get().marks == [.senderLeft])
        example.history.append(
            try GroupHistory.addition(carol, ["5555"], to: ["3333", "2222", "1111"], version: "1002")
        )
        example.deliver(from: 9)
        // 11 to 15
        try example.history.rotate(carol, for: [example.people.alice, bob, carol], version: 7000)
        example.deliver(from: 10)
        var forger = carol
        try forger.addConversationKey(change.key, in: GroupHistory.id, version: change.version)
        example.history.append(try forger.seal(.text("new"), in: GroupHistory.id).event)
        let refused = example.deliver(from: 11)
        #expect(code { _ = try refused.results[0].get() } == .notAParticipant)
        try example.history.rotate(bob, for: all, version: 8000)
        example.deliver(from: 12)
        try example.history.add(bob, ["3333"], to: ["2222", "1111", "4444"])
        let last = example.deliver(from: 13)
        #expect(last.notices == [.returned("3333", to: GroupHistory.id, by: "2222")])
        #expect(example.alice.memberships[GroupHistory.id]?.floor == 1001)
        example.history.append(
            try GroupHistory.addition(bob, ["5555"], to: ["2222", "1111", "3333", "4444"], version: "1001")
        )
        example.deliver(from: 14)

        let shown = trust.rows(ofTableTitled: "step").map { Array($0.suffix(2)) }
        #expect(shown == example.rows)
    }

    // MARK: Sources

    /// The display names of all tests: raw identifiers, and the first argument of `@Test`.
    private func testNames() throws -> Set<String> {
        var names: Set<String> = []
        for file in try Document.all(in: "Tests") {
            for rest in file.text.components(separatedBy: "func `").dropFirst() {
                names.insert(String(rest.prefix { $0 != "`" }))
            }
            for rest in file.text.components(separatedBy: "@Test(").dropFirst() {
                let arguments = rest.drop { $0.isWhitespace }
                guard arguments.hasPrefix("\"") else { continue }
                names.insert(String(arguments.dropFirst().prefix { $0 != "\"" }))
            }
        }
        return names
    }
}
