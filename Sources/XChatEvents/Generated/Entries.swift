// generated from xchat.thrift by script/generate-events; change the IDL, not this file

package import ThriftBinary

/// A conversation read, up to an event; encrypted form.
public struct MarkConversationRead: Hashable, Sendable {
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

extension MarkConversationRead: WireStruct {
    package static let schema = StructSchema(
        struct: "MarkConversationRead",
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

/// A conversation marked unread, from an event on; encrypted form.
public struct MarkConversationUnread: Hashable, Sendable {
    /// Field 1, `seen_until_sequence_id`.
    public var seenUntilSequenceID: SequenceID?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(seenUntilSequenceID: SequenceID? = nil) {
        self.seenUntilSequenceID = seenUntilSequenceID
    }
}

extension MarkConversationUnread: WireStruct {
    package static let schema = StructSchema(
        struct: "MarkConversationUnread",
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

/// A conversation pinned to the top.
public struct PinConversation: Hashable, Sendable {
    /// Field 1, `conversation_id`.
    public var conversationID: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(conversationID: WireString? = nil) {
        self.conversationID = conversationID
    }
}

extension PinConversation: WireStruct {
    package static let schema = StructSchema(
        struct: "PinConversation",
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

/// A conversation not pinned any more.
public struct UnpinConversation: Hashable, Sendable {
    /// Field 1, `conversation_id`.
    public var conversationID: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(conversationID: WireString? = nil) {
        self.conversationID = conversationID
    }
}

extension UnpinConversation: WireStruct {
    package static let schema = StructSchema(
        struct: "UnpinConversation",
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

/// A call that ended.
public struct AVCallEnded: Hashable, Sendable {
    /// Field 1, `sent_at_millis`.
    public var sentAtMillis: Int64?
    /// Field 2, `duration_seconds`.
    public var durationSeconds: Int64?
    /// Field 3, `is_audio_only`.
    public var isAudioOnly: Bool?
    /// Field 5, `broadcast_id`.
    public var broadcastID: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        sentAtMillis: Int64? = nil,
        durationSeconds: Int64? = nil,
        isAudioOnly: Bool? = nil,
        broadcastID: WireString? = nil
    ) {
        self.sentAtMillis = sentAtMillis
        self.durationSeconds = durationSeconds
        self.isAudioOnly = isAudioOnly
        self.broadcastID = broadcastID
    }
}

extension AVCallEnded: WireStruct {
    package static let schema = StructSchema(
        struct: "AVCallEnded",
        [
            FieldSchema(1, "sent_at_millis", .i64),
            FieldSchema(2, "duration_seconds", .i64),
            FieldSchema(3, "is_audio_only", .bool),
            FieldSchema(5, "broadcast_id", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: sentAtMillis = try reader.read(Int64.self, field)
                case 2: durationSeconds = try reader.read(Int64.self, field)
                case 3: isAudioOnly = try reader.read(Bool.self, field)
                case 5: broadcastID = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(sentAtMillis, as: Int64.self, id: 1)
        writer.write(durationSeconds, as: Int64.self, id: 2)
        writer.write(isAudioOnly, as: Bool.self, id: 3)
        writer.write(broadcastID, as: WireString.self, id: 5)
        writer.stop()
    }
}

/// A call that was not answered.
public struct AVCallMissed: Hashable, Sendable {
    /// Field 1, `sent_at_millis`.
    public var sentAtMillis: Int64?
    /// Field 2, `is_audio_only`.
    public var isAudioOnly: Bool?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(sentAtMillis: Int64? = nil, isAudioOnly: Bool? = nil) {
        self.sentAtMillis = sentAtMillis
        self.isAudioOnly = isAudioOnly
    }
}

extension AVCallMissed: WireStruct {
    package static let schema = StructSchema(
        struct: "AVCallMissed",
        [
            FieldSchema(1, "sent_at_millis", .i64),
            FieldSchema(2, "is_audio_only", .bool),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: sentAtMillis = try reader.read(Int64.self, field)
                case 2: isAudioOnly = try reader.read(Bool.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(sentAtMillis, as: Int64.self, id: 1)
        writer.write(isAudioOnly, as: Bool.self, id: 2)
        writer.stop()
    }
}

/// A call that began.
public struct AVCallStarted: Hashable, Sendable {
    /// Field 1, `is_audio_only`.
    public var isAudioOnly: Bool?
    /// Field 3, `broadcast_id`.
    public var broadcastID: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(isAudioOnly: Bool? = nil, broadcastID: WireString? = nil) {
        self.isAudioOnly = isAudioOnly
        self.broadcastID = broadcastID
    }
}

extension AVCallStarted: WireStruct {
    package static let schema = StructSchema(
        struct: "AVCallStarted",
        [
            FieldSchema(1, "is_audio_only", .bool),
            FieldSchema(3, "broadcast_id", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: isAudioOnly = try reader.read(Bool.self, field)
                case 3: broadcastID = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(isAudioOnly, as: Bool.self, id: 1)
        writer.write(broadcastID, as: WireString.self, id: 3)
        writer.stop()
    }
}

/// A participant captured the screen.
public struct ScreenCaptureDetected: Hashable, Sendable {
    /// Field 1, `type`.
    public var type: ScreenCaptureType?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(type: ScreenCaptureType? = nil) {
        self.type = type
    }
}

extension ScreenCaptureDetected: WireStruct {
    package static let schema = StructSchema(
        struct: "ScreenCaptureDetected",
        [
            FieldSchema(1, "type", .enumeration(ScreenCaptureType.self))
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: type = try reader.read(ScreenCaptureType.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(type, as: ScreenCaptureType.self, id: 1)
        writer.stop()
    }
}

/// A text not sent yet, for the user's other devices.
public struct DraftMessage: Hashable, Sendable {
    /// Field 1, `conversation_id`.
    public var conversationID: WireString?
    /// Field 2, `draft_text`.
    public var draftText: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(conversationID: WireString? = nil, draftText: WireString? = nil) {
        self.conversationID = conversationID
        self.draftText = draftText
    }
}

extension DraftMessage: WireStruct {
    package static let schema = StructSchema(
        struct: "DraftMessage",
        [
            FieldSchema(1, "conversation_id", .string),
            FieldSchema(2, "draft_text", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: conversationID = try reader.read(WireString.self, field)
                case 2: draftText = try reader.read(WireString.self, field)
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
        writer.write(draftText, as: WireString.self, id: 2)
        writer.stop()
    }
}

/// A message request accepted.
public struct AcceptMessageRequest: Hashable, Sendable {
    /// Makes a value.
    public init() {}
}

extension AcceptMessageRequest: WireStruct {
    package static let schema = StructSchema(struct: "AcceptMessageRequest", [])

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                try reader.skip(field)
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.stop()
    }
}

/// A nickname given to a user.
public struct NicknameMessage: Hashable, Sendable {
    /// Field 1, `user_id`.
    public var userID: Int64?
    /// Field 2, `nickname_text`.
    public var nicknameText: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(userID: Int64? = nil, nicknameText: WireString? = nil) {
        self.userID = userID
        self.nicknameText = nicknameText
    }
}

extension NicknameMessage: WireStruct {
    package static let schema = StructSchema(
        struct: "NicknameMessage",
        [
            FieldSchema(1, "user_id", .i64),
            FieldSchema(2, "nickname_text", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: userID = try reader.read(Int64.self, field)
                case 2: nicknameText = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(userID, as: Int64.self, id: 1)
        writer.write(nicknameText, as: WireString.self, id: 2)
        writer.stop()
    }
}

/// A user's keys were marked as compared, or no longer are.
public struct SetVerifiedStatus: Hashable, Sendable {
    /// Field 1, `user_id`.
    public var userID: Int64?
    /// Field 2, `verified_status`.
    public var verifiedStatus: Bool?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(userID: Int64? = nil, verifiedStatus: Bool? = nil) {
        self.userID = userID
        self.verifiedStatus = verifiedStatus
    }
}

extension SetVerifiedStatus: WireStruct {
    package static let schema = StructSchema(
        struct: "SetVerifiedStatus",
        [
            FieldSchema(1, "user_id", .i64),
            FieldSchema(2, "verified_status", .bool),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: userID = try reader.read(Int64.self, field)
                case 2: verifiedStatus = try reader.read(Bool.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(userID, as: Int64.self, id: 1)
        writer.write(verifiedStatus, as: Bool.self, id: 2)
        writer.stop()
    }
}
