import XChat
import XChatEvents

@testable import XChatEngine

/// The events that are compared.
struct ConformanceCases {
    let cast: Cast
    private let variants: Variants

    static let versions: [WireString?] = [
        "2", "3", "4", "5", "6", "7", "8", "", "x", "1", "-1", "0", "+7", "07", "2147483647", "2147483648", nil,
    ]

    init(_ cast: Cast) throws {
        self.cast = cast
        let text = MessageEntryHolder(contents: .message(MessageContents(messageText: "original")))
        var original = try cast.event(cast.sealed(.message(MessageContents(messageText: "original"))))
        original.sequenceID = "77"
        var edit = try cast.event(
            cast.sealed(.messageEdit(MessageEdit(messageSequenceID: "77", updatedText: "edited")))
        )
        edit.sequenceID = "78"
        let change = try cast.event(cast.delivering(cast.pairKey, version: Cast.pairVersion))
        let wrapped = Base64.encode(try cast.bob.identityKey.key.wrap(try ConversationKey.generate()))
        variants = Variants(
            sensible: [
                "MessageCreateEvent.contents": Variants.binary(try cast.pairKey.seal(text.encoded())),
                "MessageCreateEvent.conversation_key_version": Variants.string(Cast.pairVersion.string),
                "ConversationKeyChangeEvent.conversation_key_version": Variants.string("1003"),
                "conversation_key_version": Variants.string(Cast.groupVersion.string),
                "ConversationParticipantKey.user_id": Variants.string("2222"),
                "encrypted_conversation_key": Variants.string(wrapped),
                "public_key_version": Variants.string("1"),
                "GroupCreate.member_ids": Variants.strings(["1111", "2222", "3333"]),
                "GroupCreate.admin_ids": Variants.strings(["1111"]),
                "GroupMemberAddChange.member_ids": Variants.strings(["4444"]),
                "current_member_ids": Variants.strings(["1111", "2222", "3333"]),
                "current_admin_ids": Variants.strings(["1111", "3333"]),
                "current_pending_member_ids": Variants.strings(["5555"]),
                "admin_ids": Variants.strings(["3333"]),
                "member_ids": Variants.strings(["3333"]),
                "rejected_user_ids": Variants.strings(["6666", "7777"]),
                "disabled_by_member_id": Variants.string("1111"),
                "requesting_user_id": Variants.string("1111"),
                "MessageDeleteEvent.sequence_ids": Variants.strings(["5", "6"]),
                "seen_until_sequence_id": Variants.string("9"),
                "muted_conversation_ids": Variants.strings(["g9", "1111:2222"]),
                "unmuted_conversation_ids": Variants.strings(["g9"]),
                "ConversationDeleteEvent.conversation_id": Variants.string(Cast.pair.string),
                "MessageContents.message_text": Variants.string("hi #there"),
                "ReplyingToPreview.sender_id": Variants.i64(1111),
                "ReplyingToPreview.message_text": Variants.string("edi"),
                "ReplyingToPreview.entities": Variants.list(of: .structure(RichTextEntity.self), []),
                "ReplyingToPreview.attachments": Variants.list(of: .structure(MessageAttachment.self), []),
                "replying_to_message_sequence_id": Variants.string("77"),
                "replying_to_message_id": Variants.string(original.messageID?.string ?? ""),
                "raw_event_message_create": original.encoded(),
                "raw_event_edit_message": edit.encoded(),
                "raw_event_ckces": Variants.list(of: .structure(MessageEvent.self), [change.encoded()]),
            ],
            fixed: [
                "MessageCreateEvent.contents", "ReplyingToPreview.raw_event_message_create",
                "ReplyingToPreview.raw_event_edit_message", "ReplyingToPreview.raw_event_ckces",
            ]
        )
    }

    // MARK: Sets of cases

