// XChatHTTP
