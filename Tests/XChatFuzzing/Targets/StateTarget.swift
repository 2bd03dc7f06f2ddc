#if TESTABLE
    import LibSodium
    @testable import XChat
    @testable import XChatEngine
    import XChatEvents

    /// The first byte chooses the encoding as which the others are read.
    enum StateTarget: FuzzTargetImplementation {
        static func run(_ input: [UInt8]) throws {
            var input = FuzzInput(input)
            let kind = input.number(below: checks.count)
            do {
                try checks[kind](Array(input.rest))
            } catch let error as XChatError {
                try require(printable: "\(error)", limit: 1 << 16)
            } catch let error as AccountError {
                try require(printable: "\(error)", limit: 1 << 16)
            }
        }

        /// Each throws a rejection, and `FuzzFailure` for a broken rule.
        private static let checks: [@Sendable ([UInt8]) throws -> Void] = [
            { bytes in
                let state = try SessionState(decoding: bytes)
                let encoded = try state.encoded()
                try require(try SessionState(decoding: encoded).encoded() == encoded, "a session's state changes")
                let session = Session(state: state)
                let again = try SessionState(session).encoded()
                let third = try SessionState(Session(state: SessionState(decoding: again))).encoded()
                try require(third == again, "a restored session changes")
            },
            { bytes in
                let state = try UserState(decoding: bytes)
                let encoded = state.encoded()
                try require(try UserState(decoding: encoded) == state, "a user's state changes")
                var session = try Session(userID: Cast.alice)
                session.restore(state)
            },
            { bytes in
                let state = try ConversationState(decoding: bytes)
                let encoded = state.encoded()
                let again = try ConversationState(decoding: encoded)
                try require(again.encoded() == encoded, "a conversation's state changes")
                var session = try Session(userID: Cast.alice)
                session.restore(state)
                _ = session.readers(of: state.conversation)
                _ = try? session.encryptingVersion(in: state.conversation)
            },
            { bytes in
                guard let key = RecordKey(encoded: bytes) else { return }
                try require(key.encoded == bytes, "a record's key has two encodings")
            },
            { bytes in
                guard let summary = RecordSummary(encoded: bytes) else { return }
                try require(RecordSummary(encoded: summary.encoded) == summary, "a summary changes")
                var next = summary
                if let revision = try? next.nextRevision() {
                    try require(revision > summary.revision, "a revision does not rise")
                }
            },
            { bytes in
                let cursor = try Cursor(decoding: bytes)
                try require(try Cursor(decoding: cursor.encoded()) == cursor, "a cursor changes")
                var waiting = cursor
                _ = waiting.wait(for: "AAAA")
                waiting.stopWaiting(for: "AAAA")
            },
            { bytes in _ = try ConsumerSettings(decoding: bytes) },
            { bytes in _ = try StoredReply.Value(decoding: bytes) },
            { bytes in
                let identity = try Identity(decoding: bytes)
                let encoded = try identity.encoded()
                try require(try Identity(decoding: encoded).encoded() == encoded, "the account's record changes")
                _ = try identity.session()
            },
            { bytes in
                guard let text = String(validating: bytes, as: UTF8.self) else { return }
                let readers = try ReaderList.readers(text)
                try require(try ReaderList.readers(ReaderList.text(readers)) == readers, "a list of readers changes")
            },
            { bytes in
                var reader = PartReader(bytes)
                var writer = PartWriter()
                writer.add(try reader.text().utf8)
                writer.add(try reader.part())
                writer.add(try reader.optionalText()?.utf8)
                try require(bytes.starts(with: writer.bytes), "parts change when they are written and read")
            },
        ]

        static func seeds() throws -> [String: [UInt8]] {
            let cast = try Cast.shared.get()
            var session = cast.session
            _ = session.deliver(cast.fixtures.map { .success($0.event) })
            var summary = RecordSummary()
            _ = try summary.nextRevision()
            summary.add(.user, Array(0..<32))
            var cursor = Cursor()
            (cursor.sequence, cursor.updatedAt) = (7, 8)
            cursor.waiting = ["AAAA"]
            let identity = try Identity(
                userID: Cast.alice,
                privateKeys: cast.aliceKeys,
                keyVersion: Cast.publicKeyVersion,
                startsAt: 5
            )
            var parts = PartWriter()
            parts.add("text".utf8)
            parts.add([1, 2, 3])
            parts.add("more".utf8)
            var seeds: [String: [UInt8]] = [
                "session": [0] + (try SessionState(session).encoded()),
                "session-before": [0] + (try SessionState(cast.session).encoded()),
                "summary": [4] + summary.encoded,
                "cursor": [5] + cursor.encoded(),
                "consumer": [6] + ConsumerSettings().encoded(),
                "reply": [7] + Array(#"{"kind":"message","message_id":"a"}"#.utf8),
                "identity": [8] + (try identity.encoded()),
                "readers": [9] + Array("1111 2222".utf8),
                "parts": [10] + parts.bytes,
            ]
            seeds["user"] = session.state(of: Cast.bob).map { [1] + $0.encoded() }
            seeds["conversation"] = session.state(of: Cast.conversation).map { [2] + $0.encoded() }
            seeds["group"] = session.state(of: Cast.group).map { [2] + $0.encoded() }
            let keys: [RecordKey] = [
                .account, .user(Cast.bob), .conversation(Cast.group), .consumer("default"),
                .cursor(consumer: "default", Cast.group), .handle("name"),
            ]
            for key in keys { seeds["key-\(key.kind)"] = [3] + key.encoded }
            return seeds
        }

        static var words: [String] { ["sequence", "updated_at", "settled", "waiting", "behind", "kind", "message_id"] }
    }
#endif