    /// Events of every kind, with each field present and absent, under several signature versions.
    func details() throws -> [ConformanceCase] {
        var cases: [ConformanceCase] = []
        for (index, variant) in variants.variants(of: MessageEventDetail.schema).enumerated() {
            // The layout of the signed text depends on its version and on the fields that are present, not on values.
            let isPresence =
                [" all", " none"].contains(where: variant.name.hasSuffix)
                || [" without ", " only "].contains(where: variant.name.contains)
            let hasLayouts = ["KeyChange", "group_create", "group_member_add"].contains(where: variant.name.contains)
            let isTree = variant.name.contains("ratchet_tree_change ")
            let others = Self.versions[index % Self.versions.count]
            for version in isPresence && hasLayouts && !isTree ? Self.versions : ["7", others] {
                var given = try signed(variant.name, variant.bytes, version: version)
                if Self.isBrokenTree(variant.name) { given.oddity = .brokenTree }
                cases.append(given)
            }
        }
        return cases
    }

    /// Messages with contents of every kind, with each field present and absent.
    func contents() throws -> [ConformanceCase] {
        try variants.variants(of: MessageEntryHolder.schema).map { variant in
            var given = try signed("contents \(variant.name)", try Self.message(cast.sealed(variant.bytes)))
            if variant.name.hasSuffix("replying_to_preview attachments of unknown variant") {
                given.oddity = .unseenClaim
            }
            return given
        }
    }

    /// Encodings that X's clients never write: both engines refuse them, or only the SDK reads them.
    func encodings() throws -> [ConformanceCase] {
        let detail = try cast.sealed(.message(MessageContents(messageText: "hi")))
        let event = try cast.event(detail)
        let bytes = event.encoded()
        let open = Array(bytes.dropLast())
        var cases = (0..<bytes.count).map { count in
            ConformanceCase(name: "first \(count) bytes", line: Base64.encode(Array(bytes.prefix(count))), event: nil)
        }
        // A single byte, the end of a struct, is an event without detail.
        let texts = [
            "AA==", "AA", "AA=", "AA===", "AB", "A", " AA==", "AA==\n", "A A==", "A=A=", "_-8=", "!!!", "",
            "\(event.base64)\n", "\(event.base64.dropLast(2))", String(event.base64.reversed()),
        ]
        cases += texts.map { ConformanceCase(name: "text '\($0.prefix(10))'", line: $0, event: nil) }
        let unknown: [UInt8] = [12, 0x03, 0xE7]
        for depth in [1, 10, 62, 63, 64, 65, 200] {
            let nested = Array((0..<depth).map { _ in unknown }.joined()) + Array(repeating: 0, count: depth)
            cases.append(
                ConformanceCase(name: "\(depth) levels deep", line: Base64.encode(open + nested + [0]), event: event)
            )
        }
        for (count, name) in [(-1, "-1"), (10_000, "10,000"), (10_001, "10,001")] as [(Int32, String)] {
            let list = [15, 0x03, 0xE7, 3] + Variants.i32(count) + Array(repeating: 0, count: Int(max(0, count)))
            cases.append(
                ConformanceCase(name: "a list of \(name)", line: Base64.encode(open + list + [0]), event: event)
            )
        }
        for type in [1, 5, 7, 9, 17, 255] as [UInt8] {
            cases.append(
                ConformanceCase(name: "type \(type)", line: Base64.encode(open + [type, 3, 0xE7, 0, 0]), event: event)
            )
        }
        // Encodings that only the SDK accepts.
        let loose: [(String, [UInt8])] = [
            ("bytes after the end", bytes + [0]),
            ("an event after the end", bytes + bytes), ("an end after the end", [0, 0]),
            ("a field twice", open + [11, 0, 5] + Variants.string("t") + [11, 0, 5] + Variants.string("u") + [0]),
            ("a string of type struct", open + [12, 0, 5] + Variants.string("t") + [0]),
            ("a truth value of type byte", open + [3, 0, 11, 1, 0]),
        ]
        cases += loose.map {
            ConformanceCase(name: $0, line: Base64.encode($1), event: event, oddity: .looseEvent)
        }
        let holder = MessageEntryHolder(contents: .message(MessageContents(messageText: "hi"))).encoded()
        let text: [UInt8] = [11, 0, 1] + Variants.string("hi")
        let looseContents: [(String, [UInt8])] = [
            ("contents with bytes after the end", holder + [0]),
            ("contents with the text twice", [12, 0, 1, 12, 0, 1] + text + text + [0, 0, 0]),
            ("contents with a text of type list", [12, 0, 1, 12, 0, 1, 15, 0, 1] + Variants.string("hi") + [0, 0, 0]),
        ]
        cases += try looseContents.map { name, contents in
            var given = try signed(name, try Self.message(cast.sealed(contents)))
            given.oddity = .looseContents
            return given
        }
        cases += try [[], [0xFF], [12], [12, 0, 1], [0]].map { contents in
            try signed("contents \(contents)", try Self.message(cast.sealed(contents)))
        }
        // Ciphertexts that were not made with the key, some of them too short.
        cases += try [0, 1, 39, 40, 100].map { count in
            let create = MessageCreateEvent(
                contents: Array(repeating: 7, count: count),
                conversationKeyVersion: Cast.pairVersion
            )
            return try signed("\(count) bytes that no key made", Self.message(create.encoded()))
        }
        // Another key under a known version.
        let collision = try cast.delivering(try ConversationKey.generate(), version: Cast.pairVersion)
        var given = try signed("a key change of a known version", collision.encoded())
        given.oddity = .collidingVersion
        return cases + [given]
    }

