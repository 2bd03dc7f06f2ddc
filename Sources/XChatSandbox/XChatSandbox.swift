// XChatSandbox
