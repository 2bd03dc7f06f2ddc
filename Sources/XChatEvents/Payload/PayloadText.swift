/// A signed text while it is written: components joined by commas, in UTF-8.
struct PayloadText {
    private(set) var bytes: [UInt8]

    /// Starts a text, with the start that is common to all but group creation.
    init(
        _ name: String,
        of event: borrowing MessageEvent,
        reservingCapacity capacity: Int = 256
    ) throws(PayloadError) {
        try self.init(name, withoutConversationOf: event, reservingCapacity: capacity)
        // An event without a conversation id has no slot for it; one with an empty id has an empty slot.
        if let conversationID = event.conversationID {
            try add(conversationID, "conversation_id")
        }
    }

    /// Starts a text that leaves the conversation id out.
    init(
        _ name: String,
        withoutConversationOf event: borrowing MessageEvent,
        reservingCapacity capacity: Int = 256
    ) throws(PayloadError) {
        bytes = []
        bytes.reserveCapacity(capacity)
        bytes.append(contentsOf: name.utf8)
        try add(required: event.messageID, "message_id")
        try add(required: event.senderID, "sender_id")
    }

    /// A string.
    mutating func add(_ value: WireString, _ field: String) throws(PayloadError) {
        addComma()
        let start = bytes.count
        bytes.append(contentsOf: value.utf8)
        guard !bytes[start...].contains(UInt8(ascii: ",")) else { throw .comma(field) }
    }

    /// A string that has to be there.
    mutating func add(required value: WireString?, _ field: String) throws(PayloadError) {
        guard let value else { throw .missing(field) }
        try add(value, field)
    }

    /// A string, or an empty component.
    mutating func add(orEmpty value: WireString?, _ field: String) throws(PayloadError) {
        try add(value ?? "", field)
    }

    /// A string, or the word `null`.
    mutating func add(orNull value: WireString?, _ field: String) throws(PayloadError) {
        try add(value ?? "null", field)
    }

    /// An integer, or the word `null`.
    mutating func add(orNull value: Int64?) {
        addWord(value.map { String($0) } ?? "null")
    }

    /// A truth value, or the word `null`.
    mutating func add(orNull value: Bool?) {
        addWord(value.map { String($0) } ?? "null")
    }

    /// An integer, or nothing.
    mutating func add(ifPresent value: Int64?) {
        if let value { addWord(String(value)) }
    }

    /// A truth value, or nothing.
    mutating func add(ifPresent value: Bool?) {
        if let value { addWord(String(value)) }
    }

    /// One component for each string; none where there is no list.
    mutating func add(each values: [WireString]?, _ field: String) throws(PayloadError) {
        for value in values ?? [] { try add(value, field) }
    }

    /// One component for each string of a list that has to be there.
    mutating func add(eachRequired values: [WireString]?, _ field: String) throws(PayloadError) {
        guard let values else { throw .missing(field) }
        try add(each: values, field)
    }

    /// The base64 of bytes, without padding.
    mutating func add(base64 value: [UInt8]) {
        addComma()
        Base64.append(value.span, to: &bytes)
    }

    /// The comma before a component that somebody else adds.
    mutating func addComma() {
        bytes.append(UInt8(ascii: ","))
    }

    private mutating func addWord(_ word: String) {
        addComma()
        bytes.append(contentsOf: word.utf8)
    }
}
