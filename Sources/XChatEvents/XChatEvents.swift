// XChatEvents
