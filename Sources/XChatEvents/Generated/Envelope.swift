// generated from xchat.thrift by script/generate-events; change the IDL, not this file

package import ThriftBinary

/// What happened.
public enum MessageEventDetail: Hashable, Sendable {
    /// Field 1, `messageCreateEvent`.
    case messageCreateEvent(MessageCreateEvent)
    /// Field 3, `conversationKeyChangeEvent`.
    case conversationKeyChangeEvent(ConversationKeyChangeEvent)
    /// Field 4, `groupChangeEvent`.
    case groupChangeEvent(GroupChangeEvent)
    /// Field 5, `messageFailureEvent`.
    case messageFailureEvent(MessageFailureEvent)
    /// Field 6, `messageTypingEvent`.
    case messageTypingEvent(MessageTypingEvent)
    /// Field 7, `messageDeleteEvent`.
    case messageDeleteEvent(MessageDeleteEvent)
    /// Field 8, `conversationDeleteEvent`.
    case conversationDeleteEvent(ConversationDeleteEvent)
    /// Field 9, `conversationMetadataChangeEvent`.
    case conversationMetadataChangeEvent(ConversationMetadataChangeEvent)
    /// Field 10, `grokSearchResponseEvent`.
    case grokSearchResponseEvent(GrokSearchResponseEvent)
    /// Field 12, `markConversationReadEvent`.
    case markConversationReadEvent(MarkConversationReadEvent)
    /// Field 13, `markConversationUnreadEvent`.
    case markConversationUnreadEvent(MarkConversationUnreadEvent)
    /// Field 14, `memberAccountDeleteEvent`.
    case memberAccountDeleteEvent(MemberAccountDeleteEvent)
    /// A variant that is unknown to this version.
    case unknown(UnknownField)
}

