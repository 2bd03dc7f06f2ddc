import Testing
import XChatEngine
import XChatEvents

@Suite struct EngineExampleTests {
    /// The example of docs/engine.md, line by line: `SnippetTests` compares the two.
    @Test func `the example of docs/engine.md runs`() throws {
        var printed: [String] = []
        func print(_ isVerified: Bool, _ text: WireString) { printed.append("\(isVerified) \(text)") }
        let aliceKeys = try PrivateKeys.generate()
        let bobKeys = try PrivateKeys.generate()

        // Each user registers these keys with the server, which serves them to the other user.
        let aliceServed = try aliceKeys.verifiedKey(userID: "1111", version: "1").registered
        let bobServed = try bobKeys.verifiedKey(userID: "2222", version: "1").registered

        var alice = try Session(userID: "1111", privateKeys: aliceKeys, signingKeyVersion: "1")
        var bob = try Session(userID: "2222", privateKeys: bobKeys, signingKeyVersion: "1")
        for served in [aliceServed, bobServed] {
            try alice.pin([served], of: served.userID)  // pinned on first use, refused if it ever changes
            try bob.pin([served], of: served.userID)
        }

        // A conversation key, wrapped to the pinned keys of both, and a message under it.
        let conversation = ConversationID.oneToOne("1111", "2222")
        let change = try alice.prepareKeyChange(in: conversation)
        try alice.adopt(change)  // once the server has accepted it
        let message = try alice.seal(.text("hello"), in: conversation)

        // Bob receives both as events. Only verified events are accepted, in any order.
        let served = [message.event, change.event].map { Base64.encode($0.encoded()) }
        for result in bob.open(base64: served) {
            let event = try result.get()
            if case .message(let contents) = event.contents?.contents {
                print(event.isVerified, contents.messageText ?? "")  // true hello
            }
        }
        #expect(printed == ["true hello"])
    }
}
