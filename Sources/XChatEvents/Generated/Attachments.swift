// generated from xchat.thrift by script/generate-events; change the IDL, not this file

package import ThriftBinary

/// The size of a picture in pixels.
public struct MediaDimensions: Hashable, Sendable {
    /// Field 1, `width`.
    public var width: Int64?
    /// Field 2, `height`.
    public var height: Int64?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(width: Int64? = nil, height: Int64? = nil) {
        self.width = width
        self.height = height
    }
}

extension MediaDimensions: WireStruct {
    package static let schema = StructSchema(
        struct: "MediaDimensions",
        [
            FieldSchema(1, "width", .i64),
            FieldSchema(2, "height", .i64),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: width = try reader.read(Int64.self, field)
                case 2: height = try reader.read(Int64.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(width, as: Int64.self, id: 1)
        writer.write(height, as: Int64.self, id: 2)
        writer.stop()
    }
}

/// An encrypted media file.
public struct MediaAttachment: Hashable, Sendable {
    /// Field 1, `media_hash_key`.
    public var mediaHashKey: WireString?
    /// Field 2, `dimensions`.
    public var dimensions: MediaDimensions?
    /// Field 3, `type`.
    public var type: MediaType?
    /// Field 4, `duration_millis`.
    public var durationMillis: Int64?
    /// Field 5, `filesize_bytes`.
    public var filesizeBytes: Int64?
    /// Field 6, `filename`.
    public var filename: WireString?
    /// Field 7, `attachment_id`.
    public var attachmentID: WireString?
    /// Field 8, `legacy_media_url_https`.
    public var legacyMediaURLHTTPS: WireString?
    /// Field 9, `legacy_media_preview_url`.
    public var legacyMediaPreviewURL: WireString?
    /// Field 10, `grok_tag`.
    public var grokTag: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        mediaHashKey: WireString? = nil,
        dimensions: MediaDimensions? = nil,
        type: MediaType? = nil,
        durationMillis: Int64? = nil,
        filesizeBytes: Int64? = nil,
        filename: WireString? = nil,
        attachmentID: WireString? = nil,
        legacyMediaURLHTTPS: WireString? = nil,
        legacyMediaPreviewURL: WireString? = nil,
        grokTag: WireString? = nil
    ) {
        self.mediaHashKey = mediaHashKey
        self.dimensions = dimensions
        self.type = type
        self.durationMillis = durationMillis
        self.filesizeBytes = filesizeBytes
        self.filename = filename
        self.attachmentID = attachmentID
        self.legacyMediaURLHTTPS = legacyMediaURLHTTPS
        self.legacyMediaPreviewURL = legacyMediaPreviewURL
        self.grokTag = grokTag
    }
}

extension MediaAttachment: WireStruct {
    package static let schema = StructSchema(
        struct: "MediaAttachment",
        [
            FieldSchema(1, "media_hash_key", .string),
            FieldSchema(2, "dimensions", .structure(MediaDimensions.self)),
            FieldSchema(3, "type", .enumeration(MediaType.self)),
            FieldSchema(4, "duration_millis", .i64),
            FieldSchema(5, "filesize_bytes", .i64),
            FieldSchema(6, "filename", .string),
            FieldSchema(7, "attachment_id", .string),
            FieldSchema(8, "legacy_media_url_https", .string),
            FieldSchema(9, "legacy_media_preview_url", .string),
            FieldSchema(10, "grok_tag", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: mediaHashKey = try reader.read(WireString.self, field)
                case 2: dimensions = try reader.read(MediaDimensions.self, field)
                case 3: type = try reader.read(MediaType.self, field)
                case 4: durationMillis = try reader.read(Int64.self, field)
                case 5: filesizeBytes = try reader.read(Int64.self, field)
                case 6: filename = try reader.read(WireString.self, field)
                case 7: attachmentID = try reader.read(WireString.self, field)
                case 8: legacyMediaURLHTTPS = try reader.read(WireString.self, field)
                case 9: legacyMediaPreviewURL = try reader.read(WireString.self, field)
                case 10: grokTag = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(mediaHashKey, as: WireString.self, id: 1)
        writer.write(dimensions, as: MediaDimensions.self, id: 2)
        writer.write(type, as: MediaType.self, id: 3)
        writer.write(durationMillis, as: Int64.self, id: 4)
        writer.write(filesizeBytes, as: Int64.self, id: 5)
        writer.write(filename, as: WireString.self, id: 6)
        writer.write(attachmentID, as: WireString.self, id: 7)
        writer.write(legacyMediaURLHTTPS, as: WireString.self, id: 8)
        writer.write(legacyMediaPreviewURL, as: WireString.self, id: 9)
        writer.write(grokTag, as: WireString.self, id: 10)
        writer.stop()
    }
}

/// A post of X.
public struct PostAttachment: Hashable, Sendable {
    /// Field 1, `rest_id`.
    public var restID: WireString?
    /// Field 2, `post_url`.
    public var postURL: WireString?
    /// Field 3, `attachment_id`.
    public var attachmentID: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(restID: WireString? = nil, postURL: WireString? = nil, attachmentID: WireString? = nil) {
        self.restID = restID
        self.postURL = postURL
        self.attachmentID = attachmentID
    }
}

extension PostAttachment: WireStruct {
    package static let schema = StructSchema(
        struct: "PostAttachment",
        [
            FieldSchema(1, "rest_id", .string),
            FieldSchema(2, "post_url", .string),
            FieldSchema(3, "attachment_id", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: restID = try reader.read(WireString.self, field)
                case 2: postURL = try reader.read(WireString.self, field)
                case 3: attachmentID = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(restID, as: WireString.self, id: 1)
        writer.write(postURL, as: WireString.self, id: 2)
        writer.write(attachmentID, as: WireString.self, id: 3)
        writer.stop()
    }
}

/// A picture in the preview of a link.
public struct UrlAttachmentImage: Hashable, Sendable {
    /// Field 1, `media_hash_key`.
    public var mediaHashKey: WireString?
    /// Field 2, `filesize_bytes`.
    public var filesizeBytes: Int64?
    /// Field 3, `filename`.
    public var filename: WireString?
    /// Field 4, `dimensions`.
    public var dimensions: MediaDimensions?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        mediaHashKey: WireString? = nil,
        filesizeBytes: Int64? = nil,
        filename: WireString? = nil,
        dimensions: MediaDimensions? = nil
    ) {
        self.mediaHashKey = mediaHashKey
        self.filesizeBytes = filesizeBytes
        self.filename = filename
        self.dimensions = dimensions
    }
}

extension UrlAttachmentImage: WireStruct {
    package static let schema = StructSchema(
        struct: "UrlAttachmentImage",
        [
            FieldSchema(1, "media_hash_key", .string),
            FieldSchema(2, "filesize_bytes", .i64),
            FieldSchema(3, "filename", .string),
            FieldSchema(4, "dimensions", .structure(MediaDimensions.self)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: mediaHashKey = try reader.read(WireString.self, field)
                case 2: filesizeBytes = try reader.read(Int64.self, field)
                case 3: filename = try reader.read(WireString.self, field)
                case 4: dimensions = try reader.read(MediaDimensions.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(mediaHashKey, as: WireString.self, id: 1)
        writer.write(filesizeBytes, as: Int64.self, id: 2)
        writer.write(filename, as: WireString.self, id: 3)
        writer.write(dimensions, as: MediaDimensions.self, id: 4)
        writer.stop()
    }
}

/// A link with its preview.
public struct UrlAttachment: Hashable, Sendable {
    /// Field 1, `url`.
    public var url: WireString?
    /// Field 2, `banner_image_media_hash_key`.
    public var bannerImageMediaHashKey: UrlAttachmentImage?
    /// Field 3, `favicon_image_media_hash_key`.
    public var faviconImageMediaHashKey: UrlAttachmentImage?
    /// Field 4, `display_title`.
    public var displayTitle: WireString?
    /// Field 5, `attachment_id`.
    public var attachmentID: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        url: WireString? = nil,
        bannerImageMediaHashKey: UrlAttachmentImage? = nil,
        faviconImageMediaHashKey: UrlAttachmentImage? = nil,
        displayTitle: WireString? = nil,
        attachmentID: WireString? = nil
    ) {
        self.url = url
        self.bannerImageMediaHashKey = bannerImageMediaHashKey
        self.faviconImageMediaHashKey = faviconImageMediaHashKey
        self.displayTitle = displayTitle
        self.attachmentID = attachmentID
    }
}

extension UrlAttachment: WireStruct {
    package static let schema = StructSchema(
        struct: "UrlAttachment",
        [
            FieldSchema(1, "url", .string),
            FieldSchema(2, "banner_image_media_hash_key", .structure(UrlAttachmentImage.self)),
            FieldSchema(3, "favicon_image_media_hash_key", .structure(UrlAttachmentImage.self)),
            FieldSchema(4, "display_title", .string),
            FieldSchema(5, "attachment_id", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: url = try reader.read(WireString.self, field)
                case 2: bannerImageMediaHashKey = try reader.read(UrlAttachmentImage.self, field)
                case 3: faviconImageMediaHashKey = try reader.read(UrlAttachmentImage.self, field)
                case 4: displayTitle = try reader.read(WireString.self, field)
                case 5: attachmentID = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(url, as: WireString.self, id: 1)
        writer.write(bannerImageMediaHashKey, as: UrlAttachmentImage.self, id: 2)
        writer.write(faviconImageMediaHashKey, as: UrlAttachmentImage.self, id: 3)
        writer.write(displayTitle, as: WireString.self, id: 4)
        writer.write(attachmentID, as: WireString.self, id: 5)
        writer.stop()
    }
}

/// A card of X.
public struct UnifiedCardAttachment: Hashable, Sendable {
    /// Field 1, `url`.
    public var url: WireString?
    /// Field 2, `attachment_id`.
    public var attachmentID: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(url: WireString? = nil, attachmentID: WireString? = nil) {
        self.url = url
        self.attachmentID = attachmentID
    }
}

extension UnifiedCardAttachment: WireStruct {
    package static let schema = StructSchema(
        struct: "UnifiedCardAttachment",
        [
            FieldSchema(1, "url", .string),
            FieldSchema(2, "attachment_id", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: url = try reader.read(WireString.self, field)
                case 2: attachmentID = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(url, as: WireString.self, id: 1)
        writer.write(attachmentID, as: WireString.self, id: 2)
        writer.stop()
    }
}

/// A payment.
public struct MoneyAttachment: Hashable, Sendable {
    /// Field 1, `fallbackText`.
    public var fallbackText: WireString?
    /// Field 2, `payload`.
    public var payload: [UInt8]?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(fallbackText: WireString? = nil, payload: [UInt8]? = nil) {
        self.fallbackText = fallbackText
        self.payload = payload
    }
}

extension MoneyAttachment: WireStruct {
    package static let schema = StructSchema(
        struct: "MoneyAttachment",
        [
            FieldSchema(1, "fallbackText", .string),
            FieldSchema(2, "payload", .binary),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: fallbackText = try reader.read(WireString.self, field)
                case 2: payload = try reader.read(Binary.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(fallbackText, as: WireString.self, id: 1)
        writer.write(payload, as: Binary.self, id: 2)
        writer.stop()
    }
}

/// A view that X's apps render from a URL.
public struct JetfuelAttachment: Hashable, Sendable {
    /// Field 2, `height`.
    public var height: Int32?
    /// Field 3, `url`.
    public var url: WireString?
    /// Field 4, `attachment_id`.
    public var attachmentID: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(height: Int32? = nil, url: WireString? = nil, attachmentID: WireString? = nil) {
        self.height = height
        self.url = url
        self.attachmentID = attachmentID
    }
}

extension JetfuelAttachment: WireStruct {
    package static let schema = StructSchema(
        struct: "JetfuelAttachment",
        [
            FieldSchema(2, "height", .i32),
            FieldSchema(3, "url", .string),
            FieldSchema(4, "attachment_id", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 2: height = try reader.read(Int32.self, field)
                case 3: url = try reader.read(WireString.self, field)
                case 4: attachmentID = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(height, as: Int32.self, id: 2)
        writer.write(url, as: WireString.self, id: 3)
        writer.write(attachmentID, as: WireString.self, id: 4)
        writer.stop()
    }
}

/// One attachment.
public enum MessageAttachment: Hashable, Sendable {
    /// Field 1, `media`.
    case media(MediaAttachment)
    /// Field 2, `post`.
    case post(PostAttachment)
    /// Field 3, `url`.
    case url(UrlAttachment)
    /// Field 4, `unified_card`.
    case unifiedCard(UnifiedCardAttachment)
    /// Field 5, `money`.
    case money(MoneyAttachment)
    /// Field 6, `jetfuel`.
    case jetfuel(JetfuelAttachment)
    /// A variant that is unknown to this version.
    case unknown(UnknownField)
}

extension MessageAttachment: WireStruct {
    package static let schema = StructSchema(
        union: "MessageAttachment",
        [
            FieldSchema(1, "media", .structure(MediaAttachment.self)),
            FieldSchema(2, "post", .structure(PostAttachment.self)),
            FieldSchema(3, "url", .structure(UrlAttachment.self)),
            FieldSchema(4, "unified_card", .structure(UnifiedCardAttachment.self)),
            FieldSchema(5, "money", .structure(MoneyAttachment.self)),
            FieldSchema(6, "jetfuel", .structure(JetfuelAttachment.self)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var choice = UnionChoice<Self>(at: reader.offset)
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: try choice.take(.media(reader.read(field)), field)
                case 2: try choice.take(.post(reader.read(field)), field)
                case 3: try choice.take(.url(reader.read(field)), field)
                case 4: try choice.take(.unifiedCard(reader.read(field)), field)
                case 5: try choice.take(.money(reader.read(field)), field)
                case 6: try choice.take(.jetfuel(reader.read(field)), field)
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
        case .media(let value): writer.write(value, id: 1)
        case .post(let value): writer.write(value, id: 2)
        case .url(let value): writer.write(value, id: 3)
        case .unifiedCard(let value): writer.write(value, id: 4)
        case .money(let value): writer.write(value, id: 5)
        case .jetfuel(let value): writer.write(value, id: 6)
        case .unknown(let field): writer.write(field)
        }
        writer.stop()
    }
}
