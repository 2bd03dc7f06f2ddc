#if TESTABLE
    import ThriftBinary
    import XChatEvents

    /// The first byte chooses the struct as which the others are read.
    enum StructsTarget: FuzzTargetImplementation {
        private static let types: [any WireStruct.Type] = [
            MessageEvent.self, MessageEntryHolder.self, MessageEventDetail.self, MessageEventSignature.self,
            MessageCreateEvent.self, ConversationKeyChangeEvent.self, GroupOpData.self, Message.self,
        ]

        static func run(_ input: [UInt8]) throws {
            var input = FuzzInput(input)
            try check(types[input.number(below: types.count)], Array(input.rest))
        }

        private static func check<Struct: WireStruct>(_ type: Struct.Type, _ bytes: [UInt8]) throws {
            let node = try? StructureNode(describing: bytes, as: type)
            let value: Struct
            do throws(EventError) {
                value = try Struct.decoded(from: bytes)
            } catch {
                try require(printable: "\(error)")
                return
            }
            let encoded = value.wireBytes()
            try require(encoded.count <= bytes.count, "a value takes more bytes than it was read from")
            let again = try Struct.decoded(from: encoded)
            try require(again == value, "a value changes when it is written and read")
            try require(again.wireBytes() == encoded, "a value is written in two ways")
            if let event = value as? MessageEvent {
                if let node { _ = event.signatureCoverage(in: node) }
                _ = event.limitViolation
                if let reason = event.inconsistency { try require(printable: reason) }
            }
        }

        static func seeds() throws -> [String: [UInt8]] {
            let cast = try Cast.shared.get()
            var seeds: [String: [UInt8]] = [:]
            for fixture in cast.fixtures where fixture.signer == .bob {
                seeds["event-" + fixture.name] = [0] + fixture.event.encoded()
            }
            for (name, contents) in Cast.contents { seeds["contents-" + name] = [1] + contents.encoded() }
            if let fixture = cast.fixtures.first {
                seeds["detail"] = [2] + (fixture.event.detail?.encoded() ?? [])
                seeds["signature"] = [3] + (fixture.event.messageEventSignature?.encoded() ?? [])
                seeds["message"] = [7] + Message.messageEvent(fixture.event).wireBytes()
            }
            return seeds
        }
    }
#endif
