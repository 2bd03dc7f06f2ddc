import Foundation
import Testing

/// The tools that generating needs and this machine lacks.
private let missingTools = ["python3", "thrift"].filter { tool in
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return !folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(tool)") }
}
private let isCI = ProcessInfo.processInfo.environment["CI"] == "true"

@Suite("The generated Swift")
struct GeneratedCodeTests {
    @Test(
        "it is what the IDL says",
        .enabled(if: missingTools.isEmpty || isCI, "python3 or thrift is missing, so nothing can be generated")
    )
    func upToDate() throws {
        let fresh = FileManager.default.temporaryDirectory.appending(path: "generated-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: fresh) }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", Project.root.appending(path: "script/generate-events").path]
        process.arguments?.append(contentsOf: ["--output", fresh.path])
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "script/generate-events failed; missing here: \(missingTools)")
        let committed = Project.root.appending(path: "Sources/XChatEvents/Generated")
        let names = try FileManager.default.contentsOfDirectory(atPath: committed.path).sorted()
        #expect(try FileManager.default.contentsOfDirectory(atPath: fresh.path).sorted() == names)
        #expect(names.count > 1)
        for name in names {
            let isSame = FileManager.default.contentsEqual(
                atPath: committed.appending(path: name).path,
                andPath: fresh.appending(path: name).path
            )
            #expect(isSame, "\(name) is out of date: run script/generate-events")
        }
    }
}