extension MessageEventDetail: WireStruct {
    package static let schema = StructSchema(
        union: "MessageEventDetail",
        [
            FieldSchema(1, "messageCreateEvent", .structure(MessageCreateEvent.self)),
            FieldSchema(3, "conversationKeyChangeEvent", .structure(ConversationKeyChangeEvent.self)),
            FieldSchema(4, "groupChangeEvent", .structure(GroupChangeEvent.self)),
            FieldSchema(5, "messageFailureEvent", .structure(MessageFailureEvent.self)),
            FieldSchema(6, "messageTypingEvent", .structure(MessageTypingEvent.self)),
            FieldSchema(7, "messageDeleteEvent", .structure(MessageDeleteEvent.self)),
            FieldSchema(8, "conversationDeleteEvent", .structure(ConversationDeleteEvent.self)),
            FieldSchema(9, "conversationMetadataChangeEvent", .structure(ConversationMetadataChangeEvent.self)),
            FieldSchema(10, "grokSearchResponseEvent", .structure(GrokSearchResponseEvent.self)),
            FieldSchema(12, "markConversationReadEvent", .structure(MarkConversationReadEvent.self)),
            FieldSchema(13, "markConversationUnreadEvent", .structure(MarkConversationUnreadEvent.self)),
            FieldSchema(14, "memberAccountDeleteEvent", .structure(MemberAccountDeleteEvent.self)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var choice = UnionChoice<Self>(at: reader.offset)
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: try choice.take(.messageCreateEvent(reader.read(field)), field)
                case 3: try choice.take(.conversationKeyChangeEvent(reader.read(field)), field)
                case 4: try choice.take(.groupChangeEvent(reader.read(field)), field)
                case 5: try choice.take(.messageFailureEvent(reader.read(field)), field)
                case 6: try choice.take(.messageTypingEvent(reader.read(field)), field)
                case 7: try choice.take(.messageDeleteEvent(reader.read(field)), field)
                case 8: try choice.take(.conversationDeleteEvent(reader.read(field)), field)
                case 9: try choice.take(.conversationMetadataChangeEvent(reader.read(field)), field)
                case 10: try choice.take(.grokSearchResponseEvent(reader.read(field)), field)
                case 12: try choice.take(.markConversationReadEvent(reader.read(field)), field)
                case 13: try choice.take(.markConversationUnreadEvent(reader.read(field)), field)
                case 14: try choice.take(.memberAccountDeleteEvent(reader.read(field)), field)
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
        case .messageCreateEvent(let value): writer.write(value, id: 1)
        case .conversationKeyChangeEvent(let value): writer.write(value, id: 3)
        case .groupChangeEvent(let value): writer.write(value, id: 4)
        case .messageFailureEvent(let value): writer.write(value, id: 5)
        case .messageTypingEvent(let value): writer.write(value, id: 6)
        case .messageDeleteEvent(let value): writer.write(value, id: 7)
        case .conversationDeleteEvent(let value): writer.write(value, id: 8)
        case .conversationMetadataChangeEvent(let value): writer.write(value, id: 9)
        case .grokSearchResponseEvent(let value): writer.write(value, id: 10)
        case .markConversationReadEvent(let value): writer.write(value, id: 12)
        case .markConversationUnreadEvent(let value): writer.write(value, id: 13)
        case .memberAccountDeleteEvent(let value): writer.write(value, id: 14)
        case .unknown(let field): writer.write(field)
        }
        writer.stop()
    }
}

/// A signing key in an event; recipients do not trust it, because it is not signed.
public struct MessageSigningKeyInfo: Hashable, Sendable {
    /// Field 1, `member_id`.
    public var memberID: UserID?
    /// Field 2, `public_key_version`.
    public var publicKeyVersion: KeyVersion?
    /// Field 3, `signing_public_key`.
    public var signingPublicKey: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(memberID: UserID? = nil, publicKeyVersion: KeyVersion? = nil, signingPublicKey: WireString? = nil) {
        self.memberID = memberID
        self.publicKeyVersion = publicKeyVersion
        self.signingPublicKey = signingPublicKey
    }
}

extension MessageSigningKeyInfo: WireStruct {
    package static let schema = StructSchema(
        struct: "MessageSigningKeyInfo",
        [
            FieldSchema(1, "member_id", .string),
            FieldSchema(2, "public_key_version", .string),
            FieldSchema(3, "signing_public_key", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: memberID = try reader.read(UserID.self, field)
                case 2: publicKeyVersion = try reader.read(KeyVersion.self, field)
                case 3: signingPublicKey = try reader.read(WireString.self, field)
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
        writer.write(publicKeyVersion, as: KeyVersion.self, id: 2)
        writer.write(signingPublicKey, as: WireString.self, id: 3)
        writer.stop()
    }
}

/// The sender's signature over the signed text of an event.
public struct MessageEventSignature: Hashable, Sendable {
    /// Field 1, `signature`: base64, padded or not.
    public var signature: WireString?
    /// Field 2, `public_key_version`.
    public var publicKeyVersion: KeyVersion?
    /// Field 3, `signature_version`.
    public var signatureVersion: WireString?
    /// Field 4, `signing_public_key`: not signed; recipients use the registered key instead.
    public var signingPublicKey: WireString?
    /// Field 5, `message_signing_key_info_list`: not signed; recipients use the registered keys instead.
    public var messageSigningKeyInfoList: [MessageSigningKeyInfo]?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        signature: WireString? = nil,
        publicKeyVersion: KeyVersion? = nil,
        signatureVersion: WireString? = nil,
        signingPublicKey: WireString? = nil,
        messageSigningKeyInfoList: [MessageSigningKeyInfo]? = nil
    ) {
        self.signature = signature
        self.publicKeyVersion = publicKeyVersion
        self.signatureVersion = signatureVersion
        self.signingPublicKey = signingPublicKey
        self.messageSigningKeyInfoList = messageSigningKeyInfoList
    }
}

extension MessageEventSignature: WireStruct {
    package static let schema = StructSchema(
        struct: "MessageEventSignature",
        [
            FieldSchema(1, "signature", .string),
            FieldSchema(2, "public_key_version", .string),
            FieldSchema(3, "signature_version", .string),
            FieldSchema(4, "signing_public_key", .string),
            FieldSchema(5, "message_signing_key_info_list", .list(.structure(MessageSigningKeyInfo.self))),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: signature = try reader.read(WireString.self, field)
                case 2: publicKeyVersion = try reader.read(KeyVersion.self, field)
                case 3: signatureVersion = try reader.read(WireString.self, field)
                case 4: signingPublicKey = try reader.read(WireString.self, field)
                case 5: messageSigningKeyInfoList = try reader.read(ListOf<MessageSigningKeyInfo>.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(signature, as: WireString.self, id: 1)
        writer.write(publicKeyVersion, as: KeyVersion.self, id: 2)
        writer.write(signatureVersion, as: WireString.self, id: 3)
        writer.write(signingPublicKey, as: WireString.self, id: 4)
        writer.write(messageSigningKeyInfoList, as: ListOf<MessageSigningKeyInfo>.self, id: 5)
        writer.stop()
    }
}

/// One event of a conversation: who did what, and the signature.
public struct MessageEvent: Hashable, Sendable {
    /// Field 1, `sequence_id`: the server's number, not signed.
    public var sequenceID: SequenceID?
    /// Field 2, `message_id`: the sender's id of this event, a UUID.
    public var messageID: MessageID?
    /// Field 3, `sender_id`.
    public var senderID: UserID?
    /// Field 4, `conversation_id`.
    public var conversationID: WireString?
    /// Field 5, `conversation_token`.
    public var conversationToken: WireString?
    /// Field 6, `created_at_msec`: decimal milliseconds since 1970.
    public var createdAtMsec: WireString?
    /// Field 7, `detail`.
    public var detail: MessageEventDetail?
    /// Field 8, `relay_source`.
    public var relaySource: MessageEventRelaySource?
    /// Field 9, `message_event_signature`.
    public var messageEventSignature: MessageEventSignature?
    /// Field 10, `previous_sequence_id`.
    public var previousSequenceID: SequenceID?
    /// Field 11, `is_trusted`.
    public var isTrusted: Bool?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        sequenceID: SequenceID? = nil,
        messageID: MessageID? = nil,
        senderID: UserID? = nil,
        conversationID: WireString? = nil,
        conversationToken: WireString? = nil,
        createdAtMsec: WireString? = nil,
        detail: MessageEventDetail? = nil,
        relaySource: MessageEventRelaySource? = nil,
        messageEventSignature: MessageEventSignature? = nil,
        previousSequenceID: SequenceID? = nil,
        isTrusted: Bool? = nil
    ) {
        self.sequenceID = sequenceID
        self.messageID = messageID
        self.senderID = senderID
        self.conversationID = conversationID
        self.conversationToken = conversationToken
        self.createdAtMsec = createdAtMsec
        self.detail = detail
        self.relaySource = relaySource
        self.messageEventSignature = messageEventSignature
        self.previousSequenceID = previousSequenceID
        self.isTrusted = isTrusted
    }
}

extension MessageEvent: WireStruct {
    package static let schema = StructSchema(
        struct: "MessageEvent",
        [
            FieldSchema(1, "sequence_id", .string),
            FieldSchema(2, "message_id", .string),
            FieldSchema(3, "sender_id", .string),
            FieldSchema(4, "conversation_id", .string),
            FieldSchema(5, "conversation_token", .string),
            FieldSchema(6, "created_at_msec", .string),
            FieldSchema(7, "detail", .structure(MessageEventDetail.self)),
            FieldSchema(8, "relay_source", .enumeration(MessageEventRelaySource.self)),
            FieldSchema(9, "message_event_signature", .structure(MessageEventSignature.self)),
            FieldSchema(10, "previous_sequence_id", .string),
            FieldSchema(11, "is_trusted", .bool),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: sequenceID = try reader.read(SequenceID.self, field)
                case 2: messageID = try reader.read(MessageID.self, field)
                case 3: senderID = try reader.read(UserID.self, field)
                case 4: conversationID = try reader.read(WireString.self, field)
                case 5: conversationToken = try reader.read(WireString.self, field)
                case 6: createdAtMsec = try reader.read(WireString.self, field)
                case 7: detail = try reader.read(MessageEventDetail.self, field)
                case 8: relaySource = try reader.read(MessageEventRelaySource.self, field)
                case 9: messageEventSignature = try reader.read(MessageEventSignature.self, field)
                case 10: previousSequenceID = try reader.read(SequenceID.self, field)
                case 11: isTrusted = try reader.read(Bool.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(sequenceID, as: SequenceID.self, id: 1)
        writer.write(messageID, as: MessageID.self, id: 2)
        writer.write(senderID, as: UserID.self, id: 3)
        writer.write(conversationID, as: WireString.self, id: 4)
        writer.write(conversationToken, as: WireString.self, id: 5)
        writer.write(createdAtMsec, as: WireString.self, id: 6)
        writer.write(detail, as: MessageEventDetail.self, id: 7)
        writer.write(relaySource, as: MessageEventRelaySource.self, id: 8)
        writer.write(messageEventSignature, as: MessageEventSignature.self, id: 9)
        writer.write(previousSequenceID, as: SequenceID.self, id: 10)
        writer.write(isTrusted, as: Bool.self, id: 11)
        writer.stop()
    }
}
