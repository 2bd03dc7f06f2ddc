import XChat
import XChatEngine
import XChatEvents
import XChatText

/// The result of an engine for an event, in the detail that both engines report.
enum Verdict: String {
    case verified
    /// The event is of a kind that is never signed.
    case neverSigned
    /// No signature, no key of its signer, no signed text, or not encrypted: X's SDK has one sentence for all of these.
    case unverifiable
    case versionRefused
    case wrongSignature
    case keyMissing
    case authenticationFailed
    case malformedContents
    case notAnEvent
    case inconsistent
    case notAParticipant
    /// A value has an invalid form or exceeds its limit.
    case invalidValue
    /// There are two different keys under one version.
    case disputedKey
    /// A result that no comparison expects.
    case other

    /// Makes the verdict from an answer of the SDK with its default policy.
    init(_ outcome: Outcome) {
        let known: [(String, Verdict)] = [
            ("signature missing or no matching signing key", .unverifiable), ("is no longer accepted", .versionRefused),
            ("ECDSA mismatch", .wrongSignature), ("verify error", .wrongSignature),
            ("no matching key found", .keyMissing), ("Content parse error", .malformedContents),
            ("Thrift parse error", .notAnEvent), ("Base64 error", .notAnEvent),
            ("Decryption failed", .authenticationFailed),
        ]
        switch outcome {
        case .refused(let text):
            self = known.first { text.contains($0.0) }?.1 ?? .other
        case .returned(.object(let event)):
            switch event["verified"] {
            case .bool(true): self = .verified
            case nil: self = .neverSigned
            default: self = .other
            }
        case .returned:
            self = .other
        }
    }

    /// Makes the verdict from a result of this engine.
    init(_ result: Result<Event, XChatError>, isKeyChange: Bool) {
        switch result {
        case .success(let event): self = event.isVerified ? .verified : .neverSigned
        case .failure(let error):
            switch error.code {
            case .noSignature, .unknownSigner, .notRepresentable, .unencrypted: self = .unverifiable
            // The signed text of a key change ends with the key, so without the key there is no text.
            case .keyMissing: self = isKeyChange ? .unverifiable : .keyMissing
            case .versionRefused: self = .versionRefused
            case .wrongSignature: self = .wrongSignature
            case .authenticationFailed: self = .authenticationFailed
            case .malformed: self = .malformedContents
            case .notAnEvent: self = .notAnEvent
            case .inconsistent: self = .inconsistent
            case .notAParticipant: self = .notAParticipant
            case .invalidValue: self = .invalidValue
            case .disputedKey: self = .disputedKey
            default: self = .other
            }
        }
    }
}

/// The totals of a comparison.
struct Tally {
    private(set) var compared = 0
    private(set) var intended: [String: Int] = [:]
    private(set) var complaints: [String] = []

    mutating func equal() { compared += 1 }

    mutating func differs(_ gap: String) {
        compared += 1
        intended[gap, default: 0] += 1
    }

    mutating func complain(_ text: String) {
        compared += 1
        complaints.append(text)
    }

    /// Prints one line; script/test adds up the numbers of these lines.
    func report() {
        let different = intended.values.reduce(0, +)
        let gaps = intended.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        let equal = compared - different - complaints.count
        let sum = "\(compared) cases compared, \(equal) equal, \(different) different on purpose"
        printLine("conformance: \(sum)\(gaps.isEmpty ? "" : " (\(gaps))")")
    }
}

/// The places where our JSON does not agree with that of the SDK.
///
/// Our JSON must have every member of the SDK's with the same value, and lists of the same length. It may have more
/// members.
func missing(_ theirs: JSONValue, in ours: JSONValue, at place: String = "") -> [String] {
    switch (theirs, ours) {
    case (.object(let theirs), .object(let ours)):
        return theirs.members.flatMap { member -> [String] in
            let place = "\(place).\(member.key)"
            guard let value = ours[member.key] else { return ["\(place): absent, theirs \(member.value.line)"] }
            return missing(member.value, in: value, at: place)
        }
    case (.array(let theirs), .array(let ours)) where theirs.count == ours.count:
        return zip(theirs, ours).enumerated().flatMap { index, pair in
            missing(pair.0, in: pair.1, at: "\(place)[\(index)]")
        }
    default:
        return theirs == ours ? [] : ["\(place): \(ours.line.prefix(200)), theirs \(theirs.line.prefix(200))"]
    }
}
