/// Which fields of an event its sender signed, and which are only the server's word.
///
/// Fields are named by their path in X's names, down to values and lists: `detail.messageCreateEvent.contents`.
public struct SignatureCoverage: Hashable, Sendable {
    /// The fields of the event that its signed text contains.
    public let covered: [String]
    /// The fields of the event that it does not: a server can change them, and the signature still verifies.
    public let uncovered: [String]
}

extension MessageEvent {
    /// Which fields of this event its signature covers: `docs/protocol.md`, "Signed texts".
    ///
    /// It says what a signature of the named version covers, not whether the event's own signature verifies. Fields
    /// that the schema does not know are left out on decoding, and so are not listed; nothing covers them.
    /// Nil for a kind that is never signed, and for an event with more fields than can be listed.
    public var signatureCoverage: SignatureCoverage? {
        (try? StructureNode(describing: encoded(), as: Self.self)).flatMap { signatureCoverage(in: $0) }
    }

    /// The same over all that was received: `structure` describes the bytes that this event was decoded from.
    package func signatureCoverage(in structure: StructureNode) -> SignatureCoverage? {
        guard kind.isSigned, let detail else { return nil }
        let version = (try? SignatureVersion(messageEventSignature?.signatureVersion)) ?? .current
        var text = PayloadText(recordsFields: true)
        try? text.write(self, detail, version: version.number)
        let signed = text.fields ?? []

        // The signature cannot cover itself, and says so without being listed.
        let others = structure.leaves().filter { $0 != "message_event_signature.signature" }
        return SignatureCoverage(
            covered: others.filter(signed.contains),
            uncovered: others.filter { !signed.contains($0) }
        )
    }
}

extension StructureNode {
    /// The paths of all values and lists below this struct, in X's names or, where it has none, as `#number`.
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
