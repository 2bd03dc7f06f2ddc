@_exported public import XChatEngine
@_exported public import XChatEvents
