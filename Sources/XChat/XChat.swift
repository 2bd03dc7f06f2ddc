// XChat
