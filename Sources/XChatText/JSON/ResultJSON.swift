package import XChat
package import XChatEngine
package import XChatEvents
package import XChatHTTP

/// The result of one event, as a line of `decrypt` and `read --json`.
///
/// To the members of X's SDK it adds what a reader needs in order to trust them: `verified` for every kind, the marks,
/// and in `unverified_fields` the names of the members that no signature covers.
///
/// - Parameters:
///   - result: The event, or the error with which it was refused.
///   - received: The event as it was received, if it could be parsed. Needed only to describe a refused event.
///   - servedID: The server's id of the event, for one that could not be parsed.
///   - handles: The handles of senders. That of an accepted event is written as `sender_username_unverified`, because
///     only the server vouches for it.
///   - index: The number of the event in the input, from 0.
/// - Returns: An object with `index` and either `event` or `error`.
package func resultJSON(
    _ result: Result<Event, XChatError>,
    received: MessageEvent? = nil,
    servedID: String? = nil,
    handles: [UserID: Handle] = [:],
    index: Int
) -> JSONValue {
    switch result {
    case .success(let event):
        return ["index": .number(index), "event": eventJSON(event, handles)]
    case .failure(let error):
        var json: JSONObject = ["code": .string(error.code.rawValue), "message": .string(error.message)]
        if let received {
            json["sequence_id"] = .init(received.sequenceID)
            json["id"] = .init(received.messageID)
            json["sender_id"] = .init(received.senderID)
            json["created_at_msec"] = .init(received.createdAtMsec?.i64)
        } else if let servedID {
            json["sequence_id"] = .string(WireString(servedID))
        }
        return ["index": .number(index), "error": .object(json)]
    }
}

private func eventJSON(_ event: Event, _ handles: [UserID: Handle]) -> JSONValue {
    let json = eventJSON(
        event.received,
        contents: event.contents,
        isVerified: event.isVerified,
        isReplyValid: event.replyValidation?.isValid
    )
    guard case .object(var json) = json else { return json }
    var unverified = unverifiedFields(of: event, in: json)
    if let handle = event.received.senderID.flatMap({ handles[$0] }) {
        json["sender_username_unverified"] = .string(handle.text)
        unverified.append("sender_username_unverified")
    }
    json["verified"] = .bool(event.isVerified)
    for mark in Event.Mark.allCases where event.marks.contains(mark) || mark == .targetUnproven && event.namesTarget {
        json[WireString(mark.rawValue)] = true
    }
    json["unverified_fields"] = .init(unverified)
    return .object(json)
}
