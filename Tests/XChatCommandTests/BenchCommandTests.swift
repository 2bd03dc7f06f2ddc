import TestSupport
import Testing

struct BenchCommandTests {
    @Test("wrong options end with 2", arguments: [["--nonsense"], ["surplus"], ["--quick=1"], ["--json", "--slow"]])
    func wrongUse(_ arguments: [String]) async throws {
        let outcome = try await Program.run(["bench"] + arguments)
        #expect(outcome.status == 2)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.contains("Error: "))
    }
}
