// generated from xchat.thrift by script/generate-events; change the IDL, not this file

package import ThriftBinary

/// A conversation key, wrapped for one participant.
public struct ConversationParticipantKey: Hashable, Sendable {
    /// Field 1, `user_id`.
    public var userID: UserID?
    /// Field 2, `encrypted_conversation_key`: base64.
    public var encryptedConversationKey: WireString?
    /// Field 3, `public_key_version`.
    public var publicKeyVersion: KeyVersion?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        userID: UserID? = nil,
        encryptedConversationKey: WireString? = nil,
        publicKeyVersion: KeyVersion? = nil
    ) {
        self.userID = userID
        self.encryptedConversationKey = encryptedConversationKey
        self.publicKeyVersion = publicKeyVersion
    }
}

extension ConversationParticipantKey: WireStruct {
    package static let schema = StructSchema(
        struct: "ConversationParticipantKey",
        [
            FieldSchema(1, "user_id", .string),
            FieldSchema(2, "encrypted_conversation_key", .string),
            FieldSchema(3, "public_key_version", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: userID = try reader.read(UserID.self, field)
                case 2: encryptedConversationKey = try reader.read(WireString.self, field)
                case 3: publicKeyVersion = try reader.read(KeyVersion.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(userID, as: UserID.self, id: 1)
        writer.write(encryptedConversationKey, as: WireString.self, id: 2)
        writer.write(publicKeyVersion, as: KeyVersion.self, id: 3)
        writer.stop()
    }
}

/// A new conversation key, wrapped for each participant.
public struct ConversationKeyChangeEvent: Hashable, Sendable {
    /// Field 1, `conversation_key_version`.
    public var conversationKeyVersion: KeyVersion?
    /// Field 2, `conversation_participant_keys`.
    public var conversationParticipantKeys: [ConversationParticipantKey]?
    /// Field 4, `ratchet_tree_change`.
    public var ratchetTreeChange: Encoded<GroupOpData>?
    /// Field 5, `for_key_rotation`.
    public var forKeyRotation: Bool?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        conversationKeyVersion: KeyVersion? = nil,
        conversationParticipantKeys: [ConversationParticipantKey]? = nil,
        ratchetTreeChange: Encoded<GroupOpData>? = nil,
        forKeyRotation: Bool? = nil
    ) {
        self.conversationKeyVersion = conversationKeyVersion
        self.conversationParticipantKeys = conversationParticipantKeys
        self.ratchetTreeChange = ratchetTreeChange
        self.forKeyRotation = forKeyRotation
    }
}

extension ConversationKeyChangeEvent: WireStruct {
    package static let schema = StructSchema(
        struct: "ConversationKeyChangeEvent",
        [
            FieldSchema(1, "conversation_key_version", .string),
            FieldSchema(2, "conversation_participant_keys", .list(.structure(ConversationParticipantKey.self))),
            FieldSchema(4, "ratchet_tree_change", .structure(GroupOpData.self)),
            FieldSchema(5, "for_key_rotation", .bool),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: conversationKeyVersion = try reader.read(KeyVersion.self, field)
                case 2: conversationParticipantKeys = try reader.read(ListOf<ConversationParticipantKey>.self, field)
                case 4: ratchetTreeChange = try reader.read(Encoded<GroupOpData>.self, field)
                case 5: forKeyRotation = try reader.read(Bool.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(conversationKeyVersion, as: KeyVersion.self, id: 1)
        writer.write(conversationParticipantKeys, as: ListOf<ConversationParticipantKey>.self, id: 2)
        writer.write(ratchetTreeChange, as: Encoded<GroupOpData>.self, id: 4)
        writer.write(forKeyRotation, as: Bool.self, id: 5)
        writer.stop()
    }
}

/// A user is typing.
public struct MessageTypingEvent: Hashable, Sendable {
    /// Field 1, `conversation_id`.
    public var conversationID: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(conversationID: WireString? = nil) {
        self.conversationID = conversationID
    }
}

extension MessageTypingEvent: WireStruct {
    package static let schema = StructSchema(
        struct: "MessageTypingEvent",
        [
            FieldSchema(1, "conversation_id", .string)
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: conversationID = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(conversationID, as: WireString.self, id: 1)
        writer.stop()
    }
}

/// The server refused an event.
public struct MessageFailureEvent: Hashable, Sendable {
    /// Field 1, `failure_type`.
    public var failureType: FailureType?
    /// Field 2, `rate_limit_tier`.
    public var rateLimitTier: RateLimitTier?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(failureType: FailureType? = nil, rateLimitTier: RateLimitTier? = nil) {
        self.failureType = failureType
        self.rateLimitTier = rateLimitTier
    }
}

extension MessageFailureEvent: WireStruct {
    package static let schema = StructSchema(
        struct: "MessageFailureEvent",
        [
            FieldSchema(1, "failure_type", .enumeration(FailureType.self)),
            FieldSchema(2, "rate_limit_tier", .enumeration(RateLimitTier.self)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: failureType = try reader.read(FailureType.self, field)
                case 2: rateLimitTier = try reader.read(RateLimitTier.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(failureType, as: FailureType.self, id: 1)
        writer.write(rateLimitTier, as: RateLimitTier.self, id: 2)
        writer.stop()
    }
}

/// Messages deleted.
public struct MessageDeleteEvent: Hashable, Sendable {
    /// Field 1, `sequence_ids`.
    public var sequenceIDs: [SequenceID]?
    /// Field 2, `delete_message_action`.
    public var deleteMessageAction: DeleteMessageAction?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(sequenceIDs: [SequenceID]? = nil, deleteMessageAction: DeleteMessageAction? = nil) {
        self.sequenceIDs = sequenceIDs
        self.deleteMessageAction = deleteMessageAction
    }
}

extension MessageDeleteEvent: WireStruct {
    package static let schema = StructSchema(
        struct: "MessageDeleteEvent",
        [
            FieldSchema(1, "sequence_ids", .list(.string)),
            FieldSchema(2, "delete_message_action", .enumeration(DeleteMessageAction.self)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: sequenceIDs = try reader.read(ListOf<SequenceID>.self, field)
                case 2: deleteMessageAction = try reader.read(DeleteMessageAction.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(sequenceIDs, as: ListOf<SequenceID>.self, id: 1)
        writer.write(deleteMessageAction, as: DeleteMessageAction.self, id: 2)
        writer.stop()
    }
}

/// How much of a conversation is cleared.
public struct ClearConversationOptions: Hashable, Sendable {
    /// Field 1, `clear_all_messages`.
    public var clearAllMessages: Bool?
    /// Field 2, `sort_order_msec`.
    public var sortOrderMsec: Int64?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(clearAllMessages: Bool? = nil, sortOrderMsec: Int64? = nil) {
        self.clearAllMessages = clearAllMessages
        self.sortOrderMsec = sortOrderMsec
    }
}

extension ClearConversationOptions: WireStruct {
    package static let schema = StructSchema(
        struct: "ClearConversationOptions",
        [
            FieldSchema(1, "clear_all_messages", .bool),
            FieldSchema(2, "sort_order_msec", .i64),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: clearAllMessages = try reader.read(Bool.self, field)
                case 2: sortOrderMsec = try reader.read(Int64.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(clearAllMessages, as: Bool.self, id: 1)
        writer.write(sortOrderMsec, as: Int64.self, id: 2)
        writer.stop()
    }
}

/// A conversation deleted.
public struct ConversationDeleteEvent: Hashable, Sendable {
    /// Field 1, `conversation_id`.
    public var conversationID: WireString?
    /// Field 2, `clear_conversation_options`.
    public var clearConversationOptions: ClearConversationOptions?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(conversationID: WireString? = nil, clearConversationOptions: ClearConversationOptions? = nil) {
        self.conversationID = conversationID
        self.clearConversationOptions = clearConversationOptions
    }
}

extension ConversationDeleteEvent: WireStruct {
    package static let schema = StructSchema(
        struct: "ConversationDeleteEvent",
        [
            FieldSchema(1, "conversation_id", .string),
            FieldSchema(2, "clear_conversation_options", .structure(ClearConversationOptions.self)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: conversationID = try reader.read(WireString.self, field)
                case 2: clearConversationOptions = try reader.read(ClearConversationOptions.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(conversationID, as: WireString.self, id: 1)
        writer.write(clearConversationOptions, as: ClearConversationOptions.self, id: 2)
        writer.stop()
    }
}

/// Messages vanish after a time.
public struct MessageDurationChange: Hashable, Sendable {
    /// Field 1, `ttl_msec`.
    public var ttlMsec: Int64?
    /// Field 2, `apply_to_all_messages`.
    public var applyToAllMessages: Bool?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(ttlMsec: Int64? = nil, applyToAllMessages: Bool? = nil) {
        self.ttlMsec = ttlMsec
        self.applyToAllMessages = applyToAllMessages
    }
}

extension MessageDurationChange: WireStruct {
    package static let schema = StructSchema(
        struct: "MessageDurationChange",
        [
            FieldSchema(1, "ttl_msec", .i64),
            FieldSchema(2, "apply_to_all_messages", .bool),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: ttlMsec = try reader.read(Int64.self, field)
                case 2: applyToAllMessages = try reader.read(Bool.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(ttlMsec, as: Int64.self, id: 1)
        writer.write(applyToAllMessages, as: Bool.self, id: 2)
        writer.stop()
    }
}

/// Messages no longer vanish.
public struct MessageDurationRemove: Hashable, Sendable {
    /// Field 1, `current_ttl_msec`.
    public var currentTTLMsec: Int64?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(currentTTLMsec: Int64? = nil) {
        self.currentTTLMsec = currentTTLMsec
    }
}

extension MessageDurationRemove: WireStruct {
    package static let schema = StructSchema(
        struct: "MessageDurationRemove",
        [
            FieldSchema(1, "current_ttl_msec", .i64)
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: currentTTLMsec = try reader.read(Int64.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(currentTTLMsec, as: Int64.self, id: 1)
        writer.stop()
    }
}

/// Conversations muted.
public struct MuteConversation: Hashable, Sendable {
    /// Field 1, `muted_conversation_ids`.
    public var mutedConversationIDs: [WireString]?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(mutedConversationIDs: [WireString]? = nil) {
        self.mutedConversationIDs = mutedConversationIDs
    }
}

extension MuteConversation: WireStruct {
    package static let schema = StructSchema(
        struct: "MuteConversation",
        [
            FieldSchema(1, "muted_conversation_ids", .list(.string))
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: mutedConversationIDs = try reader.read(ListOf<WireString>.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(mutedConversationIDs, as: ListOf<WireString>.self, id: 1)
        writer.stop()
    }
}

/// Conversations unmuted.
public struct UnmuteConversation: Hashable, Sendable {
    /// Field 1, `unmuted_conversation_ids`.
    public var unmutedConversationIDs: [WireString]?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(unmutedConversationIDs: [WireString]? = nil) {
        self.unmutedConversationIDs = unmutedConversationIDs
    }
}

extension UnmuteConversation: WireStruct {
    package static let schema = StructSchema(
        struct: "UnmuteConversation",
        [
            FieldSchema(1, "unmuted_conversation_ids", .list(.string))
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: unmutedConversationIDs = try reader.read(ListOf<WireString>.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(unmutedConversationIDs, as: ListOf<WireString>.self, id: 1)
        writer.stop()
    }
}

/// Screen captures are reported from now on.
public struct EnableScreenCaptureDetection: Hashable, Sendable {
    /// Field 1, `placeholder`.
    public var placeholder: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(placeholder: WireString? = nil) {
        self.placeholder = placeholder
    }
}

extension EnableScreenCaptureDetection: WireStruct {
    package static let schema = StructSchema(
        struct: "EnableScreenCaptureDetection",
        [
            FieldSchema(1, "placeholder", .string)
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: placeholder = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(placeholder, as: WireString.self, id: 1)
        writer.stop()
    }
}

/// Screen captures are not reported any more.
public struct DisableScreenCaptureDetection: Hashable, Sendable {
    /// Field 1, `placeholder`.
    public var placeholder: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(placeholder: WireString? = nil) {
        self.placeholder = placeholder
    }
}

extension DisableScreenCaptureDetection: WireStruct {
    package static let schema = StructSchema(
        struct: "DisableScreenCaptureDetection",
        [
            FieldSchema(1, "placeholder", .string)
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: placeholder = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(placeholder, as: WireString.self, id: 1)
        writer.stop()
    }
}

/// Screen captures are blocked from now on.
public struct EnableScreenCaptureBlocking: Hashable, Sendable {
    /// Field 1, `placeholder`.
    public var placeholder: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(placeholder: WireString? = nil) {
        self.placeholder = placeholder
    }
}

extension EnableScreenCaptureBlocking: WireStruct {
    package static let schema = StructSchema(
        struct: "EnableScreenCaptureBlocking",
        [
            FieldSchema(1, "placeholder", .string)
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: placeholder = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(placeholder, as: WireString.self, id: 1)
        writer.stop()
    }
}

/// Screen captures are not blocked any more.
public struct DisableScreenCaptureBlocking: Hashable, Sendable {
    /// Field 1, `placeholder`.
    public var placeholder: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(placeholder: WireString? = nil) {
        self.placeholder = placeholder
    }
}

extension DisableScreenCaptureBlocking: WireStruct {
    package static let schema = StructSchema(
        struct: "DisableScreenCaptureBlocking",
        [
            FieldSchema(1, "placeholder", .string)
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: placeholder = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(placeholder, as: WireString.self, id: 1)
        writer.stop()
    }
}

/// One change of a conversation's settings.
public enum ConversationMetadataChange: Hashable, Sendable {
    /// Field 1, `message_duration_change`.
    case messageDurationChange(MessageDurationChange)
    /// Field 2, `message_duration_remove`.
    case messageDurationRemove(MessageDurationRemove)
    /// Field 3, `mute_conversation`.
    case muteConversation(MuteConversation)
    /// Field 4, `unmute_conversation`.
    case unmuteConversation(UnmuteConversation)
    /// Field 5, `enable_screen_capture_detection`.
    case enableScreenCaptureDetection(EnableScreenCaptureDetection)
    /// Field 6, `disable_screen_capture_detection`.
    case disableScreenCaptureDetection(DisableScreenCaptureDetection)
    /// Field 7, `enable_screen_capture_blocking`.
    case enableScreenCaptureBlocking(EnableScreenCaptureBlocking)
    /// Field 8, `disable_screen_capture_blocking`.
    case disableScreenCaptureBlocking(DisableScreenCaptureBlocking)
    /// A variant that is unknown to this version.
    case unknown(UnknownField)
}

extension ConversationMetadataChange: WireStruct {
    package static let schema = StructSchema(
        union: "ConversationMetadataChange",
        [
            FieldSchema(1, "message_duration_change", .structure(MessageDurationChange.self)),
            FieldSchema(2, "message_duration_remove", .structure(MessageDurationRemove.self)),
            FieldSchema(3, "mute_conversation", .structure(MuteConversation.self)),
            FieldSchema(4, "unmute_conversation", .structure(UnmuteConversation.self)),
            FieldSchema(5, "enable_screen_capture_detection", .structure(EnableScreenCaptureDetection.self)),
            FieldSchema(6, "disable_screen_capture_detection", .structure(DisableScreenCaptureDetection.self)),
            FieldSchema(7, "enable_screen_capture_blocking", .structure(EnableScreenCaptureBlocking.self)),
            FieldSchema(8, "disable_screen_capture_blocking", .structure(DisableScreenCaptureBlocking.self)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var choice = UnionChoice<Self>(at: reader.offset)
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: try choice.take(.messageDurationChange(reader.read(field)), field)
                case 2: try choice.take(.messageDurationRemove(reader.read(field)), field)
                case 3: try choice.take(.muteConversation(reader.read(field)), field)
                case 4: try choice.take(.unmuteConversation(reader.read(field)), field)
                case 5: try choice.take(.enableScreenCaptureDetection(reader.read(field)), field)
                case 6: try choice.take(.disableScreenCaptureDetection(reader.read(field)), field)
                case 7: try choice.take(.enableScreenCaptureBlocking(reader.read(field)), field)
                case 8: try choice.take(.disableScreenCaptureBlocking(reader.read(field)), field)
                default: try choice.keep(field, from: &reader)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
        self = try choice.resolved(orUnknown: Self.unknown)
    }

    package func write(to writer: inout ThriftWriter) {
        switch self {
        case .messageDurationChange(let value): writer.write(value, id: 1)
        case .messageDurationRemove(let value): writer.write(value, id: 2)
        case .muteConversation(let value): writer.write(value, id: 3)
        case .unmuteConversation(let value): writer.write(value, id: 4)
        case .enableScreenCaptureDetection(let value): writer.write(value, id: 5)
        case .disableScreenCaptureDetection(let value): writer.write(value, id: 6)
        case .enableScreenCaptureBlocking(let value): writer.write(value, id: 7)
        case .disableScreenCaptureBlocking(let value): writer.write(value, id: 8)
        case .unknown(let field): writer.write(field)
        }
        writer.stop()
    }
}

/// A change of a conversation's settings.
public struct ConversationMetadataChangeEvent: Hashable, Sendable {
    /// Field 1, `conversation_metadata_change`.
    public var conversationMetadataChange: ConversationMetadataChange?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(conversationMetadataChange: ConversationMetadataChange? = nil) {
        self.conversationMetadataChange = conversationMetadataChange
    }
}

extension ConversationMetadataChangeEvent: WireStruct {
    package static let schema = StructSchema(
        struct: "ConversationMetadataChangeEvent",
        [
            FieldSchema(1, "conversation_metadata_change", .structure(ConversationMetadataChange.self))
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: conversationMetadataChange = try reader.read(ConversationMetadataChange.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(conversationMetadataChange, as: ConversationMetadataChange.self, id: 1)
        writer.stop()
    }
}

/// A search answer by Grok.
public struct GrokSearchResponseEvent: Hashable, Sendable {
    /// Field 1, `search_response_id`.
    public var searchResponseID: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(searchResponseID: WireString? = nil) {
        self.searchResponseID = searchResponseID
    }
}

extension GrokSearchResponseEvent: WireStruct {
    package static let schema = StructSchema(
        struct: "GrokSearchResponseEvent",
        [
            FieldSchema(1, "search_response_id", .string)
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: searchResponseID = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(searchResponseID, as: WireString.self, id: 1)
        writer.stop()
    }
}

/// A conversation read, up to an event.
public struct MarkConversationReadEvent: Hashable, Sendable {
    /// Field 1, `seen_until_sequence_id`.
    public var seenUntilSequenceID: SequenceID?
    /// Field 2, `seen_at_millis`.
    public var seenAtMillis: Int64?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(seenUntilSequenceID: SequenceID? = nil, seenAtMillis: Int64? = nil) {
        self.seenUntilSequenceID = seenUntilSequenceID
        self.seenAtMillis = seenAtMillis
    }
}

extension MarkConversationReadEvent: WireStruct {
    package static let schema = StructSchema(
        struct: "MarkConversationReadEvent",
        [
            FieldSchema(1, "seen_until_sequence_id", .string),
            FieldSchema(2, "seen_at_millis", .i64),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: seenUntilSequenceID = try reader.read(SequenceID.self, field)
                case 2: seenAtMillis = try reader.read(Int64.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(seenUntilSequenceID, as: SequenceID.self, id: 1)
        writer.write(seenAtMillis, as: Int64.self, id: 2)
        writer.stop()
    }
}

/// A conversation marked unread, from an event on.
public struct MarkConversationUnreadEvent: Hashable, Sendable {
    /// Field 1, `seen_until_sequence_id`.
    public var seenUntilSequenceID: SequenceID?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(seenUntilSequenceID: SequenceID? = nil) {
        self.seenUntilSequenceID = seenUntilSequenceID
    }
}

extension MarkConversationUnreadEvent: WireStruct {
    package static let schema = StructSchema(
        struct: "MarkConversationUnreadEvent",
        [
            FieldSchema(1, "seen_until_sequence_id", .string)
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: seenUntilSequenceID = try reader.read(SequenceID.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(seenUntilSequenceID, as: SequenceID.self, id: 1)
        writer.stop()
    }
}

/// A member's account was deleted.
public struct MemberAccountDeleteEvent: Hashable, Sendable {
    /// Field 1, `member_id`.
    public var memberID: UserID?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(memberID: UserID? = nil) {
        self.memberID = memberID
    }
}

extension MemberAccountDeleteEvent: WireStruct {
    package static let schema = StructSchema(
        struct: "MemberAccountDeleteEvent",
        [
            FieldSchema(1, "member_id", .string)
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: memberID = try reader.read(UserID.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(memberID, as: UserID.self, id: 1)
        writer.stop()
    }
}
