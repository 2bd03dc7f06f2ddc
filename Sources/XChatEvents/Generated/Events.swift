// generated from xchat.thrift by script/generate-events; change the IDL, not this file

package import ThriftBinary

/// Data with which a recipient can report a message to the server.
public struct FrankingData: Hashable, Sendable {
    /// Field 1, `franking_tag`.
    public var frankingTag: [UInt8]?
    /// Field 2, `encrypted_nonce`.
    public var encryptedNonce: [UInt8]?
    /// Field 4, `encrypted_media_hashes`.
    public var encryptedMediaHashes: [[UInt8]]?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(frankingTag: [UInt8]? = nil, encryptedNonce: [UInt8]? = nil, encryptedMediaHashes: [[UInt8]]? = nil) {
        self.frankingTag = frankingTag
        self.encryptedNonce = encryptedNonce
        self.encryptedMediaHashes = encryptedMediaHashes
    }
}

extension FrankingData: WireStruct {
    package static let schema = StructSchema(
        struct: "FrankingData",
        [
            FieldSchema(1, "franking_tag", .binary),
            FieldSchema(2, "encrypted_nonce", .binary),
            FieldSchema(4, "encrypted_media_hashes", .list(.binary)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: frankingTag = try reader.read(Binary.self, field)
                case 2: encryptedNonce = try reader.read(Binary.self, field)
                case 4: encryptedMediaHashes = try reader.read(ListOf<Binary>.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(frankingTag, as: Binary.self, id: 1)
        writer.write(encryptedNonce, as: Binary.self, id: 2)
        writer.write(encryptedMediaHashes, as: ListOf<Binary>.self, id: 4)
        writer.stop()
    }
}

/// A message, whose contents are encrypted if there is a key version.
public struct MessageCreateEvent: Hashable, Sendable {
    /// Field 100, `contents`: an encoded ``MessageEntryHolder``, encrypted under the conversation key.
    public var contents: [UInt8]?
    /// Field 101, `conversation_key_version`: absent when the contents are not encrypted.
    public var conversationKeyVersion: KeyVersion?
    /// Field 102, `should_notify`.
    public var shouldNotify: Bool?
    /// Field 103, `ttl_msec`: milliseconds after which the message vanishes.
    public var ttlMsec: Int64?
    /// Field 104, `delivered_at_msec`.
    public var deliveredAtMsec: Int64?
    /// Field 105, `is_pending_public_key`.
    public var isPendingPublicKey: Bool?
    /// Field 106, `priority`.
    public var priority: EventQueuePriority?
    /// Field 107, `additional_action_list`.
    public var additionalActionList: [AdditionalAction]?
    /// Field 108, `franking_data`.
    public var frankingData: FrankingData?
    /// Field 109, `is_message_request`.
    public var isMessageRequest: Bool?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        contents: [UInt8]? = nil,
        conversationKeyVersion: KeyVersion? = nil,
        shouldNotify: Bool? = nil,
        ttlMsec: Int64? = nil,
        deliveredAtMsec: Int64? = nil,
        isPendingPublicKey: Bool? = nil,
        priority: EventQueuePriority? = nil,
        additionalActionList: [AdditionalAction]? = nil,
        frankingData: FrankingData? = nil,
        isMessageRequest: Bool? = nil
    ) {
        self.contents = contents
        self.conversationKeyVersion = conversationKeyVersion
        self.shouldNotify = shouldNotify
        self.ttlMsec = ttlMsec
        self.deliveredAtMsec = deliveredAtMsec
        self.isPendingPublicKey = isPendingPublicKey
        self.priority = priority
        self.additionalActionList = additionalActionList
        self.frankingData = frankingData
        self.isMessageRequest = isMessageRequest
    }
}

extension MessageCreateEvent: WireStruct {
    package static let schema = StructSchema(
        struct: "MessageCreateEvent",
        [
            FieldSchema(100, "contents", .binary),
            FieldSchema(101, "conversation_key_version", .string),
            FieldSchema(102, "should_notify", .bool),
            FieldSchema(103, "ttl_msec", .i64),
            FieldSchema(104, "delivered_at_msec", .i64),
            FieldSchema(105, "is_pending_public_key", .bool),
            FieldSchema(106, "priority", .enumeration(EventQueuePriority.self)),
            FieldSchema(107, "additional_action_list", .list(.enumeration(AdditionalAction.self))),
            FieldSchema(108, "franking_data", .structure(FrankingData.self)),
            FieldSchema(109, "is_message_request", .bool),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 100: contents = try reader.read(Binary.self, field)
                case 101: conversationKeyVersion = try reader.read(KeyVersion.self, field)
                case 102: shouldNotify = try reader.read(Bool.self, field)
                case 103: ttlMsec = try reader.read(Int64.self, field)
                case 104: deliveredAtMsec = try reader.read(Int64.self, field)
                case 105: isPendingPublicKey = try reader.read(Bool.self, field)
                case 106: priority = try reader.read(EventQueuePriority.self, field)
                case 107: additionalActionList = try reader.read(ListOf<AdditionalAction>.self, field)
                case 108: frankingData = try reader.read(FrankingData.self, field)
                case 109: isMessageRequest = try reader.read(Bool.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(contents, as: Binary.self, id: 100)
        writer.write(conversationKeyVersion, as: KeyVersion.self, id: 101)
        writer.write(shouldNotify, as: Bool.self, id: 102)
        writer.write(ttlMsec, as: Int64.self, id: 103)
        writer.write(deliveredAtMsec, as: Int64.self, id: 104)
        writer.write(isPendingPublicKey, as: Bool.self, id: 105)
        writer.write(priority, as: EventQueuePriority.self, id: 106)
        writer.write(additionalActionList, as: ListOf<AdditionalAction>.self, id: 107)
        writer.write(frankingData, as: FrankingData.self, id: 108)
        writer.write(isMessageRequest, as: Bool.self, id: 109)
        writer.stop()
    }
}
