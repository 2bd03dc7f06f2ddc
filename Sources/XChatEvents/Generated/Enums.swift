// generated from xchat.thrift by script/generate-events; change the IDL, not this file

/// What an operation on a group's ratchet tree did.
///
/// Unknown numbers are preserved.
package struct GroupOpType: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    package let rawValue: Int32

    /// Makes a value from its number, which may be unknown.
    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// 1, `GenGroup`.
    package static let genGroup = Self(rawValue: 1)
    /// 6, `Edit`.
    package static let edit = Self(rawValue: 6)

    /// X's name of the value, or nil if the number is unknown.
    package var name: String? {
        switch rawValue {
        case 1: "GenGroup"
        case 6: "Edit"
        default: nil
        }
    }
}

extension GroupOpType: WireEnum {}

/// The queue that the server puts an event into.
///
/// Unknown numbers are preserved.
public struct EventQueuePriority: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: Int32

    /// Makes a value from its number, which may be unknown.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// 1, `A`.
    public static let a = Self(rawValue: 1)
    /// 2, `B`.
    public static let b = Self(rawValue: 2)
    /// 3, `C`.
    public static let c = Self(rawValue: 3)
    /// 4, `D`.
    public static let d = Self(rawValue: 4)
    /// 5, `E`.
    public static let e = Self(rawValue: 5)

    /// X's name of the value, or nil if the number is unknown.
    public var name: String? {
        switch rawValue {
        case 1: "A"
        case 2: "B"
        case 3: "C"
        case 4: "D"
        case 5: "E"
        default: nil
        }
    }
}

extension EventQueuePriority: WireEnum {}

/// What a recipient is asked to do in addition to showing a message.
///
/// Unknown numbers are preserved.
public struct AdditionalAction: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: Int32

    /// Makes a value from its number, which may be unknown.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// 0, `FETCH_CONV_IF_MISSING_CKEY`.
    public static let fetchConvIfMissingCkey = Self(rawValue: 0)

    /// X's name of the value, or nil if the number is unknown.
    public var name: String? {
        switch rawValue {
        case 0: "FETCH_CONV_IF_MISSING_CKEY"
        default: nil
        }
    }
}

extension AdditionalAction: WireEnum {}

/// Why the server refused an event.
///
/// Unknown numbers are preserved.
public struct FailureType: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: Int32

    /// Makes a value from its number, which may be unknown.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// 1, `EMPTY_DETAIL`.
    public static let emptyDetail = Self(rawValue: 1)
    /// 2, `INTERNAL_ERROR`.
    public static let internalError = Self(rawValue: 2)
    /// 3, `CONTENTS_TOO_LARGE`.
    public static let contentsTooLarge = Self(rawValue: 3)
    /// 4, `TOO_MANY_MESSAGES`.
    public static let tooManyMessages = Self(rawValue: 4)
    /// 5, `INVALID_SENDER_SIGNATURE`.
    public static let invalidSenderSignature = Self(rawValue: 5)
    /// 6, `NON_LATEST_CKEY_VERSION`.
    public static let nonLatestCkeyVersion = Self(rawValue: 6)
    /// 7, `RECIPIENT_HAS_NOT_TRUSTED_CONVERSATION`.
    public static let recipientHasNotTrustedConversation = Self(rawValue: 7)
    /// 8, `RECIPIENT_KEY_HAS_CHANGED`.
    public static let recipientKeyHasChanged = Self(rawValue: 8)
    /// 9, `ONLY_ENCRYPTED_MESSAGES_ALLOWED`.
    public static let onlyEncryptedMessagesAllowed = Self(rawValue: 9)
    /// 10, `REQUESTER_NOT_ADMIN`.
    public static let requesterNotAdmin = Self(rawValue: 10)
    /// 11, `FLAGGED_AS_SPAM`.
    public static let flaggedAsSpam = Self(rawValue: 11)
    /// 12, `RATE_LIMIT_UPSELL`.
    public static let rateLimitUpsell = Self(rawValue: 12)
    /// 13, `SIGNATURE_FAILED_TO_VERIFY_AGAINST_PUBLIC_KEY`.
    public static let signatureFailedToVerifyAgainstPublicKey = Self(rawValue: 13)
    /// 14, `GENERIC_ERROR`.
    public static let genericError = Self(rawValue: 14)
    /// 15, `SENDER_NOT_GROUP_MEMBER`.
    public static let senderNotGroupMember = Self(rawValue: 15)
    /// 16, `INVALID_SIGNATURE_VERSION`.
    public static let invalidSignatureVersion = Self(rawValue: 16)
    /// 17, `INVALID_PIN_REQUEST`.
    public static let invalidPinRequest = Self(rawValue: 17)
    /// 18, `TOO_MANY_PINS`.
    public static let tooManyPins = Self(rawValue: 18)

    /// X's name of the value, or nil if the number is unknown.
    public var name: String? {
        switch rawValue {
        case 1: "EMPTY_DETAIL"
        case 2: "INTERNAL_ERROR"
        case 3: "CONTENTS_TOO_LARGE"
        case 4: "TOO_MANY_MESSAGES"
        case 5: "INVALID_SENDER_SIGNATURE"
        case 6: "NON_LATEST_CKEY_VERSION"
        case 7: "RECIPIENT_HAS_NOT_TRUSTED_CONVERSATION"
        case 8: "RECIPIENT_KEY_HAS_CHANGED"
        case 9: "ONLY_ENCRYPTED_MESSAGES_ALLOWED"
        case 10: "REQUESTER_NOT_ADMIN"
        case 11: "FLAGGED_AS_SPAM"
        case 12: "RATE_LIMIT_UPSELL"
        case 13: "SIGNATURE_FAILED_TO_VERIFY_AGAINST_PUBLIC_KEY"
        case 14: "GENERIC_ERROR"
        case 15: "SENDER_NOT_GROUP_MEMBER"
        case 16: "INVALID_SIGNATURE_VERSION"
        case 17: "INVALID_PIN_REQUEST"
        case 18: "TOO_MANY_PINS"
        default: nil
        }
    }
}

