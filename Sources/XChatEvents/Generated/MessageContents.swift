// generated from xchat.thrift by script/generate-events; change the IDL, not this file

package import ThriftBinary

/// The call that a reply answers.
public enum ReplyAVCallCard: Hashable, Sendable {
    /// Field 1, `ended`.
    case ended(AVCallEnded)
    /// Field 2, `missed`.
    case missed(AVCallMissed)
    /// Field 3, `started`.
    case started(AVCallStarted)
    /// A variant that is unknown to this version.
    case unknown(UnknownField)
}

extension ReplyAVCallCard: WireStruct {
    package static let schema = StructSchema(
        union: "ReplyAVCallCard",
        [
            FieldSchema(1, "ended", .structure(AVCallEnded.self)),
            FieldSchema(2, "missed", .structure(AVCallMissed.self)),
            FieldSchema(3, "started", .structure(AVCallStarted.self)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var choice = UnionChoice<Self>(at: reader.offset)
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: try choice.take(.ended(reader.read(field)), field)
                case 2: try choice.take(.missed(reader.read(field)), field)
                case 3: try choice.take(.started(reader.read(field)), field)
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
        case .ended(let value): writer.write(value, id: 1)
        case .missed(let value): writer.write(value, id: 2)
        case .started(let value): writer.write(value, id: 3)
        case .unknown(let field): writer.write(field)
        }
        writer.stop()
    }
}

/// The message that a reply answers, as its sender shows it.
public struct ReplyingToPreview: Hashable, Sendable {
    /// Field 1, `sender_id`.
    public var senderID: Int64?
    /// Field 2, `message_text`.
    public var messageText: WireString?
    /// Field 3, `entities`.
    public var entities: [RichTextEntity]?
    /// Field 4, `attachments`.
    public var attachments: [MessageAttachment]?
    /// Field 5, `sender_display_name`.
    public var senderDisplayName: WireString?
    /// Field 6, `replying_to_message_sequence_id`.
    public var replyingToMessageSequenceID: SequenceID?
    /// Field 7, `replying_to_message_id`.
    public var replyingToMessageID: MessageID?
    /// Field 8, `raw_event_message_create`: the event replied to.
    public var rawEventMessageCreate: Encoded<MessageEvent>?
    /// Field 9, `raw_event_edit_message`: the edit of that event that is quoted.
    public var rawEventEditMessage: Encoded<MessageEvent>?
    /// Field 10, `raw_event_ckces`: the key change events that are needed to decrypt them.
    public var rawEventCkces: [Encoded<MessageEvent>]?
    /// Field 11, `av_call_card`.
    public var avCallCard: ReplyAVCallCard?
    /// Field 12, `replying_to_attachment_id`.
    public var replyingToAttachmentID: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        senderID: Int64? = nil,
        messageText: WireString? = nil,
        entities: [RichTextEntity]? = nil,
        attachments: [MessageAttachment]? = nil,
        senderDisplayName: WireString? = nil,
        replyingToMessageSequenceID: SequenceID? = nil,
        replyingToMessageID: MessageID? = nil,
        rawEventMessageCreate: Encoded<MessageEvent>? = nil,
        rawEventEditMessage: Encoded<MessageEvent>? = nil,
        rawEventCkces: [Encoded<MessageEvent>]? = nil,
        avCallCard: ReplyAVCallCard? = nil,
        replyingToAttachmentID: WireString? = nil
    ) {
        self.senderID = senderID
        self.messageText = messageText
        self.entities = entities
        self.attachments = attachments
        self.senderDisplayName = senderDisplayName
        self.replyingToMessageSequenceID = replyingToMessageSequenceID
        self.replyingToMessageID = replyingToMessageID
        self.rawEventMessageCreate = rawEventMessageCreate
        self.rawEventEditMessage = rawEventEditMessage
        self.rawEventCkces = rawEventCkces
        self.avCallCard = avCallCard
        self.replyingToAttachmentID = replyingToAttachmentID
    }
}

