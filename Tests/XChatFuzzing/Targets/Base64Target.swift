#if TESTABLE
    import XChatEvents

    import struct Foundation.Data

    enum Base64Target: FuzzTargetImplementation {
        static func run(_ input: [UInt8]) throws {
            let expected = reference(input)
            do {
                let bytes = try Base64.decode(input)
                try require(bytes == expected, "decodes what the reference does not, or to other bytes")
                let symbols = input.prefix { $0 != UInt8(ascii: "=") }
                try require(
                    Base64.encodeBytes(bytes.span, padding: false) == Array(symbols),
                    "a text with a second spelling was decoded"
                )
            } catch let error as EventError {
                try require(printable: "\(error)")
                try require(expected == nil, "rejects what the reference decodes: \(error)")
            }
            let text = Base64.encode(input)
            try require(text == Data(input).base64EncodedString(), "encodes otherwise than Foundation")
            try require(Base64.encodeBytes(input.span) == Array(text.utf8), "the two encoders differ")
            let unpadded = Base64.encode(input, padding: false)
            try require(try Base64.decode(text) == input && Base64.decode(unpadded) == input, "is not reversible")
        }

        /// The slow way, bit by bit.
        private static func reference(_ text: [UInt8]) -> [UInt8]? {
            let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
            let padding = text.reversed().prefix { $0 == UInt8(ascii: "=") }.count
            let symbols = text.dropLast(padding)
            guard symbols.count % 4 != 1, padding <= (4 - symbols.count % 4) % 4 else { return nil }
            var bits: [Bool] = []
            for symbol in symbols {
                guard let value = alphabet.firstIndex(of: symbol) else { return nil }
                for shift in (0..<6).reversed() { bits.append(value >> shift & 1 == 1) }
            }
            guard !bits.dropFirst(bits.count / 8 * 8).contains(true) else { return nil }
            return (0..<bits.count / 8).map { index in
                bits[index * 8..<index * 8 + 8].reduce(0) { $0 << 1 | ($1 ? 1 : 0) }
            }
        }

        static func seeds() throws -> [String: [UInt8]] {
            var seeds: [String: [UInt8]] = [:]
            for count in [0, 1, 2, 3, 16, 47, 48, 49, 100] {
                let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 200) }
                seeds["padded-\(count)"] = Array(Base64.encode(bytes).utf8)
                seeds["unpadded-\(count)"] = Array(Base64.encode(bytes, padding: false).utf8)
            }
            return seeds
        }
    }
#endif
