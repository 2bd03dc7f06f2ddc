import LibSodium
import Testing

struct Ristretto255Tests {
    /// L, the order of the group.
    private static let order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"

    private static func scalar(_ number: UInt8) -> [UInt8] { [number] + zeros(31) }

    private func point(_ body: () throws(SodiumError) -> SecretBytes) throws -> [UInt8] { [UInt8](try body()) }

    private func code(_ body: () throws(SodiumError) -> SecretBytes) -> SodiumError.Code? {
        refusal { () throws(SodiumError) in _ = try body() }?.code
    }

    // Spans cannot be arguments of a call that #expect takes apart.
    private func isPoint(_ bytes: [UInt8]) -> Bool { Ristretto255.isValidPoint(bytes.span) }
    private func isScalar(_ bytes: [UInt8]) -> Bool { Ristretto255.isValidScalar(bytes.span) }

    // RFC 9496, appendix A.1: multiples 0 to 4 of the base point.
    private static let multiples = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76",
        "6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919",
        "94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259",
        "da80862773358b466ffadfe0b3293ab3d9fd53c5ea6c955358f568322daf6a57",
    ].map { [UInt8](hex: $0) }

    @Test func `the multiples of the base point in RFC 9496 come out`() throws {
        let base = Self.multiples[1]
        for (number, expected) in Self.multiples.enumerated().dropFirst() {
            let scalar = Self.scalar(UInt8(number))
            #expect(try point { () throws(SodiumError) in try Ristretto255.multiplyBase(by: scalar.span) } == expected)
            #expect(
                try point { () throws(SodiumError) in try Ristretto255.multiply(base.span, by: scalar.span) }
                    == expected
            )
        }
    }

    @Test func `points add and subtract`() throws {
        for (left, right) in [(0, 1), (1, 1), (1, 2), (2, 2), (3, 1), (0, 0)] {
            let (left, right, sum) = (Self.multiples[left], Self.multiples[right], Self.multiples[left + right])
            #expect(try point { () throws(SodiumError) in try Ristretto255.add(left.span, right.span) } == sum)
            #expect(try point { () throws(SodiumError) in try Ristretto255.subtract(sum.span, right.span) } == left)
        }
    }

    // RFC 9496, appendix A.3; the last is a hash that only a full reduction maps well.
    @Test(arguments: [
        (
            "5d1be09e3d0c82fc538112490e35701979d99e06ca3e2b5b54bffe8b4dc772c14d98b696a1bbfb5ca32c436cc61c16563790306c79eaca7705668b47dffe5bb6",
            "3066f82a1a747d45120d1740f14358531a8f04bbffe6a819f86dfe50f44a0a46"
        ),
        (
            "f116b34b8f17ceb56e8732a60d913dd10cce47a6d53bee9204be8b44f6678b270102a56902e2488c46120e9276cfe54638286b9e4b3cdb470b542d46c2068d38",
            "f26e5b6f7d362d2d2a94c5d0e7602cb4773c95a2e5c31a64f133189fa76ed61b"
        ),
    ])
    func `hashes map to the points of RFC 9496`(hash: String, expected: String) throws {
        let hash = [UInt8](hex: hash)
        #expect(
            try point { () throws(SodiumError) in try Ristretto255.point(fromHash: hash.span) }
                == [UInt8](hex: expected)
        )
    }

    @Test(arguments: [
        // RFC 9496, appendix A.2: non-canonical, negative, not on the curve.
        "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
        "3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e",
        // The base point with bit 255 set, which libsodium 1.0.18 does not look at.
        "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2df6",
    ])
    func `encodings that are no point are refused everywhere`(encoding: String) {
        let (bad, base, one) = ([UInt8](hex: encoding), Self.multiples[1], Self.scalar(1))
        #expect(!isPoint(bad))
        #expect(code { () throws(SodiumError) in try Ristretto255.add(bad.span, base.span) } == .invalidParameters)
        #expect(code { () throws(SodiumError) in try Ristretto255.add(base.span, bad.span) } == .invalidParameters)
        #expect(code { () throws(SodiumError) in try Ristretto255.subtract(bad.span, base.span) } == .invalidParameters)
        #expect(code { () throws(SodiumError) in try Ristretto255.subtract(base.span, bad.span) } == .invalidParameters)
        #expect(
            code { () throws(SodiumError) in try Ristretto255.multiply(bad.span, by: one.span) } == .invalidParameters
        )
    }

    @Test func `every multiple of the base point is a point, and no other length is`() {
        for multiple in Self.multiples {
            #expect(isPoint(multiple))
            #expect(!isPoint(multiple + [0]))
            #expect(!isPoint([UInt8](multiple.dropLast())))
        }
    }

    @Test(arguments: [
        order, "eed3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
        // L + 5, and 1 with bit 255 set: libsodium takes them for 5 and 1.
        "f2d3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ])
    func `numbers of L and more are refused everywhere`(encoding: String) {
        let (bad, base, one) = ([UInt8](hex: encoding), Self.multiples[1], Self.scalar(1))
        #expect(!isScalar(bad))
        #expect(
            code { () throws(SodiumError) in try Ristretto255.multiply(base.span, by: bad.span) } == .invalidParameters
        )
        #expect(code { () throws(SodiumError) in try Ristretto255.multiplyBase(by: bad.span) } == .invalidParameters)
        #expect(
            code { () throws(SodiumError) in try Ristretto255.addScalars(bad.span, one.span) } == .invalidParameters
        )
        #expect(
            code { () throws(SodiumError) in try Ristretto255.addScalars(one.span, bad.span) } == .invalidParameters
        )
        #expect(
            code { () throws(SodiumError) in try Ristretto255.subtractScalars(one.span, bad.span) }
                == .invalidParameters
        )
        #expect(
            code { () throws(SodiumError) in try Ristretto255.multiplyScalars(one.span, bad.span) }
                == .invalidParameters
        )
        #expect(code { () throws(SodiumError) in try Ristretto255.invertScalar(bad.span) } == .invalidParameters)
    }

    @Test func `scalar arithmetic is that of a field`() throws {
        let number = { (secret: borrowing SecretBytes) in [UInt8](secret) }
        let (two, three, five, six) = (Self.scalar(2), Self.scalar(3), Self.scalar(5), Self.scalar(6))
        var last = [UInt8](hex: Self.order)
        last[0] -= 1
        #expect(try number(Ristretto255.addScalars(two.span, three.span)) == five)
        #expect(try number(Ristretto255.multiplyScalars(two.span, three.span)) == six)
        #expect(try number(Ristretto255.subtractScalars(five.span, six.span)) == last)
        let half = try number(Ristretto255.invertScalar(two.span))
        #expect(try number(Ristretto255.multiplyScalars(half.span, six.span)) == three)
        #expect(try number(Ristretto255.reduce((last + zeros(32)).span)) == last)
        #expect(try number(Ristretto255.reduce(([UInt8](hex: Self.order) + zeros(32)).span)) == zeros(32))
        #expect(try number(Ristretto255.scalar(0x0102_0304)) == [4, 3, 2, 1] + zeros(28))
    }

    @Test func `what would be the identity, or the inverse of 0, is refused`() {
        let (base, zero, identity, one) = (Self.multiples[1], zeros(32), Self.multiples[0], Self.scalar(1))
        #expect(code { () throws(SodiumError) in try Ristretto255.multiply(base.span, by: zero.span) } == .weakPoint)
        #expect(code { () throws(SodiumError) in try Ristretto255.multiply(identity.span, by: one.span) } == .weakPoint)
        #expect(code { () throws(SodiumError) in try Ristretto255.multiplyBase(by: zero.span) } == .weakPoint)
        #expect(code { () throws(SodiumError) in try Ristretto255.invertScalar(zero.span) } == .invalidParameters)
    }

    @Test func `random scalars are scalars and differ`() throws {
        let scalars = try (0..<50).map { _ in [UInt8](try Ristretto255.randomScalar()) }
        #expect(Set(scalars).count == 50)
        #expect(scalars.allSatisfy(isScalar))
    }

    @Test func `a point may use all bits but the last`() throws {
        // 255 of 256 multiples of the base point have another last byte.
        let points = try (1...2000).map { number in
            let scalar = [UInt8(number & 0xff), UInt8(number >> 8)] + zeros(30)
            return try point { () throws(SodiumError) in try Ristretto255.multiplyBase(by: scalar.span) }
        }
        let highest = try #require(points.first { $0[31] == 0x7f })
        #expect(isPoint(highest))
    }

    @Test func `inputs of another length are refused`() {
        #expect(!isScalar(zeros(65)))
        for count in lengths(otherThan: 32) {
            let (bytes, base) = (zeros(count), Self.multiples[1])
            #expect(!isScalar(bytes))
            #expect(
                code { () throws(SodiumError) in try Ristretto255.multiply(base.span, by: bytes.span) } == .wrongLength
            )
            #expect(code { () throws(SodiumError) in try Ristretto255.add(base.span, bytes.span) } == .wrongLength)
        }
        for count in lengths(otherThan: 64) {
            let bytes = zeros(count)
            #expect(code { () throws(SodiumError) in try Ristretto255.point(fromHash: bytes.span) } == .wrongLength)
            #expect(code { () throws(SodiumError) in try Ristretto255.reduce(bytes.span) } == .wrongLength)
        }
    }
}
