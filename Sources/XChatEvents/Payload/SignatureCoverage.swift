/// The fields of an event that its sender signed, and those that only the server vouches for.
///
/// Fields are named by their path in X's names, down to values and lists: `detail.messageCreateEvent.contents`.
public struct SignatureCoverage: Hashable, Sendable {
    /// The fields that the signed text contains.
    public let covered: [String]
    /// The other fields: if a server changes them, the signature still verifies.
    public let uncovered: [String]
}

extension MessageEvent {
    /// The fields that a signature of this event covers; see `docs/protocol.md`, "Signed texts".
    ///
    /// The answer depends on the signature version that the event names. The signature itself is not verified. Fields
    /// that the schema does not know are dropped when an event is decoded, so they are not listed; no signature covers
    /// them. Nil for a kind that is never signed, and for an event with more fields than can be listed.
    public var signatureCoverage: SignatureCoverage? {
        (try? StructureNode(describing: encoded(), as: Self.self)).flatMap { signatureCoverage(in: $0) }
    }

    /// Like ``signatureCoverage``, but also lists the fields that the schema does not know.
    ///
    /// - Parameter structure: The description of the bytes of this event as received.
    /// - Returns: The fields; nil for a kind that is never signed.
    package func signatureCoverage(in structure: StructureNode) -> SignatureCoverage? {
        guard kind.isSigned, let detail else { return nil }
        let version = (try? SignatureVersion(messageEventSignature?.signatureVersion)) ?? .current
        var text = PayloadText(recordsFields: true)
        try? text.write(self, detail, version: version.number)
        let signed = text.fields ?? []

        // A signature cannot cover itself, so it is not listed.
        let others = structure.leaves().filter { $0 != "message_event_signature.signature" }
        return SignatureCoverage(
            covered: others.filter(signed.contains),
            uncovered: others.filter { !signed.contains($0) }
        )
    }
}

extension StructureNode {
    /// The paths of all values and lists below this struct.
    ///
    /// A field without a name of X's appears as `#number`.
    fileprivate func leaves() -> [String] {
        guard case .children(let fields) = content else { return [] }
        return fields.flatMap { field -> [String] in
            let name = field.name ?? "#\(field.fieldID ?? 0)"
            guard case .children(let inner) = field.content else { return [name] }
            if inner.first?.fieldID != nil { return field.leaves().map { "\(name).\($0)" } }
            // A list is one value here: its elements are signed together or not at all, except for their unknown
            // fields.
            var seen: Set<String> = []
            let unknown = inner.flatMap { $0.leaves() }.filter { path in
                path.utf8.contains(UInt8(ascii: "#")) && seen.insert(path).inserted
            }
            return [name] + unknown.map { "\(name)[].\($0)" }
        }
    }
}
