package import XChatEvents

import struct Foundation.Date

/// Formats a time from the server as ISO 8601; nil if it is not a time up to the year 9999.
///
/// No signature covers the time.
package func timeText(_ milliseconds: WireString?) -> String? {
    let lastOfYear9999: Int64 = 253_402_300_799_999
    guard let milliseconds = milliseconds?.i64, (0...lastOfYear9999).contains(milliseconds) else { return nil }
    return Date(timeIntervalSince1970: Double(milliseconds / 1000)).ISO8601Format()
}

/// Identifies a refused event in a text: sequence id, claimed sender and time, as far as they are known.
///
/// - Parameters:
///   - event: The event; nil if it did not parse.
///   - servedID: The id under which the server listed the event.
/// - Returns: The parts, separated by commas; nil if nothing is known.
func placeText(of event: MessageEvent?, servedID: String? = nil) -> String? {
    var parts: [String] = []
    if let sequenceID = event?.sequenceID ?? servedID.map({ SequenceID($0) }) {
        parts.append("sequence id \(safeField(sequenceID))")
    }
    if let sender = event?.senderID { parts.append("claimed sender \(safeField(sender))") }
    if let time = timeText(event?.createdAtMsec) { parts.append(time) }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
}
