/// Why an event has no signed text.
public enum PayloadError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Events of this kind are never signed.
    case neverSigned
    /// The kind of event is signed, but its variant is unknown or has no signed text. Names the field of the variant.
    case noSignedForm(String)
    /// A field that the signed text needs is absent. Names the field.
    case missing(String)
    /// A field contains a comma, which would split it into two components. Names the field.
    case comma(String)

    /// The field, by X's name, and the rule that it breaks.
    public var description: String {
        switch self {
        case .neverSigned: "events of this kind are never signed"
        case .noSignedForm(let field): "\(field): this variant has no signed text"
        case .missing(let field): "\(field): absent, but the signed text needs it"
        case .comma(let field): "\(field): contains a comma, which separates parts of the signed text; remove it"
        }
    }
}
