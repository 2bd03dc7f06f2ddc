package import XChat
package import XChatEngine
package import XChatEvents

/// Whether an event is verified, otherwise the reason.
package struct Verdict: Sendable {
    private let event: MessageEvent?
    private let reason: XChatError.Code?

    /// Makes the verdict on an event.
    ///
    /// - Parameters:
    ///   - event: The event as it was received, or the error of parsing it.
    ///   - result: The result of opening it.
    package init(_ event: Result<MessageEvent, XChatError>, _ result: Result<Event, XChatError>) {
        guard case .success(let event) = event else {
            (self.event, reason) = (nil, .notAnEvent)
            return
        }
        (self.event, reason) = (event, Self.reason(event, result))
    }

    package var isVerified: Bool { reason == nil }

    /// The reason why an event is not verified, from the error of opening it; nil for a verified event.
    private static func reason(_ event: MessageEvent, _ result: Result<Event, XChatError>) -> XChatError.Code? {
        switch result {
        case .success(let opened): return opened.isVerified ? nil : .neverSigned
        case .failure(let error):
            // Verification comes before decryption, so these errors mean that the event verified but did not decrypt.
            let isOpening = [.authenticationFailed, .malformed, .unsupported, .tooLarge].contains(error.code)
            let lacksKey = error.code == .keyMissing && event.kind == .message
            return isOpening || lacksKey ? nil : error.code
        }
    }

    /// A line of `verify`, with members of the event as they were received.
    package func json(index: Int) -> JSONValue {
        let signature = event?.messageEventSignature
        return [
            "index": .number(index),
            "verified": .bool(isVerified),
            "type": .init(event.map { WireString($0.kind.rawValue) }),
            "sender_id": .init(event?.senderID),
            "public_key_version": .init(signature?.publicKeyVersion),
            "signature_version": .init(signature?.signatureVersion),
            "reason": .init(reason.map { WireString($0.rawValue) }),
        ]
    }
}
