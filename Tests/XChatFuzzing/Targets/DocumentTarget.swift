#if TESTABLE
    @testable import XChat
    @testable import XChatEngine
    import XChatEvents

    import struct Foundation.Data
    import class Foundation.JSONSerialization

    enum DocumentTarget: FuzzTargetImplementation {
        static func run(_ input: [UInt8]) throws {
            let found = scan(input, pieces: 1 << 20)
            try require(
                scan(input, pieces: 3) == found && scan(input, pieces: 1) == found,
                "the scanner finds something else in pieces"
            )
            let value: JSONValue
            do throws(JSONError) {
                value = try JSONReader.value(in: input)
            } catch {
                try require(printable: "\(error)")
                return
            }
            for text in [value.line, value.indented] {
                try require(
                    try JSONReader.value(in: Array(text.utf8)) == value,
                    "JSON changes when it is written and read"
                )
            }
            try require(!value.line.utf8.contains(UInt8(ascii: "\n")), "a line of JSON is not one line")
            try compareWithFoundation(input)
            guard case .object(let object) = value else { return }
            let expected = object.members.compactMap { member -> Found? in
                guard names.contains(member.key), case .string = member.value else { return nil }
                return Found(name: member.key, value: member.value)
            }
            let areShort = input.count <= JSONMemberScanner.maximumStringBytes
            try require(found == expected || !areShort, "the scanner and the reader differ")
            try checkSession(input)
        }

        private struct Found: Hashable {
            let name: WireString
            let value: JSONValue
        }

        private static let names: Set<WireString> = ["user_id", "private_keys"]

        private static func scan(_ input: [UInt8], pieces: Int) -> [Found] {
            var scanner = JSONMemberScanner(names: names)
            var rest = input[...]
            while !rest.isEmpty {
                scanner.scan(Array(rest.prefix(pieces)))
                rest = rest.dropFirst(pieces)
            }
            return scanner.found.map { Found(name: $0.name, value: $0.value) }
        }

        /// Checks that Foundation accepts each input of the strict reader, except for numbers that it cannot represent.
        private static func compareWithFoundation(_ input: [UInt8]) throws {
            let hasNumber = input.contains { (0x30...0x39).contains($0) }
            guard !hasNumber else { return }
            let isTaken = (try? JSONSerialization.jsonObject(with: Data(input), options: .fragmentsAllowed)) != nil
            try require(isTaken, "reads JSON that Foundation rejects")
        }

        private static func checkSession(_ input: [UInt8]) throws {
            var document = try SessionDocument(parsing: input, name: "file")
            let session: Session
            do {
                session = try document.session { _ in }
            } catch {
                try require(printable: "\(error)", limit: 1 << 17)
                return
            }
            let before = try Session(userID: document.userID())
            try document.add(learnedBy: session, since: session)
            let state = try SessionState(session).encoded()
            let again = try SessionDocument(parsing: document.bytes, name: "file").session { _ in }
            try require(try SessionState(again).encoded() == state, "a session changes when it is written and read")
            // The values are also added to an empty document.
            var empty = SessionDocument(userID: session.userID, name: "empty")
            try empty.add(learnedBy: session, since: before)
            _ = try SessionDocument(parsing: empty.bytes, name: "empty").session { _ in }
        }

        static func seeds() throws -> [String: [UInt8]] {
            let cast = try Cast.shared.get()
            var session = cast.session
            var document = SessionDocument(userID: Cast.alice, name: "seed")
            try document.set(cast.aliceKeys)
            document.set(signingKeyVersion: Cast.publicKeyVersion)
            try document.add(learnedBy: session, since: Session(userID: Cast.alice))
            let accepted = document.bytes
            _ = session.deliver(cast.fixtures.map { .success($0.event) })
            try document.add(learnedBy: session, since: cast.session)
            func text(_ text: String) -> [UInt8] { Array(text.utf8) }
            return [
                "session": accepted,
                "delivered": document.bytes,
                "minimal": text(#"{"user_id":"1111"}"#),
                "values": text(
                    ##"{"a":[null,true,false,-1.5e+3,0,"\u00e9\ud83d\ude00\n\\"],"b":{"c":{}},"user_id":"1"}"##
                ),
                "nested": text(String(repeating: "[", count: 60) + String(repeating: "]", count: 60)),
                "marks": text(
                    #"{"user_id":"1","conversation_key_marks":{"g1":"18446744073709551615"},"conversation_key_details":"#
                        + #"{"g1":{"rotation_floor":"9","disputed":["7"],"keys":{"7":{"announcer":"2","stale":true}}}}}"#
                ),
                "group": text(
                    #"{"user_id":"1","group_memberships":{"g1":{"log":[{"effect":"founded","claim":"caller","signer":null,"#
                        + #""people":["1","2"]}],"members":["1","2"],"bars":{"3":"5"},"floor":"4","full":true}}}"#
                ),
                "rejected": text(
                    #"{"user_id":"1","rejected_keys":{"2":["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]}}"#
                ),
            ]
        }

        static var words: [String] {
            [
                "user_id", "private_keys", "signing_key_version", "signing_keys", "conversation_keys",
                "conversation_key_marks", "conversation_key_details", "group_memberships", "rejected_keys", "retired",
                "replaced", "rotation_floor", "disputed", "announcer", "stale", "outsiders", "members", "log", "bars",
                "unjudged", "event", "verified", "full", "contested", "floor", "settled", "effect", "claim", "signer",
                "people", "version", "digest", "founded", "added", "removed", "signed", "server", "own", "caller",
                "null",
                "true", "false", "\\u", "\\ud83d", "18446744073709551615",
            ]
        }
    }
#endif
