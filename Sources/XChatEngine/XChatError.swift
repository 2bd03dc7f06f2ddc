import XChatEvents

/// The reason why the engine refused: a stable code to match on, and a sentence for people.
///
/// The message names the value concerned (a field, a version, a user id). It never contains input bytes, plaintext or a
/// secret. A failed decryption gives only ``Code/authenticationFailed``.
public struct XChatError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure.
    ///
    /// The raw values are the words that `xchat decrypt` and `xchat verify` print.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The word as it is printed.
        public let rawValue: String

        /// Creates a code from its word.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The input is not base64 of one Thrift `MessageEvent`.
        public static let notAnEvent = Code(rawValue: "not_an_event")
        /// The event has no signature.
        public static let noSignature = Code(rawValue: "no_signature")
        /// No trusted signing key of the sender has the version that the signature names.
        public static let unknownSigner = Code(rawValue: "unknown_signer")
        /// The signature does not verify under any trusted key of the sender and version.
        public static let wrongSignature = Code(rawValue: "wrong_signature")
        /// The event cannot be written as a signed text: a required member is missing or one contains a comma.
        public static let notRepresentable = Code(rawValue: "not_representable")
        /// The signature version is below 2.
        public static let versionRefused = Code(rawValue: "version_refused")
        /// A conversation key that the operation needs is not known.
        public static let keyMissing = Code(rawValue: "key_missing")
        /// The message is not encrypted.
        public static let unencrypted = Code(rawValue: "unencrypted")
        /// The signed text of the event can be read in two ways, or the event contradicts itself.
        public static let inconsistent = Code(rawValue: "inconsistent")
        /// The sender does not belong to the conversation.
        public static let notAParticipant = Code(rawValue: "not_a_participant")
        /// Events of this kind are never signed.
        public static let neverSigned = Code(rawValue: "never_signed")
        /// A ciphertext did not authenticate.
        public static let authenticationFailed = Code(rawValue: "authentication_failed")
        /// A value, or data that authenticated, is damaged or malformed.
        public static let malformed = Code(rawValue: "malformed")
        /// A value of an event, such as an id or a version, is malformed or over its limit.
        public static let invalidValue = Code(rawValue: "invalid_value")
        /// A value is larger than the limit that the message names.
        public static let tooLarge = Code(rawValue: "too_large")
        /// A value is well formed, but of a kind that this version does not know; or libsodium cannot be used.
        public static let unsupported = Code(rawValue: "unsupported")
        /// A key belongs to no known suite or is not on its curve, or its binding signature does not verify.
        public static let invalidKey = Code(rawValue: "invalid_key")
        /// A key belongs to another cipher suite than the one needed.
        public static let wrongSuite = Code(rawValue: "wrong_suite")
        /// The keys served for a user differ from the pinned ones.
        public static let pinChanged = Code(rawValue: "pin_changed")
        /// The served keys of a user do not include the current pin, only retired keys or keys that failed a check.
        public static let pinRolledBack = Code(rawValue: "pin_rolled_back")
        /// The keys served for a user failed an earlier check by a person.
        public static let pinRejected = Code(rawValue: "pin_rejected")
        /// The conversation key is older than a removal or than new public keys of a participant, or users who are not
        /// members have it; rotate it first.
        public static let rotationNeeded = Code(rawValue: "rotation_needed")
        /// Two different keys were announced under the version.
        public static let disputedKey = Code(rawValue: "disputed_key")
        /// No signature proves the member list of the group, or signatures contradict each other; a person must accept
        /// a list first.
        public static let membershipUnproven = Code(rawValue: "membership_unproven")
        /// A signed change of the group waits until its signer's keys are accepted, or the membership log is full.
        public static let membershipUnjudged = Code(rawValue: "membership_unjudged")
        /// Encrypting the message again would give it to people who could not read it when it was sealed.
        public static let membersChanged = Code(rawValue: "members_changed")
        /// The operation needs private keys, or the version under which they are registered, and they are missing.
        public static let notUnlocked = Code(rawValue: "not_unlocked")
        /// An argument is invalid.
        public static let invalidArgument = Code(rawValue: "invalid_argument")
    }

    /// The kind of failure, to match on.
    public let code: Code
    /// What happened and where, in one sentence.
    public let message: String

    /// Creates an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The code and the message.
    public var description: String { "\(code.rawValue): \(message)" }
}

extension XChatError {
    init(_ error: EventError, as code: Code, in place: String) {
        self.init(code, "\(place): \(error)")
    }
}
