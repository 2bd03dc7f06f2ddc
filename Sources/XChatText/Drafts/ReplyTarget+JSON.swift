import XChat
import XChatEngine
import XChatEvents

extension ReplyTarget {
    static let members: [WireString] = [
        "reply_to_event", "reply_to_edit_event", "reply_to_ckces", "reply_to_sequence_id", "reply_to_sender_id",
        "reply_to_text", "reply_to_entities", "reply_to_attachments",
    ]

    /// Reads the parameters of X's SDK: with an event the preview is made from it, otherwise from the parameters.
    init(_ place: JSONLocation) throws(AccountError) {
        let claims = try ReplyClaims(place)
        let edit = try place.presentEvent("reply_to_edit_event")
        var keyChanges: [Encoded<MessageEvent>] = []
        for keyChange in try place.member("reply_to_ckces")?.elements() ?? [] where !(try keyChange.string().isEmpty) {
            keyChanges.append(try keyChange.event())
        }
        guard let original = try place.presentEvent("reply_to_event") else {
            self = .claimed(claims)
            return
        }
        var source = ReplySource(original)
        source.edit = edit
        source.keyChanges = keyChanges
        source.overrides = claims
        self = .event(source)
    }
}

extension ReplyClaims {
    fileprivate init(_ place: JSONLocation) throws(AccountError) {
        self.init()
        if let id: SequenceID = try place.member("reply_to_sequence_id")?.id(), !id.isEmpty { sequenceID = id }
        senderID = try place.member("reply_to_sender_id")?.numberOrDigits()
        text = try place.member("reply_to_text")?.string().string
        entities = try place.member("reply_to_entities")?.entities()
        attachments = try place.member("reply_to_attachments")?.attachments()
    }
}

extension JSONLocation {
    /// The event in a member; nil if the member is absent or the empty string, which X's SDK treats as absent.
    fileprivate func presentEvent(_ key: WireString) throws(AccountError) -> Encoded<MessageEvent>? {
        guard let place = try member(key), !(try place.string().isEmpty) else { return nil }
        return try place.event()
    }

    /// A user id as X's SDK accepts it for a preview: a number, or its digits.
    private func digits() throws(AccountError) -> Int64 {
        guard let number = try string().i64 else { throw error("expected the digits of a user id") }
        return number
    }

    fileprivate func numberOrDigits() throws(AccountError) -> Int64 {
        if case .string = value { try digits() } else { try integer(Int64.self) }
    }
}
