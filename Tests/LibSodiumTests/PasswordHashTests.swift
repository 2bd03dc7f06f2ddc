import LibSodium
import Testing

struct PasswordHashTests {
    private let password = [UInt8]("correct horse".utf8)
    private let salt = [UInt8](0..<16)

    @Test func `known keys come out`() throws {
        // From the reference implementation of Argon2 (argon2id, version 0x13, one lane).
        let key = try hash(password, limits: .init(operations: 3, memory: 256 * 1024))
        #expect([UInt8](key) == [UInt8](hex: "b58f5154338f732b3d4ecfc0795d583ecefacf59eb0e3ffbd0d7c836fe69c0f4"))
        let empty = try hash([], limits: .minimum, count: 16)
        #expect([UInt8](empty) == [UInt8](hex: "35858230a16f87fed2b29838c1fe2df6"))
    }

    @Test func `the named limits cost what they say`() {
        #expect(PasswordHash.Limits.minimum == .init(operations: 1, memory: 8 << 10))
        #expect(PasswordHash.Limits.interactive == .init(operations: 2, memory: 64 << 20))
        #expect(PasswordHash.Limits.moderate == .init(operations: 3, memory: 256 << 20))
        #expect(PasswordHash.Limits.sensitive == .init(operations: 4, memory: 1 << 30))
    }

    @Test func `a key has 32 bytes where no length is given`() throws {
        let key = try PasswordHash.key(from: password.span, salt: salt.span, limits: .minimum, maximum: .minimum)
        #expect(key.count == 32)
    }

    @Test func `password, salt and limits each change the key`() throws {
        let keys = [
            [UInt8](try hash(password)),
            [UInt8](try hash(password + [0])),
            [UInt8](try hash(password, salt: [UInt8](1..<17))),
            [UInt8](try hash(password, limits: .init(operations: 2, memory: 8192))),
            [UInt8](try hash(password, limits: .init(operations: 1, memory: 9216))),
        ]
        #expect(Set(keys).count == keys.count)
    }

    @Test func `limits outside of what the caller allows are refused before any work`() {
        let maximum = PasswordHash.Limits(operations: 2, memory: 16384)
        let refused: [(operations: Int, memory: Int)] = [
            (3, 8192), (1, 16385), (0, 8192), (-1, 8192), (1, 8191), (1, -1), (Int.max, 8192), (1, Int.max),
        ]
        for limits in refused {
            let error = refusal { () throws(SodiumError) in
                _ = try hash(
                    password,
                    limits: .init(operations: limits.operations, memory: limits.memory),
                    maximum: maximum
                )
            }
            #expect(error?.code == .invalidParameters)
            #expect(error?.what == "limits")
        }
    }

    @Test func `the caller's maximum does not lift the bounds of the algorithm`() {
        let error = refusal { () throws(SodiumError) in
            _ = try hash(
                password,
                limits: .init(operations: 1, memory: Int.max),
                maximum: .init(operations: Int.max, memory: Int.max)
            )
        }
        #expect(error?.code == .invalidParameters)
    }

    @Test(arguments: lengths(otherThan: 16))
    func `a salt of another length is refused`(count: Int) {
        let error = refusal { () throws(SodiumError) in _ = try hash(password, salt: zeros(count)) }
        #expect(error?.code == .wrongLength)
        #expect(error?.what == "salt")
    }

    @Test(arguments: [-1, 0, 15, Int.max])
    func `a key of a length that Argon2id does not make is refused`(count: Int) {
        let error = refusal { () throws(SodiumError) in _ = try hash(password, count: count) }
        #expect(error?.code == .invalidParameters)
        #expect(error?.what == "count")
    }

    @Test func `a password of 4 GiB is refused`() {
        let error = refusal(ofLength: 1 << 32) { (password) throws(SodiumError) in
            _ = try PasswordHash.key(from: password, salt: salt.span, limits: .minimum, maximum: .minimum)
        }
        #expect(error?.code == .tooLong)
        #expect(error?.what == "password")
    }

    private func hash(
        _ password: [UInt8],
        salt: [UInt8] = [UInt8](0..<16),
        limits: PasswordHash.Limits = .minimum,
        maximum: PasswordHash.Limits = .moderate,
        count: Int = 32
    ) throws(SodiumError) -> SecretBytes {
        try PasswordHash.key(from: password.span, salt: salt.span, count: count, limits: limits, maximum: maximum)
    }
}
