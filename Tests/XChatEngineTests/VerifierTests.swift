import Testing
import XChatEvents

@testable import XChatEngine

@Suite struct VerifierTests {
    @Test func `a key change without a key for this account lacks a key, whatever its signature is`() throws {
        let pair = try Pair()
        var event = try forge(
            keyChangeDetail(pair.change.key, version: "9", to: [pair.alice]),
            by: pair.alice,
            key: pair.change.key
        )
        #expect(code { try pair.bob.verify(event) } == .keyMissing)
        event.messageEventSignature?.signature = "!!!"
        #expect(code { try pair.bob.verify(event) } == .keyMissing)
    }
}
