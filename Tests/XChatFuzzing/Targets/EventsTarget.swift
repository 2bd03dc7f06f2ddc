#if TESTABLE
    import ThriftBinary
    @testable import XChatEngine
    import XChatEvents

    /// Rule: an event that verifies has the values that were signed.
    ///
    /// The first byte chooses the form of the rest: the bytes of an event, changes of a fixture's bytes, or changes of
    /// its fields and lists, after which it is still an event.
    enum EventsTarget: FuzzTargetImplementation {
        static func run(_ input: [UInt8]) throws {
            let cast = try Cast.shared.get()
            var input = FuzzInput(input)
            var bytes: [UInt8]
            switch input.byte() % 3 {
            case 0: bytes = Array(input.rest)
            case 1:
                bytes = cast.fixtures[input.number(below: cast.fixtures.count)].event.encoded()
                while !input.isAtEnd { bytes[input.short() % bytes.count] = input.byte() }
            default:
                bytes = cast.fixtures[input.number(below: cast.fixtures.count)].event.encoded()
                guard let tree = try? ThriftValue(decodingStruct: bytes) else { return }
                var mutation = TreeMutation(tree)
                for _ in 0..<8 where !input.isAtEnd { mutation.apply(&input) }
                bytes = mutation.encoded()
            }
            guard let event = try? MessageEvent(decoding: bytes) else { return }
            try check(event, cast)
        }

        private static func check(_ event: MessageEvent, _ cast: Cast) throws {
            let encoded = event.encoded()
            try require(try MessageEvent(decoding: encoded) == event, "an event changes when it is written and read")
            try require(try MessageEvent(base64: Base64.encode(encoded)) == event, "base64 changes an event")

            var isVerified = false
            do {
                let keys = [cast.conversationKey]
                let signed = try Verifier.signature(of: event, keys: cast.verifiedKeys, conversationKeys: keys)
                isVerified = true
                try checkMeaning(of: event, signedAs: signed.text, cast)
            } catch let error as XChatError {
                try require(printable: "\(error)")
            }
            // A session must not accept an event that does not verify.
            var session = cast.session
            let delivery = session.deliver([.success(event)])
            guard let result = delivery.results.first else { throw FuzzFailure("an event has no result") }
            switch result {
            case .success(let opened):
                try require(!opened.isVerified || isVerified, "a session accepts an event that does not verify")
                guard let contents = opened.contents else { break }
                let isOriginal = cast.fixtures.contains { $0.contents == contents }
                try require(isOriginal, "decrypts to contents that were never encrypted")
            case .failure(let error): try require(printable: "\(error)")
            }
            let keys = session.keyRing.accepted.map(\.key.key)
            try require(keys.allSatisfy { $0.isEqual(to: cast.conversationKey) }, "accepts a key of a stranger")
            for notice in delivery.notices { try require(printable: "\(notice)") }
        }

        /// Checks that all covered fields of a verified event are those of the event that was signed.
        private static func checkMeaning(of event: MessageEvent, signedAs text: [UInt8], _ cast: Cast) throws {
            let originals = cast.fixtures.filter { $0.text == text }
            guard !originals.isEmpty else { throw FuzzFailure("verifies a text that was never signed") }
            for original in originals where try differences(event, original.event).isEmpty { return }
            let fields = try originals.map { try differences(event, $0.event).joined(separator: ", ") }
            throw FuzzFailure("verifies, and says something else than \(originals[0].name) in: \(fields)")
        }

        private static func differences(_ event: MessageEvent, _ original: MessageEvent) throws -> [String] {
            let (left, right) = (try fields(of: event), try fields(of: original))
            var covered = Set(event.signatureCoverage?.covered ?? [])
            covered.formUnion(original.signatureCoverage?.covered ?? [])
            var different = covered.filter { left[$0] != right[$0] }
            // The signature covers the members after the addition, but not which of those before the sender are new.
            let lists = ["member_ids", "current_member_ids"].map {
                "detail.groupChangeEvent.group_change.group_member_add.\($0)"
            }
            if event.namedPeople != nil, event.namedPeople == original.namedPeople { different.subtract(lists) }
            return different.sorted()
        }

        /// All values and lists by their paths; an empty list counts as absent, as it does in the signed text.
        private static func fields(of event: MessageEvent) throws -> [String: StructureNode.Content] {
            var found: [String: StructureNode.Content] = [:]
            func walk(_ node: StructureNode, _ path: String) {
                guard case .children(let children) = node.content else {
                    found[path] = node.content
                    return
                }
                guard children.first?.fieldID != nil else {
                    if !children.isEmpty { found[path] = node.content }
                    return
                }
                for child in children {
                    let name = child.name ?? "#\(child.fieldID ?? 0)"
                    walk(child, path.isEmpty ? name : "\(path).\(name)")
                }
            }
            walk(try StructureNode(describing: event.encoded(), as: MessageEvent.self), "")
            return found
        }

        static func seeds() throws -> [String: [UInt8]] {
            let cast = try Cast.shared.get()
            var seeds: [String: [UInt8]] = [:]
            for (index, fixture) in cast.fixtures.enumerated() {
                guard let number = UInt8(exactly: index) else { continue }
                seeds["patch-" + fixture.name] = [1, number, 0, 40, 7]
                seeds["tree-" + fixture.name] = [2, number, 0, 3, 1, 2]
                if fixture.signer == .bob { seeds["raw-" + fixture.name] = [0] + fixture.event.encoded() }
            }
            let typing = MessageEventDetail.messageTypingEvent(MessageTypingEvent(conversationID: "1111:2222"))
            seeds["raw-typing"] = [0] + MessageEvent(senderID: "2222", detail: typing).encoded()
            return seeds
        }
    }

    extension MessageEvent {
        /// The members of the group after an addition; nil for other events.
        fileprivate var namedPeople: Set<UserID>? {
            guard case .groupChangeEvent(let change) = detail, case .groupMemberAdd(let addition) = change.groupChange
            else { return nil }
            return Set(addition.memberIDs ?? []).union(addition.currentMemberIDs ?? [])
        }
    }

    /// Changes a struct as a tree: moves elements from list to list, replaces texts, leaves fields out.
    ///
    /// These are changes that an attacker can make without a key, such as the same words in other fields.
    private struct TreeMutation {
        private var root: ThriftValue
        private static let texts = [
            "", "null", ",", "1111", "2222", "3333", "4444", "g7", "5", "7", "1001", "1002", "x",
        ]

        init(_ root: ThriftValue) {
            self.root = root
        }

        func encoded() -> [UInt8] { ThriftTarget.encoding(of: root) }

        mutating func apply(_ input: inout FuzzInput) {
            let operation = input.number(below: 6)
            let (first, second) = (Int(input.byte()), Int(input.byte()))
            switch operation {
            case 0: move(from: first, to: second, isFromEnd: true)
            case 1: move(from: first, to: second, isFromEnd: false)
            case 2: replaceText(first, by: Array(Self.texts[second % Self.texts.count].utf8))
            case 3: copyText(first, to: second)
            case 4: leaveOut(first)
            default: setVersion(second)
            }
        }

        /// The version of the signature: field 9, then field 3 of it.
        private mutating func setVersion(_ number: Int) {
            let text = Array(String(number % 9).utf8)
            root = root.changing(9) { $0.changing(3) { _ in .string(text) } }
        }

        private mutating func move(from first: Int, to second: Int, isFromEnd: Bool) {
            var lists: [[ThriftValue]] = []
            root = root.mapLists { elements in
                lists.append(elements)
                return elements
            }
            guard !lists.isEmpty else { return }
            let (source, target) = (first % lists.count, second % lists.count)
            guard let moved = isFromEnd ? lists[source].last : lists[source].first else { return }
            if isFromEnd { lists[source].removeLast() } else { lists[source].removeFirst() }
            if isFromEnd { lists[target].insert(moved, at: 0) } else { lists[target].append(moved) }
            var index = 0
            root = root.mapLists { _ in
                defer { index += 1 }
                return lists[index]
            }
        }

        private var textList: [[UInt8]] {
            var texts: [[UInt8]] = []
            _ = root.mapTexts { text in
                texts.append(text)
                return text
            }
            return texts
        }

        private mutating func replaceText(_ number: Int, by text: [UInt8]) {
            let count = textList.count
            guard count > 0 else { return }
            var index = 0
            root = root.mapTexts { old in
                defer { index += 1 }
                return index == number % count ? text : old
            }
        }

        private mutating func copyText(_ first: Int, to second: Int) {
            let texts = textList
            guard !texts.isEmpty else { return }
            replaceText(second, by: texts[first % texts.count])
        }

        private mutating func leaveOut(_ number: Int) {
            var count = 0
            _ = root.filterFields { _ in
                count += 1
                return true
            }
            guard count > 0 else { return }
            var index = 0
            root = root.filterFields { _ in
                defer { index += 1 }
                return index != number % count
            }
        }
    }

    extension ThriftValue {
        /// Changes the value of one field of a struct.
        fileprivate func changing(_ id: Int16, _ change: (ThriftValue) -> ThriftValue) -> ThriftValue {
            guard case .structure(let fields) = self else { return self }
            return .structure(fields.map { $0.id == id ? Field(id: id, value: change($0.value)) : $0 })
        }

        /// Changes every list of texts.
        fileprivate func mapLists(_ change: ([ThriftValue]) -> [ThriftValue]) -> ThriftValue {
            switch self {
            case .list(.string, let elements): .list(.string, change(elements))
            case .list(let type, let elements): .list(type, elements.map { $0.mapLists(change) })
            case .structure(let fields):
                .structure(fields.map { Field(id: $0.id, value: $0.value.mapLists(change)) })
            default: self
            }
        }

        /// Changes every text.
        fileprivate func mapTexts(_ change: ([UInt8]) -> [UInt8]) -> ThriftValue {
            switch self {
            case .string(let text): .string(change(text))
            case .list(let type, let elements): .list(type, elements.map { $0.mapTexts(change) })
            case .structure(let fields):
                .structure(fields.map { Field(id: $0.id, value: $0.value.mapTexts(change)) })
            default: self
            }
        }

        /// Leaves fields out.
        fileprivate func filterFields(_ isKept: (Field) -> Bool) -> ThriftValue {
            switch self {
            case .structure(let fields):
                .structure(
                    fields.filter(isKept).map { Field(id: $0.id, value: $0.value.filterFields(isKept)) }
                )
            case .list(let type, let elements): .list(type, elements.map { $0.filterFields(isKept) })
            default: self
            }
        }
    }
#endif
