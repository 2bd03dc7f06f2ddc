/// A writer of a signed text: components joined by commas, in UTF-8.
///
/// The writer can also record which fields it writes; ``SignatureCoverage`` is made from these records. While it
/// records, a value that is missing or has a comma is not an error, and the other fields are still recorded.
struct PayloadText {
    private(set) var bytes: [UInt8] = []
    /// The paths of the fields that were written; nil if they are not recorded.
    private(set) var fields: Set<String>?
    /// The path of the struct whose fields are being written.
    private var place = ""

    /// Makes an empty text.
    ///
    /// - Parameter recordsFields: Whether to record which fields are written.
    init(recordsFields: Bool = false) {
        if recordsFields { fields = [] }
    }

    /// Starts the text with the components that are common to all kinds except the creation of a group.
    ///
    /// - Parameters:
    ///   - name: The name of the kind.
    ///   - event: The event; its ids follow the name.
    ///   - place: The path of the struct whose fields come after them.
    ///   - capacity: The expected size of the text in bytes.
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

    /// Starts a text that has no conversation id.
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

    /// Throws the error, unless fields are being recorded.
    mutating func fail(_ error: PayloadError) throws(PayloadError) {
        if fields == nil { throw error }
    }

    /// Records that a field is written, even if it is an empty list.
    mutating func record(_ field: String) {
        guard fields != nil else { return }
        fields?.insert(place.isEmpty ? field : "\(place).\(field)")
    }

    /// Adds a string.
    ///
    /// - Parameters:
    ///   - value: The string.
    ///   - field: The name of its field.
    ///   - path: The path to record, if the field does not belong to the struct itself. An element of a list is
    ///     recorded as the list.
    /// - Throws: `comma` for a string with a comma.
    mutating func add(_ value: some WireText, _ field: String, as path: String? = nil) throws(PayloadError) {
        record(path ?? field)
        addComma()
        let start = bytes.count
        bytes.append(contentsOf: value.text.utf8)
        if bytes[start...].contains(UInt8(ascii: ",")) { try fail(.comma(field)) }
    }

    /// Adds a required string.
    mutating func add(required value: (some WireText)?, _ field: String) throws(PayloadError) {
        guard let value else { return try fail(.missing(field)) }
        try add(value, field)
    }

    /// Adds a string, or an empty component if it is absent.
    mutating func add(orEmpty value: (some WireText)?, _ field: String, as path: String? = nil) throws(PayloadError) {
        try add(value?.text ?? "", field, as: path)
    }

    /// Adds a string, or the word `null` if it is absent.
    mutating func add(orNull value: (some WireText)?, _ field: String, as path: String? = nil) throws(PayloadError) {
        try add(value?.text ?? "null", field, as: path)
    }

    /// Adds an integer, or the word `null` if it is absent.
    mutating func add(orNull value: Int64?, _ field: String) {
        record(field)
        addWord(value.map { String($0) } ?? "null")
    }

    /// Adds a truth value, or the word `null` if it is absent.
    mutating func add(orNull value: Bool?, _ field: String) {
        record(field)
        addWord(value.map { String($0) } ?? "null")
    }

    /// Adds an integer if it is present.
    mutating func add(ifPresent value: Int64?, _ field: String) {
        record(field)
        if let value { addWord(String(value)) }
    }

    /// Adds a truth value if it is present.
    mutating func add(ifPresent value: Bool?, _ field: String) {
        record(field)
        if let value { addWord(String(value)) }
    }

    /// Adds one component for each string of a list, if the list is present.
    mutating func add(each values: [some WireText]?, _ field: String) throws(PayloadError) {
        record(field)
        for value in values ?? [] { try add(value, field) }
    }

    /// Adds one component for each string of a required list.
    mutating func add(eachRequired values: [some WireText]?, _ field: String) throws(PayloadError) {
        guard let values else { return try fail(.missing(field)) }
        try add(each: values, field)
    }

    /// Adds the base64 of bytes, without padding.
    mutating func add(base64 value: [UInt8], _ field: String) {
        record(field)
        addComma()
        Base64.append(value.span, to: &bytes)
    }

    /// Adds the comma before a component that the caller appends itself.
    mutating func addComma() {
        bytes.append(UInt8(ascii: ","))
    }

    private mutating func addWord(_ word: String) {
        addComma()
        bytes.append(contentsOf: word.utf8)
    }
}