extension FailureType: WireEnum {}

/// The account tier whose limit a sender hit.
///
/// Unknown numbers are preserved.
public struct RateLimitTier: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: Int32

    /// Makes a value from its number, which may be unknown.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// 1, `FREE`.
    public static let free = Self(rawValue: 1)
    /// 2, `VERIFIED_PHONE`.
    public static let verifiedPhone = Self(rawValue: 2)
    /// 3, `PREMIUM`.
    public static let premium = Self(rawValue: 3)
    /// 4, `PREMIUM_PLUS`.
    public static let premiumPlus = Self(rawValue: 4)
    /// 5, `PREMIUM_BUSINESS`.
    public static let premiumBusiness = Self(rawValue: 5)

    /// X's name of the value, or nil if the number is unknown.
    public var name: String? {
        switch rawValue {
        case 1: "FREE"
        case 2: "VERIFIED_PHONE"
        case 3: "PREMIUM"
        case 4: "PREMIUM_PLUS"
        case 5: "PREMIUM_BUSINESS"
        default: nil
        }
    }
}

extension RateLimitTier: WireEnum {}

/// For whom messages are deleted.
///
/// Unknown numbers are preserved.
public struct DeleteMessageAction: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: Int32

    /// Makes a value from its number, which may be unknown.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// 1, `DELETE_FOR_SELF`.
    public static let deleteForSelf = Self(rawValue: 1)
    /// 2, `DELETE_FOR_ALL`.
    public static let deleteForAll = Self(rawValue: 2)

    /// X's name of the value, or nil if the number is unknown.
    public var name: String? {
        switch rawValue {
        case 1: "DELETE_FOR_SELF"
        case 2: "DELETE_FOR_ALL"
        default: nil
        }
    }
}

extension DeleteMessageAction: WireEnum {}

/// How the server delivered an event.
///
/// Unknown numbers are preserved.
public struct MessageEventRelaySource: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: Int32

    /// Makes a value from its number, which may be unknown.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// 0, `LiveFanout`.
    public static let liveFanout = Self(rawValue: 0)
    /// 1, `MessagePull`.
    public static let messagePull = Self(rawValue: 1)
    /// 2, `LegacyFanout`.
    public static let legacyFanout = Self(rawValue: 2)
    /// 3, `ReboundEvent`.
    public static let reboundEvent = Self(rawValue: 3)

    /// X's name of the value, or nil if the number is unknown.
    public var name: String? {
        switch rawValue {
        case 0: "LiveFanout"
        case 1: "MessagePull"
        case 2: "LegacyFanout"
        case 3: "ReboundEvent"
        default: nil
        }
    }
}