    /// Events of every kind in envelopes whose fields are present, absent or unusual.
    func envelopes() throws -> [ConformanceCase] {
        try kinds().flatMap { kind in
            try Self.envelopes.map { name, change in
                try signed("\(kind.name), \(name)", kind.bytes, change: change)
            }
        }
    }

    /// Events of every kind with valid, changed, foreign and missing signatures.
    func signatures() throws -> [ConformanceCase] {
        try kinds().flatMap { kind in
            try Self.tamperings.map { name, tamper in
                try signed("\(kind.name), \(name)", kind.bytes, after: { try tamper(&$0, cast) })
            }
        }
    }

    /// Random events.
    func random(_ count: Int, seed: UInt64) throws -> [ConformanceCase] {
        var numbers = SplitMix64(seed: seed)
        return try (0..<count).map { index in
            let detail: [UInt8]
            if index % 3 == 0 {
                let holder = variants.random(MessageEntryHolder.schema, using: &numbers)
                detail = Self.message(try cast.sealed(holder))
            } else {
                detail = variants.random(MessageEventDetail.schema, using: &numbers)
            }
            let version = Self.versions.randomElement(using: &numbers) ?? nil
            let name = "random \(index), seed \(seed)"
            let envelope = Self.envelopes.randomElement(using: &numbers)
            let tampering = Self.tamperings.randomElement(using: &numbers)
            let isOdd = Int.random(in: 0..<4, using: &numbers) == 0
            let isTampered = Int.random(in: 0..<4, using: &numbers) == 0
            return try signed(name, detail, version: version) { event in
                if isOdd { envelope?.change(&event) }
            } after: { event in
                if isTampered { try tampering?.tamper(&event, cast) }
            }
        }
    }

    private func kinds() -> [Variants.Variant] {
        variants.variants(of: MessageEventDetail.schema).filter {
            $0.name.hasSuffix(" all") && !$0.name.contains("ratchet")
        }
    }

    private static func isBrokenTree(_ name: String) -> Bool {
        name.contains("ratchet_tree_change")
            && ["not UTF-8", "no variant", "two variants", "without what is required"].contains(where: name.hasSuffix)
    }

    // MARK: One case

