/// Why an event has no signed text.
public enum PayloadError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Events of this kind are never signed.
    case neverSigned
    /// This variant of a signed kind is new or has no signed text; the field that holds it.
    case noSignedForm(String)
    /// A member of the event that the signed text needs is absent.
    case missing(String)
    /// A member contains a comma, which would read as two components.
    case comma(String)

    /// What is wrong, by X's names of the fields.
    public var description: String {
        switch self {
        case .neverSigned: "events of this kind are never signed"
        case .noSignedForm(let field): "\(field): this variant has no signed text"
        case .missing(let field): "\(field): absent, but part of the signed text"
        case .comma(let field): "\(field): a comma cannot be signed"
        }
    }
}