extension ReplyingToPreview: WireStruct {
    package static let schema = StructSchema(
        struct: "ReplyingToPreview",
        [
            FieldSchema(1, "sender_id", .i64),
            FieldSchema(2, "message_text", .string),
            FieldSchema(3, "entities", .list(.structure(RichTextEntity.self))),
            FieldSchema(4, "attachments", .list(.structure(MessageAttachment.self))),
            FieldSchema(5, "sender_display_name", .string),
            FieldSchema(6, "replying_to_message_sequence_id", .string),
            FieldSchema(7, "replying_to_message_id", .string),
            FieldSchema(8, "raw_event_message_create", .structure(MessageEvent.self)),
            FieldSchema(9, "raw_event_edit_message", .structure(MessageEvent.self)),
            FieldSchema(10, "raw_event_ckces", .list(.structure(MessageEvent.self))),
            FieldSchema(11, "av_call_card", .structure(ReplyAVCallCard.self)),
            FieldSchema(12, "replying_to_attachment_id", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: senderID = try reader.read(Int64.self, field)
                case 2: messageText = try reader.read(WireString.self, field)
                case 3: entities = try reader.read(ListOf<RichTextEntity>.self, field)
                case 4: attachments = try reader.read(ListOf<MessageAttachment>.self, field)
                case 5: senderDisplayName = try reader.read(WireString.self, field)
                case 6: replyingToMessageSequenceID = try reader.read(SequenceID.self, field)
                case 7: replyingToMessageID = try reader.read(MessageID.self, field)
                case 8: rawEventMessageCreate = try reader.read(Encoded<MessageEvent>.self, field)
                case 9: rawEventEditMessage = try reader.read(Encoded<MessageEvent>.self, field)
                case 10: rawEventCkces = try reader.read(ListOf<Encoded<MessageEvent>>.self, field)
                case 11: avCallCard = try reader.read(ReplyAVCallCard.self, field)
                case 12: replyingToAttachmentID = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(senderID, as: Int64.self, id: 1)
        writer.write(messageText, as: WireString.self, id: 2)
        writer.write(entities, as: ListOf<RichTextEntity>.self, id: 3)
        writer.write(attachments, as: ListOf<MessageAttachment>.self, id: 4)
        writer.write(senderDisplayName, as: WireString.self, id: 5)
        writer.write(replyingToMessageSequenceID, as: SequenceID.self, id: 6)
        writer.write(replyingToMessageID, as: MessageID.self, id: 7)
        writer.write(rawEventMessageCreate, as: Encoded<MessageEvent>.self, id: 8)
        writer.write(rawEventEditMessage, as: Encoded<MessageEvent>.self, id: 9)
        writer.write(rawEventCkces, as: ListOf<Encoded<MessageEvent>>.self, id: 10)
        writer.write(avCallCard, as: ReplyAVCallCard.self, id: 11)
        writer.write(replyingToAttachmentID, as: WireString.self, id: 12)
        writer.stop()
    }
}

/// A message forwarded.
public struct ForwardedMessage: Hashable, Sendable {
    /// Field 1, `message_text`.
    public var messageText: WireString?
    /// Field 2, `entities`.
    public var entities: [RichTextEntity]?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(messageText: WireString? = nil, entities: [RichTextEntity]? = nil) {
        self.messageText = messageText
        self.entities = entities
    }
}

extension ForwardedMessage: WireStruct {
    package static let schema = StructSchema(
        struct: "ForwardedMessage",
        [
            FieldSchema(1, "message_text", .string),
            FieldSchema(2, "entities", .list(.structure(RichTextEntity.self))),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: messageText = try reader.read(WireString.self, field)
                case 2: entities = try reader.read(ListOf<RichTextEntity>.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(messageText, as: WireString.self, id: 1)
        writer.write(entities, as: ListOf<RichTextEntity>.self, id: 2)
        writer.stop()
    }
}

/// One of the answers offered.
public struct QuickReplyOption: Hashable, Sendable {
    /// Field 1, `id`.
    public var id: WireString?
    /// Field 2, `label`.
    public var label: WireString?
    /// Field 3, `metadata`.
    public var metadata: WireString?
    /// Field 4, `description`.
    public var description: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        id: WireString? = nil,
        label: WireString? = nil,
        metadata: WireString? = nil,
        description: WireString? = nil
    ) {
        self.id = id
        self.label = label
        self.metadata = metadata
        self.description = description
    }
}

extension QuickReplyOption: WireStruct {
    package static let schema = StructSchema(
        struct: "QuickReplyOption",
        [
            FieldSchema(1, "id", .string),
            FieldSchema(2, "label", .string),
            FieldSchema(3, "metadata", .string),
            FieldSchema(4, "description", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: id = try reader.read(WireString.self, field)
                case 2: label = try reader.read(WireString.self, field)
                case 3: metadata = try reader.read(WireString.self, field)
                case 4: description = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(id, as: WireString.self, id: 1)
        writer.write(label, as: WireString.self, id: 2)
        writer.write(metadata, as: WireString.self, id: 3)
        writer.write(description, as: WireString.self, id: 4)
        writer.stop()
    }
}

/// Answers offered to the recipient.
public struct QuickReplyOptionsRequest: Hashable, Sendable {
    /// Field 1, `id`.
    public var id: WireString?
    /// Field 2, `options`.
    public var options: [QuickReplyOption]?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(id: WireString? = nil, options: [QuickReplyOption]? = nil) {
        self.id = id
        self.options = options
    }
}

extension QuickReplyOptionsRequest: WireStruct {
    package static let schema = StructSchema(
        struct: "QuickReplyOptionsRequest",
        [
            FieldSchema(1, "id", .string),
            FieldSchema(2, "options", .list(.structure(QuickReplyOption.self))),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: id = try reader.read(WireString.self, field)
                case 2: options = try reader.read(ListOf<QuickReplyOption>.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(id, as: WireString.self, id: 1)
        writer.write(options, as: ListOf<QuickReplyOption>.self, id: 2)
        writer.stop()
    }
}

/// The answer chosen.
public struct QuickReplyOptionsResponse: Hashable, Sendable {
    /// Field 1, `request_id`.
    public var requestID: WireString?
    /// Field 2, `metadata`.
    public var metadata: WireString?
    /// Field 3, `selected_option_id`.
    public var selectedOptionID: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(requestID: WireString? = nil, metadata: WireString? = nil, selectedOptionID: WireString? = nil) {
        self.requestID = requestID
        self.metadata = metadata
        self.selectedOptionID = selectedOptionID
    }
}

extension QuickReplyOptionsResponse: WireStruct {
    package static let schema = StructSchema(
        struct: "QuickReplyOptionsResponse",
        [
            FieldSchema(1, "request_id", .string),
            FieldSchema(2, "metadata", .string),
            FieldSchema(3, "selected_option_id", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: requestID = try reader.read(WireString.self, field)
                case 2: metadata = try reader.read(WireString.self, field)
                case 3: selectedOptionID = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(requestID, as: WireString.self, id: 1)
        writer.write(metadata, as: WireString.self, id: 2)
        writer.write(selectedOptionID, as: WireString.self, id: 3)
        writer.stop()
    }
}

/// What is offered to the recipient.
public enum QuickReplyRequest: Hashable, Sendable {
    /// Field 1, `options`.
    case options(QuickReplyOptionsRequest)
    /// A variant that is unknown to this version.
    case unknown(UnknownField)
}

extension QuickReplyRequest: WireStruct {
    package static let schema = StructSchema(
        union: "QuickReplyRequest",
        [
            FieldSchema(1, "options", .structure(QuickReplyOptionsRequest.self))
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var choice = UnionChoice<Self>(at: reader.offset)
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: try choice.take(.options(reader.read(field)), field)
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
        case .options(let value): writer.write(value, id: 1)
        case .unknown(let field): writer.write(field)
        }
        writer.stop()
    }
}

/// What the recipient chose.
public enum QuickReplyResponse: Hashable, Sendable {
    /// Field 1, `options`.
    case options(QuickReplyOptionsResponse)
    /// A variant that is unknown to this version.
    case unknown(UnknownField)
}

extension QuickReplyResponse: WireStruct {
    package static let schema = StructSchema(
        union: "QuickReplyResponse",
        [
            FieldSchema(1, "options", .structure(QuickReplyOptionsResponse.self))
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var choice = UnionChoice<Self>(at: reader.offset)
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: try choice.take(.options(reader.read(field)), field)
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
        case .options(let value): writer.write(value, id: 1)
        case .unknown(let field): writer.write(field)
        }
        writer.stop()
    }
}

/// Answers offered, or the one chosen.
public enum QuickReply: Hashable, Sendable {
    /// Field 1, `request`.
    case request(QuickReplyRequest)
    /// Field 2, `response`.
    case response(QuickReplyResponse)
    /// A variant that is unknown to this version.
    case unknown(UnknownField)
}

extension QuickReply: WireStruct {
    package static let schema = StructSchema(
        union: "QuickReply",
        [
            FieldSchema(1, "request", .structure(QuickReplyRequest.self)),
            FieldSchema(2, "response", .structure(QuickReplyResponse.self)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var choice = UnionChoice<Self>(at: reader.offset)
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: try choice.take(.request(reader.read(field)), field)
                case 2: try choice.take(.response(reader.read(field)), field)
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
        case .request(let value): writer.write(value, id: 1)
        case .response(let value): writer.write(value, id: 2)
        case .unknown(let field): writer.write(field)
        }
        writer.stop()
    }
}

/// A button with a link.
public struct CallToAction: Hashable, Sendable {
    /// Field 1, `label`.
    public var label: WireString?
    /// Field 2, `url`.
    public var url: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(label: WireString? = nil, url: WireString? = nil) {
        self.label = label
        self.url = url
    }
}

extension CallToAction: WireStruct {
    package static let schema = StructSchema(
        struct: "CallToAction",
        [
            FieldSchema(1, "label", .string),
            FieldSchema(2, "url", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: label = try reader.read(WireString.self, field)
                case 2: url = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(label, as: WireString.self, id: 1)
        writer.write(url, as: WireString.self, id: 2)
        writer.stop()
    }
}

/// A text message.
public struct MessageContents: Hashable, Sendable {
    /// Field 1, `message_text`.
    public var messageText: WireString?
    /// Field 2, `entities`.
    public var entities: [RichTextEntity]?
    /// Field 3, `attachments`.
    public var attachments: [MessageAttachment]?
    /// Field 4, `replying_to_preview`.
    public var replyingToPreview: ReplyingToPreview?
    /// Field 6, `forwarded_message`.
    public var forwardedMessage: ForwardedMessage?
    /// Field 7, `sent_from`.
    public var sentFrom: SentFromSurface?
    /// Field 8, `quick_reply`.
    public var quickReply: QuickReply?
    /// Field 9, `ctas`.
    public var ctas: [CallToAction]?
    /// Field 10, `additional_fields`.
    public var additionalFields: [WireString: WireString]?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        messageText: WireString? = nil,
        entities: [RichTextEntity]? = nil,
        attachments: [MessageAttachment]? = nil,
        replyingToPreview: ReplyingToPreview? = nil,
        forwardedMessage: ForwardedMessage? = nil,
        sentFrom: SentFromSurface? = nil,
        quickReply: QuickReply? = nil,
        ctas: [CallToAction]? = nil,
        additionalFields: [WireString: WireString]? = nil
    ) {
        self.messageText = messageText
        self.entities = entities
        self.attachments = attachments
        self.replyingToPreview = replyingToPreview
        self.forwardedMessage = forwardedMessage
        self.sentFrom = sentFrom
        self.quickReply = quickReply
        self.ctas = ctas
        self.additionalFields = additionalFields
    }
}

extension MessageContents: WireStruct {
    package static let schema = StructSchema(
        struct: "MessageContents",
        [
            FieldSchema(1, "message_text", .string),
            FieldSchema(2, "entities", .list(.structure(RichTextEntity.self))),
            FieldSchema(3, "attachments", .list(.structure(MessageAttachment.self))),
            FieldSchema(4, "replying_to_preview", .structure(ReplyingToPreview.self)),
            FieldSchema(6, "forwarded_message", .structure(ForwardedMessage.self)),
            FieldSchema(7, "sent_from", .enumeration(SentFromSurface.self)),
            FieldSchema(8, "quick_reply", .structure(QuickReply.self)),
            FieldSchema(9, "ctas", .list(.structure(CallToAction.self))),
            FieldSchema(10, "additional_fields", .map(.string, .string)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: messageText = try reader.read(WireString.self, field)
                case 2: entities = try reader.read(ListOf<RichTextEntity>.self, field)
                case 3: attachments = try reader.read(ListOf<MessageAttachment>.self, field)
                case 4: replyingToPreview = try reader.read(ReplyingToPreview.self, field)
                case 6: forwardedMessage = try reader.read(ForwardedMessage.self, field)
                case 7: sentFrom = try reader.read(SentFromSurface.self, field)
                case 8: quickReply = try reader.read(QuickReply.self, field)
                case 9: ctas = try reader.read(ListOf<CallToAction>.self, field)
                case 10: additionalFields = try reader.read(MapOf<WireString, WireString>.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(messageText, as: WireString.self, id: 1)
        writer.write(entities, as: ListOf<RichTextEntity>.self, id: 2)
        writer.write(attachments, as: ListOf<MessageAttachment>.self, id: 3)
        writer.write(replyingToPreview, as: ReplyingToPreview.self, id: 4)
        writer.write(forwardedMessage, as: ForwardedMessage.self, id: 6)
        writer.write(sentFrom, as: SentFromSurface.self, id: 7)
        writer.write(quickReply, as: QuickReply.self, id: 8)
        writer.write(ctas, as: ListOf<CallToAction>.self, id: 9)
        writer.write(additionalFields, as: MapOf<WireString, WireString>.self, id: 10)
        writer.stop()
    }
}

/// A reaction to a message.
public struct MessageReactionAdd: Hashable, Sendable {
    /// Field 1, `message_sequence_id`: the sequence id of the message reacted to.
    public var messageSequenceID: SequenceID?
    /// Field 2, `emoji`.
    public var emoji: WireString?
    /// Field 3, `message_attachment_id`.
    public var messageAttachmentID: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        messageSequenceID: SequenceID? = nil,
        emoji: WireString? = nil,
        messageAttachmentID: WireString? = nil
    ) {
        self.messageSequenceID = messageSequenceID
        self.emoji = emoji
        self.messageAttachmentID = messageAttachmentID
    }
}

extension MessageReactionAdd: WireStruct {
    package static let schema = StructSchema(
        struct: "MessageReactionAdd",
        [
            FieldSchema(1, "message_sequence_id", .string),
            FieldSchema(2, "emoji", .string),
            FieldSchema(3, "message_attachment_id", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: messageSequenceID = try reader.read(SequenceID.self, field)
                case 2: emoji = try reader.read(WireString.self, field)
                case 3: messageAttachmentID = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(messageSequenceID, as: SequenceID.self, id: 1)
        writer.write(emoji, as: WireString.self, id: 2)
        writer.write(messageAttachmentID, as: WireString.self, id: 3)
        writer.stop()
    }
}

/// A reaction taken back.
public struct MessageReactionRemove: Hashable, Sendable {
    /// Field 1, `message_sequence_id`: the sequence id of the message reacted to.
    public var messageSequenceID: SequenceID?
    /// Field 2, `emoji`.
    public var emoji: WireString?
    /// Field 3, `message_attachment_id`.
    public var messageAttachmentID: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        messageSequenceID: SequenceID? = nil,
        emoji: WireString? = nil,
        messageAttachmentID: WireString? = nil
    ) {
        self.messageSequenceID = messageSequenceID
        self.emoji = emoji
        self.messageAttachmentID = messageAttachmentID
    }
}

extension MessageReactionRemove: WireStruct {
    package static let schema = StructSchema(
        struct: "MessageReactionRemove",
        [
            FieldSchema(1, "message_sequence_id", .string),
            FieldSchema(2, "emoji", .string),
            FieldSchema(3, "message_attachment_id", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: messageSequenceID = try reader.read(SequenceID.self, field)
                case 2: emoji = try reader.read(WireString.self, field)
                case 3: messageAttachmentID = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(messageSequenceID, as: SequenceID.self, id: 1)
        writer.write(emoji, as: WireString.self, id: 2)
        writer.write(messageAttachmentID, as: WireString.self, id: 3)
        writer.stop()
    }
}

/// A new text of a message.
public struct MessageEdit: Hashable, Sendable {
    /// Field 1, `message_sequence_id`: the sequence id of the message edited.
    public var messageSequenceID: SequenceID?
    /// Field 2, `updated_text`.
    public var updatedText: WireString?
    /// Field 3, `entities`.
    public var entities: [RichTextEntity]?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        messageSequenceID: SequenceID? = nil,
        updatedText: WireString? = nil,
        entities: [RichTextEntity]? = nil
    ) {
        self.messageSequenceID = messageSequenceID
        self.updatedText = updatedText
        self.entities = entities
    }
}

extension MessageEdit: WireStruct {
    package static let schema = StructSchema(
        struct: "MessageEdit",
        [
            FieldSchema(1, "message_sequence_id", .string),
            FieldSchema(2, "updated_text", .string),
            FieldSchema(3, "entities", .list(.structure(RichTextEntity.self))),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: messageSequenceID = try reader.read(SequenceID.self, field)
                case 2: updatedText = try reader.read(WireString.self, field)
                case 3: entities = try reader.read(ListOf<RichTextEntity>.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(messageSequenceID, as: SequenceID.self, id: 1)
        writer.write(updatedText, as: WireString.self, id: 2)
        writer.write(entities, as: ListOf<RichTextEntity>.self, id: 3)
        writer.stop()
    }
}

/// What the decrypted contents of a message are.
public enum MessageEntryContents: Hashable, Sendable {
    /// Field 1, `message`.
    case message(MessageContents)
    /// Field 2, `reaction_add`.
    case reactionAdd(MessageReactionAdd)
    /// Field 3, `reaction_remove`.
    case reactionRemove(MessageReactionRemove)
    /// Field 4, `message_edit`.
    case messageEdit(MessageEdit)
    /// Field 5, `mark_conversation_read`.
    case markConversationRead(MarkConversationRead)
    /// Field 6, `mark_conversation_unread`.
    case markConversationUnread(MarkConversationUnread)
    /// Field 7, `pin_conversation`.
    case pinConversation(PinConversation)
    /// Field 8, `unpin_conversation`.
    case unpinConversation(UnpinConversation)
    /// Field 9, `screen_capture_detected`.
    case screenCaptureDetected(ScreenCaptureDetected)
    /// Field 10, `av_call_ended`.
    case avCallEnded(AVCallEnded)
    /// Field 11, `av_call_missed`.
    case avCallMissed(AVCallMissed)
    /// Field 12, `draft_message`.
    case draftMessage(DraftMessage)
    /// Field 13, `accept_message_request`.
    case acceptMessageRequest(AcceptMessageRequest)
    /// Field 14, `nickname_message`.
    case nicknameMessage(NicknameMessage)
    /// Field 15, `set_verified_status`.
    case setVerifiedStatus(SetVerifiedStatus)
    /// Field 16, `av_call_started`.
    case avCallStarted(AVCallStarted)
    /// A variant that is unknown to this version.
    case unknown(UnknownField)
}

extension MessageEntryContents: WireStruct {
    package static let schema = StructSchema(
        union: "MessageEntryContents",
        [
            FieldSchema(1, "message", .structure(MessageContents.self)),
            FieldSchema(2, "reaction_add", .structure(MessageReactionAdd.self)),
            FieldSchema(3, "reaction_remove", .structure(MessageReactionRemove.self)),
            FieldSchema(4, "message_edit", .structure(MessageEdit.self)),
            FieldSchema(5, "mark_conversation_read", .structure(MarkConversationRead.self)),
            FieldSchema(6, "mark_conversation_unread", .structure(MarkConversationUnread.self)),
            FieldSchema(7, "pin_conversation", .structure(PinConversation.self)),
            FieldSchema(8, "unpin_conversation", .structure(UnpinConversation.self)),
            FieldSchema(9, "screen_capture_detected", .structure(ScreenCaptureDetected.self)),
            FieldSchema(10, "av_call_ended", .structure(AVCallEnded.self)),
            FieldSchema(11, "av_call_missed", .structure(AVCallMissed.self)),
            FieldSchema(12, "draft_message", .structure(DraftMessage.self)),
            FieldSchema(13, "accept_message_request", .structure(AcceptMessageRequest.self)),
            FieldSchema(14, "nickname_message", .structure(NicknameMessage.self)),
            FieldSchema(15, "set_verified_status", .structure(SetVerifiedStatus.self)),
            FieldSchema(16, "av_call_started", .structure(AVCallStarted.self)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var choice = UnionChoice<Self>(at: reader.offset)
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: try choice.take(.message(reader.read(field)), field)
                case 2: try choice.take(.reactionAdd(reader.read(field)), field)
                case 3: try choice.take(.reactionRemove(reader.read(field)), field)
                case 4: try choice.take(.messageEdit(reader.read(field)), field)
                case 5: try choice.take(.markConversationRead(reader.read(field)), field)
                case 6: try choice.take(.markConversationUnread(reader.read(field)), field)
                case 7: try choice.take(.pinConversation(reader.read(field)), field)
                case 8: try choice.take(.unpinConversation(reader.read(field)), field)
                case 9: try choice.take(.screenCaptureDetected(reader.read(field)), field)
                case 10: try choice.take(.avCallEnded(reader.read(field)), field)
                case 11: try choice.take(.avCallMissed(reader.read(field)), field)
                case 12: try choice.take(.draftMessage(reader.read(field)), field)
                case 13: try choice.take(.acceptMessageRequest(reader.read(field)), field)
                case 14: try choice.take(.nicknameMessage(reader.read(field)), field)
                case 15: try choice.take(.setVerifiedStatus(reader.read(field)), field)
                case 16: try choice.take(.avCallStarted(reader.read(field)), field)
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
        case .message(let value): writer.write(value, id: 1)
        case .reactionAdd(let value): writer.write(value, id: 2)
        case .reactionRemove(let value): writer.write(value, id: 3)
        case .messageEdit(let value): writer.write(value, id: 4)
        case .markConversationRead(let value): writer.write(value, id: 5)
        case .markConversationUnread(let value): writer.write(value, id: 6)
        case .pinConversation(let value): writer.write(value, id: 7)
        case .unpinConversation(let value): writer.write(value, id: 8)
        case .screenCaptureDetected(let value): writer.write(value, id: 9)
        case .avCallEnded(let value): writer.write(value, id: 10)
        case .avCallMissed(let value): writer.write(value, id: 11)
        case .draftMessage(let value): writer.write(value, id: 12)
        case .acceptMessageRequest(let value): writer.write(value, id: 13)
        case .nicknameMessage(let value): writer.write(value, id: 14)
        case .setVerifiedStatus(let value): writer.write(value, id: 15)
        case .avCallStarted(let value): writer.write(value, id: 16)
        case .unknown(let field): writer.write(field)
        }
        writer.stop()
    }
}

/// The decrypted contents of a message: the root of what ``MessageCreateEvent/contents`` holds.
public struct MessageEntryHolder: Hashable, Sendable {
    /// Field 1, `contents`.
    public var contents: MessageEntryContents?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(contents: MessageEntryContents? = nil) {
        self.contents = contents
    }
}

extension MessageEntryHolder: WireStruct {
    package static let schema = StructSchema(
        struct: "MessageEntryHolder",
        [
            FieldSchema(1, "contents", .structure(MessageEntryContents.self))
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: contents = try reader.read(MessageEntryContents.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(contents, as: MessageEntryContents.self, id: 1)
        writer.stop()
    }
}