extension MessageEventRelaySource: WireEnum {}

/// The state of the enrolment of a device.
///
/// Unknown numbers are preserved.
package struct DeviceEnrollmentStatus: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    package let rawValue: Int32

    /// Makes a value from its number, which may be unknown.
    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// 0, `PENDING_ACCEPTANCE`.
    package static let pendingAcceptance = Self(rawValue: 0)
    /// 1, `ACCEPTED`.
    package static let accepted = Self(rawValue: 1)
    /// 2, `KEY_EXCHANGED`.
    package static let keyExchanged = Self(rawValue: 2)
    /// 3, `KEYS_SENT`.
    package static let keysSent = Self(rawValue: 3)
    /// 4, `COMPLETED`.
    package static let completed = Self(rawValue: 4)
    /// 5, `DENIED`.
    package static let denied = Self(rawValue: 5)

    /// X's name of the value, or nil if the number is unknown.
    package var name: String? {
        switch rawValue {
        case 0: "PENDING_ACCEPTANCE"
        case 1: "ACCEPTED"
        case 2: "KEY_EXCHANGED"
        case 3: "KEYS_SENT"
        case 4: "COMPLETED"
        case 5: "DENIED"
        default: nil
        }
    }
}

extension DeviceEnrollmentStatus: WireEnum {}

/// How a screen was captured.
///
/// Unknown numbers are preserved.
public struct ScreenCaptureType: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: Int32

    /// Makes a value from its number, which may be unknown.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// 1, `SCREENSHOT`.
    public static let screenshot = Self(rawValue: 1)
    /// 2, `RECORDING`.
    public static let recording = Self(rawValue: 2)

    /// X's name of the value, or nil if the number is unknown.
    public var name: String? {
        switch rawValue {
        case 1: "SCREENSHOT"
        case 2: "RECORDING"
        default: nil
        }
    }
}

extension ScreenCaptureType: WireEnum {}

/// Where in X's apps a message was written.
///
/// Unknown numbers are preserved.
public struct SentFromSurface: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: Int32

    /// Makes a value from its number, which may be unknown.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// 1, `CONVERSATION_SCREEN_COMPOSER`.
    public static let conversationScreenComposer = Self(rawValue: 1)
    /// 2, `NOTIFICATION_REPLY`.
    public static let notificationReply = Self(rawValue: 2)
    /// 3, `SHARE_SHEET`.
    public static let shareSheet = Self(rawValue: 3)
    /// 4, `PAYMENTS_SUPPORT_COMPOSER`.
    public static let paymentsSupportComposer = Self(rawValue: 4)
    /// 5, `MESSAGE_FORWARD_SHEET`.
    public static let messageForwardSheet = Self(rawValue: 5)

    /// X's name of the value, or nil if the number is unknown.
    public var name: String? {
        switch rawValue {
        case 1: "CONVERSATION_SCREEN_COMPOSER"
        case 2: "NOTIFICATION_REPLY"
        case 3: "SHARE_SHEET"
        case 4: "PAYMENTS_SUPPORT_COMPOSER"
        case 5: "MESSAGE_FORWARD_SHEET"
        default: nil
        }
    }
}

extension SentFromSurface: WireEnum {}

/// The kind of a media file.
///
/// Unknown numbers are preserved.
public struct MediaType: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: Int32

    /// Makes a value from its number, which may be unknown.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// 1, `IMAGE`.
    public static let image = Self(rawValue: 1)
    /// 2, `GIF`.
    public static let gif = Self(rawValue: 2)
    /// 3, `VIDEO`.
    public static let video = Self(rawValue: 3)
    /// 4, `AUDIO`.
    public static let audio = Self(rawValue: 4)
    /// 5, `FILE`.
    public static let file = Self(rawValue: 5)
    /// 6, `SVG`.
    public static let svg = Self(rawValue: 6)

    /// X's name of the value, or nil if the number is unknown.
    public var name: String? {
        switch rawValue {
        case 1: "IMAGE"
        case 2: "GIF"
        case 3: "VIDEO"
        case 4: "AUDIO"
        case 5: "FILE"
        case 6: "SVG"
        default: nil
        }
    }
}

extension MediaType: WireEnum {}
