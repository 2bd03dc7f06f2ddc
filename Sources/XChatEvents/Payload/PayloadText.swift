/// A signed text while it is written: components joined by commas, in UTF-8.
///
/// It can record the fields that it writes, which is how ``SignatureCoverage`` knows them. Then an event that has no
/// signed text, because a value is missing or has a comma, is no error: its other fields are recorded.
struct PayloadText {
    private(set) var bytes: [UInt8] = []
    /// The paths of the fields that were written; nil if they are not recorded, which costs nothing.
    private(set) var fields: Set<String>?
    /// The path of the struct whose fields are written.
    private var place = ""

    /// An empty text.
    ///
    /// - Parameter recordsFields: Whether to record which fields are written.
    init(recordsFields: Bool = false) {
        if recordsFields { fields = [] }
    }

    /// Starts the text of a kind, with the start that is common to all kinds but the creation of a group.
    ///
    /// - Parameters:
    ///   - name: The name of the kind.
    ///   - event: Its ids follow the name.
    ///   - place: The path of the struct whose fields come after them.
    ///   - capacity: How many bytes the text will have, about.
    /// - Throws: `missing` or `comma` for an id that cannot be written.
    mutating func begin(
        _ name: String,
        of event: borrowing MessageEvent,
        at place: @autoclosure () -> String,
        reservingCapacity capacity: Int = 256
    ) throws(PayloadError) {
        try begin(name, withoutConversationOf: event, reservingCapacity: capacity)
        // An event without a conversation id has no slot for it; one with an empty id has an empty slot.
        if let conversationID = event.conversationID {
            try add(conversationID, "conversation_id")
        }
        if fields != nil { self.place = place() }
    }

    /// Starts a text that leaves the conversation id out.
    mutating func begin(
        _ name: String,
        withoutConversationOf event: borrowing MessageEvent,
        at place: @autoclosure () -> String
    ) throws(PayloadError) {
        try begin(name, withoutConversationOf: event, reservingCapacity: 256)
        if fields != nil { self.place = place() }
    }

    private mutating func begin(
        _ name: String,
        withoutConversationOf event: borrowing MessageEvent,
        reservingCapacity capacity: Int
    ) throws(PayloadError) {
        bytes.reserveCapacity(capacity)
        bytes.append(contentsOf: name.utf8)
        try add(required: event.messageID, "message_id")
        try add(required: event.senderID, "sender_id")
    }

    /// Refuses an event that has no signed text, unless only its fields are recorded.
    mutating func fail(_ error: PayloadError) throws(PayloadError) {
        if fields == nil { throw error }
    }

    /// Records that a field is written, if only as an empty list.
    mutating func record(_ field: String) {
        guard fields != nil else { return }
        fields?.insert(place.isEmpty ? field : "\(place).\(field)")
    }

    /// A string.
    ///
    /// - Parameters:
    ///   - value: The string.
    ///   - field: The name of its field.
    ///   - path: The path to record, if the field is not one of the struct itself. Elements of a list are recorded as
    ///     the list.
    /// - Throws: `comma` for a string with a comma.
    mutating func add(_ value: some WireText, _ field: String, as path: String? = nil) throws(PayloadError) {
        record(path ?? field)
        addComma()
        let start = bytes.count
        bytes.append(contentsOf: value.text.utf8)
        if bytes[start...].contains(UInt8(ascii: ",")) { try fail(.comma(field)) }
    }

    /// A string that has to be there.
    mutating func add(required value: (some WireText)?, _ field: String) throws(PayloadError) {
        guard let value else { return try fail(.missing(field)) }
        try add(value, field)
    }

    /// A string, or an empty component.
    mutating func add(orEmpty value: (some WireText)?, _ field: String, as path: String? = nil) throws(PayloadError) {
        try add(value?.text ?? "", field, as: path)
    }

    /// A string, or the word `null`.
    mutating func add(orNull value: (some WireText)?, _ field: String, as path: String? = nil) throws(PayloadError) {
        try add(value?.text ?? "null", field, as: path)
    }

    /// An integer, or the word `null`.
    mutating func add(orNull value: Int64?, _ field: String) {
        record(field)
        addWord(value.map { String($0) } ?? "null")
    }

    /// A truth value, or the word `null`.
    mutating func add(orNull value: Bool?, _ field: String) {
        record(field)
        addWord(value.map { String($0) } ?? "null")
    }

    /// An integer, or nothing.
    mutating func add(ifPresent value: Int64?, _ field: String) {
        record(field)
        if let value { addWord(String(value)) }
    }

    /// A truth value, or nothing.
    mutating func add(ifPresent value: Bool?, _ field: String) {
        record(field)
        if let value { addWord(String(value)) }
    }

    /// One component for each string; none where there is no list.
    mutating func add(each values: [some WireText]?, _ field: String) throws(PayloadError) {
        record(field)
        for value in values ?? [] { try add(value, field) }
    }

    /// One component for each string of a list that has to be there.
    mutating func add(eachRequired values: [some WireText]?, _ field: String) throws(PayloadError) {
        guard let values else { return try fail(.missing(field)) }
        try add(each: values, field)
    }

    /// The base64 of bytes, without padding.
    mutating func add(base64 value: [UInt8], _ field: String) {
        record(field)
        addComma()
        Base64.append(value.span, to: &bytes)
    }

    /// The comma before a component that the caller adds.
    mutating func addComma() {
        bytes.append(UInt8(ascii: ","))
    }

    private mutating func addWord(_ word: String) {
        addComma()
        bytes.append(contentsOf: word.utf8)
    }
}