    /// An event with a detail and its sender's signature.
    ///
    /// `change` changes the envelope before it is signed, and `after` the signed event.
    private func signed(
        _ name: String,
        _ detail: [UInt8],
        version: WireString? = "7",
        change: (inout MessageEvent) -> Void = { _ in },
        after: (inout MessageEvent) throws -> Void = { _ in }
    ) throws -> ConformanceCase {
        let decoded = try? MessageEventDetail(decoding: detail)
        var event = Cast.envelope(in: Self.conversation(of: decoded))
        change(&event)
        event.detail = decoded
        event = try cast.signed(event, version: version)
        try after(&event)
        // The encoded detail is used as it was given: decoding and encoding could change it.
        var envelope = event
        envelope.detail = nil
        envelope.messageEventSignature = nil
        var bytes = envelope.encoded().dropLast() + [12, 0, 7] + detail
        if let signature = event.messageEventSignature { bytes += [12, 0, 9] + signature.encoded() }
        let line = Base64.encode(Array(bytes + [0]))
        return ConformanceCase(
            name: "\(name), version \(version.map { "'\($0)'" } ?? "absent")",
            line: line,
            event: decoded == nil ? nil : event
        )
    }

    static func message(_ create: [UInt8]) -> [UInt8] { [12, 0, 1] + create + [0] }

    private static func conversation(of detail: MessageEventDetail?) -> WireString {
        if case .groupChangeEvent = detail { Cast.group } else { Cast.pair }
    }

    // MARK: Changes of events

    static let envelopes: [(name: String, change: @Sendable (inout MessageEvent) -> Void)] = [
        ("no sequence id", { $0.sequenceID = nil }), ("sequence id x", { $0.sequenceID = "x" }),
        ("sequence id empty", { $0.sequenceID = "" }),
        ("no message id", { $0.messageID = nil }), ("message id empty", { $0.messageID = "" }),
        ("message id with comma", { $0.messageID = "a,b" }), ("message id e\u{301}", { $0.messageID = "e\u{301}" }),
        ("no sender", { $0.senderID = nil }), ("sender Bob", { $0.senderID = "2222" }),
        ("sender Carol", { $0.senderID = "3333" }), ("sender unknown", { $0.senderID = "7777" }),
        ("sender empty", { $0.senderID = "" }), ("sender with comma", { $0.senderID = "1111,1" }),
        ("sender 01111", { $0.senderID = "01111" }),
        ("no conversation", { $0.conversationID = nil }), ("conversation empty", { $0.conversationID = "" }),
        ("conversation reversed", { $0.conversationID = "2222-1111" }),
        ("conversation by recipient", { $0.conversationID = "2222" }),
        ("conversation with dash", { $0.conversationID = "1111-2222" }),
        ("conversation of others", { $0.conversationID = "2222:3333" }),
        ("conversation group", { $0.conversationID = "g9" }), ("conversation g10", { $0.conversationID = "g10" }),
        ("conversation pair", { $0.conversationID = Cast.pair }),
        ("conversation with comma", { $0.conversationID = "g9,1" }),
        ("conversation a-b", { $0.conversationID = "a-b" }),
        ("conversation with a mark", { $0.conversationID = "1111:\u{301}2222" }),
        ("conversation 01111:2222", { $0.conversationID = "2222:01111" }),
        ("created x", { $0.createdAtMsec = "x" }), ("created +5", { $0.createdAtMsec = "+5" }),
        ("created -5", { $0.createdAtMsec = "-5" }), ("created 007", { $0.createdAtMsec = "007" }),
        ("created too late", { $0.createdAtMsec = "9223372036854775808" }),
        ("created blank", { $0.createdAtMsec = " 5" }),
        ("created empty", { $0.createdAtMsec = "" }), ("no time", { $0.createdAtMsec = nil }),
        ("created -0", { $0.createdAtMsec = "-0" }),
        ("relay 2", { $0.relaySource = MessageEventRelaySource(rawValue: 2) }),
        ("relay 99", { $0.relaySource = MessageEventRelaySource(rawValue: 99) }),
        (
            "the rest",
            {
                $0.conversationToken = "t"; $0.previousSequenceID = "1"; $0.isTrusted = true
            }
        ),
    ]

