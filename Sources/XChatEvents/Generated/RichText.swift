// generated from xchat.thrift by script/generate-events; change the IDL, not this file

package import ThriftBinary

/// A hashtag.
public struct HashtagRichTextContent: Hashable, Sendable {
    /// Makes a value.
    public init() {}
}

extension HashtagRichTextContent: WireStruct {
    package static let schema = StructSchema(struct: "HashtagRichTextContent", [])

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

/// A cashtag.
public struct CashtagRichTextContent: Hashable, Sendable {
    /// Makes a value.
    public init() {}
}

extension CashtagRichTextContent: WireStruct {
    package static let schema = StructSchema(struct: "CashtagRichTextContent", [])

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

/// A mention of a user.
public struct MentionRichTextContent: Hashable, Sendable {
    /// Makes a value.
    public init() {}
}

extension MentionRichTextContent: WireStruct {
    package static let schema = StructSchema(struct: "MentionRichTextContent", [])

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

/// A link.
public struct UrlRichTextContent: Hashable, Sendable {
    /// Makes a value.
    public init() {}
}

extension UrlRichTextContent: WireStruct {
    package static let schema = StructSchema(struct: "UrlRichTextContent", [])

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

/// An e-mail address.
public struct EmailRichTextContent: Hashable, Sendable {
    /// Makes a value.
    public init() {}
}

extension EmailRichTextContent: WireStruct {
    package static let schema = StructSchema(struct: "EmailRichTextContent", [])

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

/// A postal address.
public struct AddressRichTextContent: Hashable, Sendable {
    /// Makes a value.
    public init() {}
}

extension AddressRichTextContent: WireStruct {
    package static let schema = StructSchema(struct: "AddressRichTextContent", [])

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

/// A telephone number.
public struct PhoneNumberRichTextContent: Hashable, Sendable {
    /// Makes a value.
    public init() {}
}

extension PhoneNumberRichTextContent: WireStruct {
    package static let schema = StructSchema(struct: "PhoneNumberRichTextContent", [])

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

/// What a stretch of text is; every variant is an empty struct.
public enum RichTextContent: Hashable, Sendable {
    /// Field 1, `hashtag`.
    case hashtag(HashtagRichTextContent)
    /// Field 2, `cashtag`.
    case cashtag(CashtagRichTextContent)
    /// Field 3, `mention`.
    case mention(MentionRichTextContent)
    /// Field 4, `url`.
    case url(UrlRichTextContent)
    /// Field 5, `email`.
    case email(EmailRichTextContent)
    /// Field 6, `address`.
    case address(AddressRichTextContent)
    /// Field 7, `phoneNumber`.
    case phoneNumber(PhoneNumberRichTextContent)
    /// A variant that is unknown to this version.
    case unknown(UnknownField)
}

extension RichTextContent: WireStruct {
    package static let schema = StructSchema(
        union: "RichTextContent",
        [
            FieldSchema(1, "hashtag", .structure(HashtagRichTextContent.self)),
            FieldSchema(2, "cashtag", .structure(CashtagRichTextContent.self)),
            FieldSchema(3, "mention", .structure(MentionRichTextContent.self)),
            FieldSchema(4, "url", .structure(UrlRichTextContent.self)),
            FieldSchema(5, "email", .structure(EmailRichTextContent.self)),
            FieldSchema(6, "address", .structure(AddressRichTextContent.self)),
            FieldSchema(7, "phoneNumber", .structure(PhoneNumberRichTextContent.self)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var choice = UnionChoice<Self>(at: reader.offset)
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: try choice.take(.hashtag(reader.read(field)), field)
                case 2: try choice.take(.cashtag(reader.read(field)), field)
                case 3: try choice.take(.mention(reader.read(field)), field)
                case 4: try choice.take(.url(reader.read(field)), field)
                case 5: try choice.take(.email(reader.read(field)), field)
                case 6: try choice.take(.address(reader.read(field)), field)
                case 7: try choice.take(.phoneNumber(reader.read(field)), field)
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
        case .hashtag(let value): writer.write(value, id: 1)
        case .cashtag(let value): writer.write(value, id: 2)
        case .mention(let value): writer.write(value, id: 3)
        case .url(let value): writer.write(value, id: 4)
        case .email(let value): writer.write(value, id: 5)
        case .address(let value): writer.write(value, id: 6)
        case .phoneNumber(let value): writer.write(value, id: 7)
        case .unknown(let field): writer.write(field)
        }
        writer.stop()
    }
}

/// A stretch of text that is a link, a mention and so on.
public struct RichTextEntity: Hashable, Sendable {
    /// Field 1, `start_index`.
    public var startIndex: Int32?
    /// Field 2, `end_index`: the end of the range, exclusive.
    public var endIndex: Int32?
    /// Field 3, `content`.
    public var content: RichTextContent?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(startIndex: Int32? = nil, endIndex: Int32? = nil, content: RichTextContent? = nil) {
        self.startIndex = startIndex
        self.endIndex = endIndex
        self.content = content
    }
}

extension RichTextEntity: WireStruct {
    package static let schema = StructSchema(
        struct: "RichTextEntity",
        [
            FieldSchema(1, "start_index", .i32),
            FieldSchema(2, "end_index", .i32),
            FieldSchema(3, "content", .structure(RichTextContent.self)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: startIndex = try reader.read(Int32.self, field)
                case 2: endIndex = try reader.read(Int32.self, field)
                case 3: content = try reader.read(RichTextContent.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(startIndex, as: Int32.self, id: 1)
        writer.write(endIndex, as: Int32.self, id: 2)
        writer.write(content, as: RichTextContent.self, id: 3)
        writer.stop()
    }
}
