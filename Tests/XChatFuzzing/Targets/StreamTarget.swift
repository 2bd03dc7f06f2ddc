#if TESTABLE
    import NIOCore
    import XChatEvents
    @testable import XChatHTTP

    /// The first byte says how the others are cut into pieces.
    enum StreamTarget: FuzzTargetImplementation {
        private static let maximumLineBytes = 2000

        static func run(_ input: [UInt8]) throws {
            var input = FuzzInput(input)
            let seed = input.byte()
            let body = Array(input.rest)
            let (whole, wholeError) = lines([ByteBuffer(bytes: body).readableBytesView])
            var pieces: [ArraySlice<UInt8>] = []
            var rest = body[...]
            var length = seed
            while !rest.isEmpty {
                length = length &* 5 &+ 3
                pieces.append(rest.prefix(Int(length % 37)))
                rest = rest.dropFirst(Int(length % 37))
            }
            let (cut, cutError) = lines(pieces)
            try require(cut == whole && cutError == wholeError, "lines depend on where the body was cut")
            let (single, singleError) = lines(body.indices.map { body[$0...$0] })
            try require(single == whole && singleError == wholeError, "lines depend on where the body was cut")
            try require(whole.allSatisfy { $0.count <= maximumLineBytes }, "a line is longer than the limit")
            // Up to a line that is too long, nothing is lost.
            if !wholeError {
                let text = whole.joined(separator: [UInt8(ascii: "\n")])
                let expected = body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
                    .map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
                    .joined(separator: [UInt8(ascii: "\n")])
                try require(text.elementsEqual(expected), "lines are not those of the body")
            }
            var seen = SeenDeliveries(capacity: 3)
            for line in whole { try check(line, &seen) }
        }

        private static func lines<Piece: Collection<UInt8>>(
            _ pieces: [Piece]
        ) -> (lines: [[UInt8]], isTooLong: Bool) where Piece.SubSequence == Piece {
            var splitter = LineSplitter(maximumBytes: maximumLineBytes)
            var lines: [[UInt8]] = []
            do throws(APIError) {
                for piece in pieces {
                    var rest = piece
                    while let line = try splitter.next(from: &rest) { lines.append(line) }
                }
                return (lines, false)
            } catch {
                return (lines, true)
            }
        }

        private static func check(_ line: [UInt8], _ seen: inout SeenDeliveries) throws {
            do {
                switch try ActivityLine(line, token: AnswersTarget.token.get()) {
                case .event(let event):
                    _ = seen.insert(event)
                    if let user = event.senderID { try require(isNumber(user), "a sender is not a user id") }
                    if let id = event.conversationID { try require(id.isConversationID, "not a conversation id") }
                    if let version = event.conversationKeyVersion { try require(isNumber(version), "not a version") }
                case .problem(let error): try AnswersTarget.check(error)
                case .keepAlive, .disconnect: break
                }
            } catch let error as APIError {
                try AnswersTarget.check(error)
            }
        }

        static func seeds() throws -> [String: [UInt8]] {
            let event = #"""
                {"data":{"event_uuid":"u-1","event_type":"chat.received","tag":"t","filter":{"user_id":"1111"},"payload":\#
                {"conversation_id":"1111-2222","sender_id":"2222","encoded_event":"AAAA","conversation_token":"t",\#
                "conversation_key_version":"5","conversation_key_change_event":"BBBB"}}}
                """#
            let problem =
                #"{"errors":[{"title":"operational-disconnect","type":"https://api.x.com/2/problems/operational-disconnect"}]}"#
            func seed(_ text: String) -> [UInt8] { [9] + Array(text.utf8) }
            return [
                "events": seed("\r\n\(event)\r\n\n{}\n\(event)\n"),
                "problem": seed("\(problem)\n"),
                "error": seed(#"{"title":"x","detail":"y","code":88,"status":429}"# + "\n"),
                "unknown": seed(#"{"data":{"event_type":"other","payload":[1]}}"# + "\n"),
                "long": seed(String(repeating: " ", count: 2001)),
                "incomplete": seed(event),
            ]
        }

        static var words: [String] {
            [
                "data", "event_type", "event_uuid", "tag", "filter", "user_id", "payload", "encoded_event",
                "conversation_key_change_event", "conversation_key_version", "conversation_id", "sender_id",
                "conversation_token", "errors", "title", "detail", "type", "code", "status", "chat.received",
                "operational-disconnect", "problems/",
            ]
        }
    }
#endif
