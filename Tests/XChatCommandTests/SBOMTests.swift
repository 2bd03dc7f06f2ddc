import Foundation
import TestSupport
import Testing

/// `script/sbom`, with a Package.resolved of the test.
@Suite(.timeLimit(.minutes(1)))
struct SBOMTests {
    private static let script = Document.root.appending(path: "script/sbom").path

    private struct BOM: Decodable {
        let bomFormat: String
        let specVersion: String
        let serialNumber: String
        let version: Int
        let metadata: Metadata
        let components: [Component]
    }

    private struct Metadata: Decodable {
        let timestamp: String
        let component: Component
    }

    private struct Component: Decodable {
        let type: String
        let reference: String
        let name: String
        let version: String
        let purl: String?

        enum CodingKeys: String, CodingKey {
            case type, name, version, purl
            case reference = "bom-ref"
        }
    }

    private static let pins = #"""
        {
          "pins" : [
            {
              "identity" : "swift-log", "kind" : "remoteSourceControl", "location" : "https://github.com/apple/swift-log",
              "state" : { "revision" : "0123456789abcdef0123456789abcdef01234567", "version" : "1.16.2" }
            },
            {
              "identity" : "grdb.swift", "kind" : "remoteSourceControl",
              "location" : "https://github.com/groue/GRDB.swift.git",
              "state" : { "branch" : "master", "revision" : "89abcdef0123456789abcdef0123456789abcdef" }
            }
          ],
          "version" : 3
        }
        """#

    private func run(_ scratch: Scratch, time: String = "1700000000") async throws -> Program.Outcome {
        // The script asks swift and pkg-config for their versions.
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return try await Program.shell(
            #"exec "$1" Package.resolved"#,
            [Self.script],
            in: scratch,
            environment: ["PATH": path, "SOURCE_DATE_EPOCH": time, "XCHAT_VERSION": "1.2.3"]
        )
    }

    @Test func `the list of parts is CycloneDX and names each package, C library and Swift itself`() async throws {
        let scratch = try Scratch()
        try scratch.write("Package.resolved", Self.pins)
        let outcome = try await run(scratch)
        try #require(outcome.status == 0, "\(outcome.errors)")
        let bom = try JSONDecoder().decode(BOM.self, from: Data(outcome.output))
        #expect(bom.bomFormat == "CycloneDX")
        #expect(bom.specVersion == "1.6")
        #expect(bom.version == 1)
        #expect(bom.serialNumber.wholeMatch(of: /urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/) != nil)
        #expect(bom.metadata.timestamp == "2023-11-14T22:13:20Z")
        #expect(bom.metadata.component.type == "application")
        #expect(bom.metadata.component.version == "1.2.3")

        let purls = bom.components.compactMap(\.purl)
        #expect(
            purls.prefix(2) == [
                "pkg:swift/github.com/groue/GRDB.swift@89abcdef0123456789abcdef0123456789abcdef",
                "pkg:swift/github.com/apple/swift-log@1.16.2",
            ]
        )
        let names = bom.components.map(\.name)
        #expect(names == ["grdb.swift", "swift-log", "libargon2", "libsodium", "sqlite3", "zlib", "swift"])
        #expect(Set(bom.components.map(\.reference)).count == names.count)
        for component in bom.components {
            #expect(["library", "framework"].contains(component.type))
            #expect(!component.version.isEmpty)
        }
    }

    @Test func `the same parts give the same bytes, and other parts another serial number`() async throws {
        let scratch = try Scratch()
        try scratch.write("Package.resolved", Self.pins)
        let first = try await run(scratch).output
        #expect(try await run(scratch).output == first)
        try scratch.write("Package.resolved", Self.pins.replacing("1.16.2", with: "1.16.3"))
        let other = try await run(scratch)
        let boms = try [first, other.output].map { try JSONDecoder().decode(BOM.self, from: Data($0)) }
        #expect(boms[0].serialNumber != boms[1].serialNumber)
    }
}