    private typealias Tamper = @Sendable (inout MessageEvent, Cast) throws -> Void

    private static let tamperings: [(name: String, tamper: Tamper)] = [
        ("unsigned", { event, _ in event.messageEventSignature = nil }),
        ("no signature text", { event, _ in event.messageEventSignature?.signature = nil }),
        ("signature empty", { event, _ in event.messageEventSignature?.signature = "" }),
        ("signature not base64", { event, _ in event.messageEventSignature?.signature = "!!!" }),
        ("signature URL-safe", { event, _ in event.messageEventSignature?.signature = "__--" }),
        ("signature of 63 bytes", { event, _ in replace(&event) { Array($0.dropLast()) } }),
        ("signature of 65 bytes", { event, _ in replace(&event) { $0 + [0] } }),
        ("signature of zeros", { event, _ in replace(&event) { $0.map { _ in 0 } } }),
        ("signature of ones", { event, _ in replace(&event) { $0.map { _ in 0xFF } } }),
        ("signature with a bit flipped", { event, _ in replace(&event) { [$0[0] ^ 1] + $0.dropFirst() } }),
        (
            "signature padded",
            { event, _ in
                let bytes = try Base64.decode(event.messageEventSignature?.signature ?? "")
                event.messageEventSignature?.signature = WireString(Base64.encode(bytes))
            }
        ),
        ("signature padded too much", { event, _ in append(&event, "===") }),
        ("signature with a newline", { event, _ in append(&event, "\n") }),
        ("no key version", { event, _ in event.messageEventSignature?.publicKeyVersion = nil }),
        ("key version empty", { event, _ in event.messageEventSignature?.publicKeyVersion = "" }),
        ("key version 2", { event, _ in event.messageEventSignature?.publicKeyVersion = "2" }),
        ("key version 01", { event, _ in event.messageEventSignature?.publicKeyVersion = "01" }),
        ("by Carol", { event, cast in event = try cast.signed(event, by: cast.carol) }),
        (
            "with Carol's key added",
            { event, cast in
                event = try cast.signed(event, by: cast.carol)
                event.messageEventSignature?.signingPublicKey = cast.carol.signingKey.map { WireString($0.base64) }
            }
        ),
        (
            "with its own keys added",
            { event, cast in
                let key = cast.alice.signingKey.map { WireString($0.base64) }
                event.messageEventSignature?.signingPublicKey = key
                event.messageEventSignature?.messageSigningKeyInfoList = [
                    MessageSigningKeyInfo(memberID: "1111", publicKeyVersion: "1", signingPublicKey: key)
                ]
            }
        ),
        ("message id altered", { event, _ in event.messageID = "other" }),
        ("conversation altered", { event, _ in event.conversationID = "2222:1111" }),
        ("conversation dropped", { event, _ in event.conversationID = nil }),
        ("sender altered", { event, _ in event.senderID = "2222" }),
        ("sequence id altered", { event, _ in event.sequenceID = "1" }),
        ("version altered", { event, _ in event.messageEventSignature?.signatureVersion = "2" }),
        ("version refused", { event, _ in event.messageEventSignature?.signatureVersion = "1" }),
        ("honest", { _, _ in }),
    ]

    private static func replace(_ event: inout MessageEvent, _ change: ([UInt8]) -> [UInt8]) {
        guard let text = event.messageEventSignature?.signature, let bytes = try? Base64.decode(text), !bytes.isEmpty
        else { return }
        event.messageEventSignature?.signature = WireString(Base64.encode(change(bytes), padding: false))
    }

    private static func append(_ event: inout MessageEvent, _ text: String) {
        let signature = event.messageEventSignature?.signature?.string ?? ""
        event.messageEventSignature?.signature = WireString(signature + text)
    }
}
