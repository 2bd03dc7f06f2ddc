package import XChat
import XChatEngine
import XChatEvents

/// The structure of an event, its signed text and the fields that a signature covers; no key is needed.
package struct InspectedEvent {
    private let structure: StructureNode
    private let payload: Result<SignedPayload, AccountError>
    private let coverage: SignatureCoverage?

    /// Reads an event.
    ///
    /// - Parameters:
    ///   - line: Its base64.
    ///   - name: The name of the event in errors.
    /// - Throws: If the line is too long, not base64, or not a Thrift structure.
    package init(_ line: EventLines.Line, name: String) throws(AccountError) {
        guard case .text(let text) = line else {
            throw AccountError("\(name): the line is longer than \(EventLines.maximumLineBytes) bytes")
        }
        do {
            let bytes = try Base64.decode(text)
            structure = try StructureNode(describing: bytes, as: MessageEvent.self)
            let event = Result { try MessageEvent(decoding: bytes) }
            payload = Self.payload(of: event)
            // Computed from the received structure: decoding drops unknown fields, which are not signed either.
            coverage = try? event.get().signatureCoverage(in: structure)
        } catch {
            throw AccountError("\(name): \(error)")
        }
    }

    private static func payload(of event: Result<MessageEvent, any Error>) -> Result<SignedPayload, AccountError> {
        do {
            let event = try event.get()
            let version = try SignatureVersion(event.messageEventSignature?.signatureVersion)
            return .success(try SignedPayload(of: event, version: version))
        } catch {
            return .failure(AccountError("\(error)"))
        }
    }

    /// The signed text, with a placeholder for the conversation key at its end, which only members know.
    private var signedText: Result<String, AccountError> {
        payload.map { payload in
            String(decoding: payload.bytes, as: UTF8.self)
                + (payload.endsWithConversationKey ? "<conversation key>" : "")
        }
    }

    /// Structure, signed text, and which fields the signature covers.
    package var json: JSONValue {
        var json: JSONObject = ["structure": structureJSON(structure), "signed_payload": nil]
        switch signedText {
        case .success(let text): json["signed_payload"] = .string(text)
        case .failure(let error): json["signed_payload_error"] = .string(error.description)
        }
        if let coverage {
            json["covered_fields"] = .array(coverage.covered.map { .string(WireString($0)) })
            json["uncovered_fields"] = .array(coverage.uncovered.map { .string(WireString($0)) })
        }
        return .object(json)
    }

    /// The same values as text for people.
    package var text: String {
        let signed =
            switch signedText {
            case .success(let text): "signed payload: \(visible(text))"
            case .failure(let error): "no signed payload: \(visible(error.description))"
            }
        let uncovered = coverage.map { "not covered by the signature: \($0.uncovered.joined(separator: ", "))\n" } ?? ""
        return structureText(structure) + uncovered + signed
    }
}
