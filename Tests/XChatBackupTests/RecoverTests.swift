import LibSodium
import Testing
import XChatSandbox

@testable import XChatBackup

/// What a recovery does when realms fail, lie or disagree; three realms of which two must agree, and 5 guesses.
struct RecoverTests {
    static let kinds = ["sss", "shh"]

    @Test(arguments: ["s", "ss", "sss", "shh", "hhh", "sshhh"])
    func `what is stored is recovered`(kinds: String) async throws {
        let realms = try TestRealms(kinds)
        #expect(try await realms.store() == BackupReceipt(realms: kinds.count, wantedRealms: kinds.count))
        #expect(try await realms.recover() == TestRealms.secret)
        for realm in realms.realms { #expect(realm.guessesUsed == 0) }
    }

    @Test(arguments: [0, 1, 32, 64, 127, 128])
    func `secrets of every length come back`(count: Int) async throws {
        let realms = try TestRealms("shh")
        let secret = [UInt8](repeating: 7, count: count)
        try await realms.store("2580", secret)
        #expect(try await realms.recover() == secret)
    }

    @Test(arguments: kinds)
    func `each phase is one request to each realm`(kinds: String) async throws {
        let realms = try TestRealms(kinds)
        try await realms.store()
        for realm in realms.realms { #expect(realm.requests == ["Register1", "Register2"]) }
        realms.reset()
        _ = try await realms.recover()
        for realm in realms.realms { #expect(realm.requests == ["Recover1", "Recover2", "Recover3"]) }
    }

    @Test(arguments: kinds)
    func `a wrong PIN costs one guess and says how many remain`(kinds: String) async throws {
        let realms = try TestRealms(kinds)
        try await realms.store()
        for remaining in [4, 3, 2, 1, 0] {
            realms.reset()
            let error = await realms.recoverError("9999")
            #expect(error?.code == .invalidPIN)
            #expect(error?.guessesRemaining == remaining)
            for realm in realms.realms {
                #expect(realm.guessesUsed == 5 - remaining)
                #expect(realm.requests == ["Recover1", "Recover2"])
            }
        }
        // The right PIN comes too late, and no more requests than needed tell so.
        realms.reset()
        let error = await realms.recoverError()
        #expect(error?.code == .invalidPIN)
        #expect(error?.guessesRemaining == 0)
        for realm in realms.realms { #expect(realm.requests == ["Recover1"]) }
    }

    @Test func `the right PIN resets the count`() async throws {
        let realms = try TestRealms("shh")
        try await realms.store()
        for _ in 0..<8 {
            #expect(await realms.recoverError("9999")?.guessesRemaining == 4)
            #expect(try await realms.recover() == TestRealms.secret)
        }
    }

    @Test func `PINs are compared as bytes, composed and decomposed accents apart`() async throws {
        let realms = try TestRealms()
        try await realms.store("caf\u{e9}")
        #expect(await realms.recoverError("cafe\u{301}")?.code == .invalidPIN)
        #expect(try await realms.recover("caf\u{e9}") == TestRealms.secret)
    }

    @Test func `without a backup the error says so`() async throws {
        let realms = try TestRealms("shh")
        #expect(await realms.recoverError()?.code == .notRegistered)
    }

    // MARK: Unavailable realms

    @Test(arguments: [Deed.refuseConnection, .status(500), .status(503), .status(404), .status(301), .loseAnswer])
    func `one failing realm of three does not matter`(deed: Deed) async throws {
        let realms = try TestRealms("sss")
        try await realms.store()
        realms.haveAll(deed, 1)
        #expect(try await realms.recover() == TestRealms.secret)
    }

    @Test(arguments: [Deed.refuseConnection, .status(500), .status(503), .status(404), .status(301)])
    func `two failing realms are reported as unavailable, without a guess`(deed: Deed) async throws {
        let realms = try TestRealms("sss")
        try await realms.store()
        realms.haveAll(deed, 2)
        let error = await realms.recoverError()
        #expect(error?.code == .unavailable)
        #expect(error?.mayHaveSpentGuess == false)
        #expect(realms[2].guessesUsed == 0)
    }

    @Test func `one realm that never answers costs a moment only`() async throws {
        let realms = try TestRealms("sss", round: .seconds(60))
        try await realms.store()
        realms.haveAll(.hang, 1)
        let duration = try await ContinuousClock().measure { _ = try await realms.recover() }
        #expect(duration < .seconds(5))
    }

    @Test func `two realms that never answer end the operation in bounded time`() async throws {
        let realms = try TestRealms("shh", round: .milliseconds(300))
        try await realms.store()
        realms.haveAll(.hang, 2)
        let clock = ContinuousClock()
        let start = clock.now
        #expect(await realms.recoverError()?.code == .unavailable)
        #expect(clock.now - start < .seconds(5))
    }

    @Test func `cancelling the task ends the operation`() async throws {
        let realms = try TestRealms("sss", round: .seconds(60))
        try await realms.store()
        realms.haveAll(.hang, 3)
        let task = Task { await realms.recoverError() }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        #expect(await task.value?.code == .cancelled)
    }

    @Test(arguments: ["Recover2", "Recover3"])
    func `cancelling after a guess was sent says that it may have been spent`(name: String) async throws {
        let realms = try TestRealms("sss", round: .seconds(60))
        try await realms.store()
        realms.have(3, name) { _ in .hang }
        let task = Task { await realms.recoverError() }
        while !realms[2].requests.contains(name) { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        let error = await task.value
        #expect(error?.code == .cancelled)
        #expect(error?.mayHaveSpentGuess == true)
    }

    // MARK: Refusals

    @Test func `one refused token does not matter, all do`() async throws {
        let realms = try TestRealms("sss")
        try await realms.store()
        realms.haveAll(.status(401), 1)
        #expect(try await realms.recover() == TestRealms.secret)
        realms.haveAll(.status(401), 3)
        #expect(await realms.recoverError()?.code == .unauthorized)
    }

    @Test(arguments: [(426, BackupError.Code.upgradeRequired), (429, .rateLimited), (401, .unauthorized)])
    func `refusals of two realms are named`(status: Int, code: BackupError.Code) async throws {
        let realms = try TestRealms("sss")
        try await realms.store()
        realms.haveAll(.status(status), 1)
        #expect(try await realms.recover() == TestRealms.secret)
        realms.haveAll(.status(status), 2)
        #expect(await realms.recoverError()?.code == code)
    }

    @Test func `the reported error does not depend on who answers first`() async throws {
        for first in [0, 1] {
            let realms = try TestRealms("sss")
            try await realms.store()
            realms.haveAll(.status(503), 2)
            realms[first].script { _, _ in .status(401) }
            #expect(await realms.recoverError()?.code == .unauthorized)
        }
    }

    @Test func `a failure in passing is repeated`() async throws {
        let realms = try TestRealms("sss")
        try await realms.store()
        for realm in realms.realms {
            realm.script { request, time in request.name != "Recover2" && time == 0 ? .status(500) : .answer }
        }
        #expect(try await realms.recover() == TestRealms.secret)
        for realm in realms.realms { #expect(realm.guessesUsed == 0) }
    }

    // MARK: Lost answers

    @Test(arguments: kinds)
    func `a lost answer to the request that spends a guess is not repeated`(kinds: String) async throws {
        let realms = try TestRealms(kinds)
        try await realms.store()
        realms.have(3, "Recover2") { _ in .loseAnswer }
        let error = await realms.recoverError()
        #expect(error?.code == .unavailable)
        #expect(error?.mayHaveSpentGuess == true)
        for realm in realms.realms { #expect(realm.guessesUsed == 1) }
    }

    @Test(arguments: [500, 502, 503])
    func `a failure of a realm that may have counted the guess is not repeated`(status: Int) async throws {
        let realms = try TestRealms("sss")
        try await realms.store()
        realms.have(2, "Recover2") { _ in .status(status) }
        let error = await realms.recoverError()
        #expect(error?.code == .unavailable)
        #expect(error?.mayHaveSpentGuess == true)
        for realm in realms.realms { #expect(realm.requests.count { $0 == "Recover2" } == 1) }
    }

    @Test(arguments: kinds)
    func `a refused connection is tried again, since no guess was spent`(kinds: String) async throws {
        let realms = try TestRealms(kinds)
        try await realms.store()
        realms.have(3, "Recover2") { $0 == 0 ? .refuseConnection : .answer }
        #expect(try await realms.recover() == TestRealms.secret)
    }

    @Test(arguments: kinds)
    func `lost answers of the last step are repeated`(kinds: String) async throws {
        let realms = try TestRealms(kinds)
        try await realms.store()
        realms.have(3, "Recover3") { $0 == 0 ? .loseAnswer : .answer }
        #expect(try await realms.recover() == TestRealms.secret)
        for realm in realms.realms { #expect(realm.guessesUsed == 0) }
    }

    @Test func `a realm whose answer was lost gets the tag too, which resets its count`() async throws {
        let realms = try TestRealms("sss")
        try await realms.store()
        realms.have(1, "Recover2") { _ in .loseAnswer }
        #expect(try await realms.recover() == TestRealms.secret)
        #expect(realms[0].guessesUsed == 0)
    }

    // MARK: Lies

    private static let one = try? Secret(copying: [1] + [UInt8](repeating: 0, count: 31))
    private static let none = try? Secret(copying: [UInt8](repeating: 0xFF, count: 32))

    static let lies: [(name: String, deed: Deed)] = [
        ("proof c", .changeEvaluation { $0.proof.c[0] ^= 1 }),
        ("proof beta", .changeEvaluation { $0.proof.betaZ[0] ^= 1 }),
        ("signature", .changeEvaluation { $0.signedPublicKey.signature[0] ^= 1 }),
        ("public key", .changeEvaluation { $0.signedPublicKey.publicKey = $0.result }),
        ("verifying key", .changeEvaluation { $0.signedPublicKey.verifyingKey[0] ^= 1 }),
        ("result, another point", .changeEvaluation { $0.result = $0.signedPublicKey.publicKey }),
        ("result, the identity", .changeEvaluation { $0.result = [UInt8](repeating: 0, count: 32) }),
        ("result, no point", .changeEvaluation { $0.result = [UInt8](repeating: 0xFF, count: 32) }),
        ("result, bit 255", .changeEvaluation { $0.result[31] |= 0x80 }),
        ("share", .changeShare { $0.scalarShare = one ?? $0.scalarShare }),
        ("share, no scalar", .changeShare { $0.scalarShare = none ?? $0.scalarShare }),
        ("box", .changeShare { $0.encryptedSecret[0] ^= 1 }),
        ("commitment", .changeShare { $0.encryptedSecretCommitment[0] ^= 1 }),
    ]

    @Test(arguments: lies.indices, kinds)
    func `one lying realm is left out, two are an error`(index: Int, kinds: String) async throws {
        let realms = try TestRealms(kinds)
        try await realms.store()
        realms.haveAll(Self.lies[index].deed, 1, from: 2)
        #expect(try await realms.recover() == TestRealms.secret, "\(Self.lies[index].name)")
        realms.haveAll(Self.lies[index].deed, 2, from: 1)
        let error = await realms.recoverError()
        #expect(error?.code == .protocolViolation, "\(Self.lies[index].name)")
        #expect(error?.mayHaveSpentGuess == true)
    }

    @Test func `a bit 255 with a proof that fits it is refused`() async throws {
        // The proof hashes the encodings as received, so a realm can prove an encoding that is not valid.
        let realms = try TestRealms("s")
        try await realms.store()
        guard case .registered(let record, _) = realms[0].record else { throw CBORError() }
        let key = record.oprfPrivateKey
        let point = try Point.multiplyBase(by: Scalar.random()).published
        let result = try Point.multiply(Secret(copying: point), by: key).published
        let publicKey = record.signedPublicKey.publicKey
        func proof(_ result: [UInt8]) throws -> OPRFProof {
            try OPRFProof(input: point, publicKey: publicKey, result: result, privateKey: key, nonce: Scalar.random())
        }
        #expect(try proof(result).isValid(input: point, publicKey: publicKey, result: result))
        var other = result
        other[31] |= 0x80
        #expect(try !proof(other).isValid(input: point, publicKey: publicKey, result: other))
    }

    @Test func `a changed commitment of one realm is left out; of two it makes a wrong PIN`() async throws {
        let deed = Deed.changeEvaluation { $0.unlockKeyCommitment[0] ^= 1 }
        let realms = try TestRealms("sss")
        try await realms.store()
        realms.haveAll(deed, 1)
        #expect(try await realms.recover() == TestRealms.secret)
        realms.haveAll(deed, 2)
        let error = await realms.recoverError()
        #expect(error?.code == .invalidPIN)
        #expect(error?.guessesRemaining == 4)
    }

    @Test(arguments: [
        Array("garbage".utf8), [], Array("\u{69}Register1".utf8),
        [0xA1, 0x68] + Array("Recover9".utf8) + [0x62, 0x4F, 0x6B],
        [UInt8](repeating: 0x81, count: 4000), [0xBB, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        [0x5B, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
    ])
    func `garbage, nothing or the answer to another question is an error`(bytes: [UInt8]) async throws {
        for kinds in Self.kinds {
            let realms = try TestRealms(kinds)
            try await realms.store()
            realms.haveAll(.status(200, bytes), 1, from: 2)
            #expect(try await realms.recover() == TestRealms.secret)
            realms.haveAll(.status(200, bytes), 2, from: 1)
            #expect(await realms.recoverError()?.code == .protocolViolation)
        }
    }

    @Test func `an answer under a status that is no success does not count`() async throws {
        let realms = try TestRealms("sss")
        try await realms.store()
        let answer = SecretsResponse.version([UInt8](repeating: 1, count: 16)).encoded(to: .recover1).array
        realms.haveAll(.status(500, answer), 2)
        #expect(await realms.recoverError()?.code == .unavailable)
    }

    // MARK: Counts

    @Test func `of counts that differ the fewest remaining are reported`() async throws {
        let realms = try TestRealms("sss")
        try await realms.store()
        realms.haveAll(.loseAnswer, 2, from: 1)
        _ = await realms.recoverError("9999")
        realms.haveAll(.changeEvaluation { $0.guessesUsed = 4 }, 1)
        for realm in realms.realms[1...] { realm.script { _, _ in .answer } }
        #expect(await realms.recoverError("9999")?.guessesRemaining == 1)
    }

    @Test func `a realm that claims impossible counts has no say`() async throws {
        for (guesses, used) in [(5, 6), (5, 0), (0, 1), (0, 0), (5, 65535)] as [(UInt16, UInt16)] {
            let deed = Deed.changeEvaluation { ($0.guesses, $0.guessesUsed) = (guesses, used) }
            let realms = try TestRealms("sss")
            try await realms.store()
            realms.haveAll(deed, 1)
            #expect(await realms.recoverError("9999")?.guessesRemaining == 4)
            realms.haveAll(deed, 3)
            let error = try #require(await realms.recoverError("9999"))
            #expect(error.code == .invalidPIN && error.guessesRemaining == nil && !error.detail.contains("locked"))
            #expect(try await realms.recover() == TestRealms.secret)
        }
    }

    @Test func `one realm that says no guesses remain does not lock a backup`() async throws {
        let realms = try TestRealms("sss")
        try await realms.store()
        realms.haveAll(.changeEvaluation { $0.guessesUsed = $0.guesses }, 1)
        let error = try #require(await realms.recoverError("9999"))
        #expect(error.code == .invalidPIN && error.guessesRemaining == 0 && !error.detail.contains("locked"))
        #expect(try await realms.recover() == TestRealms.secret)
        realms.haveAll(.changeEvaluation { $0.guessesUsed = $0.guesses }, 2)
        #expect(await realms.recoverError("9999")?.detail.contains("locked for good") == true)
    }

    @Test(arguments: ["Recover1", "Recover2"])
    func `a realm that failed in an earlier step counts when a backup is locked`(name: String) async throws {
        let realms = try TestRealms("sss")
        try await realms.store()
        realms.have(1, name) { _ in .respond(.noGuesses) }
        let open = try #require(await realms.recoverError("9999"))
        #expect(open.code == .invalidPIN && !open.detail.contains("locked"))
        realms.have(1, from: 1, "Recover2") { _ in .changeEvaluation { $0.guessesUsed = $0.guesses } }
        let locked = try #require(await realms.recoverError("9999"))
        #expect(locked.code == .invalidPIN && locked.guessesRemaining == 0)
        #expect(locked.detail.contains("locked for good"))
    }

    // MARK: Agreement

    @Test(arguments: ["Recover1", "Recover2", "Recover3"])
    func `realms without backup or guesses: one does not matter, two do`(name: String) async throws {
        for (response, code) in [
            (SecretsResponse.notRegistered, BackupError.Code.notRegistered), (.noGuesses, .invalidPIN),
        ] {
            let realms = try TestRealms("sss")
            try await realms.store()
            realms.have(1, name) { _ in .respond(response) }
            #expect(try await realms.recover() == TestRealms.secret)
            realms.have(2, name) { _ in .respond(response) }
            let error = await realms.recoverError()
            #expect(error?.code == code)
            #expect(error?.guessesRemaining == (code == .invalidPIN ? 0 : nil))
        }
    }

    @Test func `one realm that claims to have no guesses does not lock a backup while another is down`() async throws {
        let realms = try TestRealms("sss")
        try await realms.store()
        realms[0].script { _, _ in .respond(.noGuesses) }
        realms[1].script { _, _ in .refuseConnection }
        let error = await realms.recoverError()
        #expect(error?.code == .disagreement || error?.code == .unavailable)
        #expect(error?.guessesRemaining == nil)
    }

    @Test(arguments: ["Recover2", "Recover3"])
    func `a backup that is replaced meanwhile is reported as such`(name: String) async throws {
        let realms = try TestRealms("sss")
        try await realms.store()
        realms.have(1, name) { _ in .respond(.versionMismatch) }
        #expect(try await realms.recover() == TestRealms.secret)
        realms.have(2, name) { _ in .respond(.versionMismatch) }
        #expect(await realms.recoverError()?.code == .disagreement)
    }

    @Test func `a tag that two realms refuse makes a wrong PIN`() async throws {
        let realms = try TestRealms("sss")
        try await realms.store()
        realms.have(1, "Recover3") { _ in .respond(.wrongTag(guessesRemaining: 7)) }
        #expect(try await realms.recover() == TestRealms.secret)
        realms.have(2, "Recover3") { _ in .respond(.wrongTag(guessesRemaining: 7)) }
        #expect(await realms.recoverError()?.guessesRemaining == 7)
    }

    @Test func `three different registrations are a disagreement, not a missing backup`() async throws {
        let realms = try TestRealms("sss")
        for number in 0..<3 {
            realms.reset()
            for other in 0..<3 where other != number {
                realms[other].script { request, _ in request.name == "Register2" ? .refuseConnection : .answer }
            }
            _ = await realms.storeError()
        }
        realms.reset()
        #expect(await realms.recoverError()?.code == .disagreement)
        for realm in realms.realms { #expect(!realm.requests.contains("Recover2")) }
    }

    @Test func `one realm down and one outdated are a disagreement, not a missing backup`() async throws {
        let realms = try TestRealms("sss")
        try await realms.store()
        realms[0].script { request, _ in request.name == "Register2" ? .refuseConnection : .answer }
        try await realms.store()
        realms.reset()
        realms[1].script { _, _ in .refuseConnection }
        #expect(await realms.recoverError()?.code == .disagreement)
        realms.reset()
        #expect(try await realms.recover() == TestRealms.secret)
    }

    // MARK: Hardware realms

    @Test func `a session that was forgotten is begun again without another guess`() async throws {
        let realms = try TestRealms("shh")
        try await realms.store()
        realms.reset()
        for realm in realms.realms[1...] { realm.forgetSessions(1) }
        #expect(try await realms.recover() == TestRealms.secret)
        for realm in realms.realms { #expect(realm.requests == ["Recover1", "Recover2", "Recover3"]) }
    }

    @Test func `a realm that forgets every session breaks the protocol`() async throws {
        let realms = try TestRealms("shh")
        try await realms.store()
        for realm in realms.realms[1...] { realm.forgetSessions(100) }
        #expect(await realms.recoverError()?.code == .protocolViolation)
        for realm in realms.realms[1...] {
            #expect(realm.guessesUsed == 0)
            // Those of Register1 and Recover1, and one more after the session was forgotten first.
            #expect(realm.handshakes == 3)
        }
    }

    @Test func `a session is used no longer than its realm says`() async throws {
        let realms = try TestRealms("shh", lifetime: .zero)
        try await realms.store()
        #expect(try await realms.recover() == TestRealms.secret)
        // The handshakes of Register1 and Recover1, and one before each of the other three requests.
        for realm in realms.realms[1...] { #expect(realm.handshakes == 5) }
    }

    @Test(arguments: ["SessionError", "DecodingError", "PayloadTooLarge"])
    func `refusals of well-formed requests break the protocol`(name: String) async throws {
        let realms = try TestRealms("shh")
        try await realms.store()
        let bytes = HardwareResponse.refusal(name).encoded().array
        realms.haveAll(.status(400, bytes), 2, from: 1)
        #expect(await realms.recoverError()?.code == .protocolViolation)
    }

    @Test func `an unavailable hardware realm is tried again where that spends no guess`() async throws {
        let realms = try TestRealms("shh")
        try await realms.store()
        let bytes = HardwareResponse.refusal("Unavailable").encoded().array
        for realm in realms.realms[1...] {
            realm.script { request, time in
                request.name != "Recover2" && time == 0 ? .status(503, bytes) : .answer
            }
        }
        #expect(try await realms.recover() == TestRealms.secret)
        realms.haveAll(.status(503, bytes), 2, from: 1)
        #expect(await realms.recoverError()?.code == .unavailable)
    }

    @Test func `padded answers of an impossible length are refused`() throws {
        func padded(_ length: UInt16, _ count: Int) throws -> Secret {
            let writer = CBORWriter()
            writer.map(2)
            writer.text("unpadded_length")
            writer.number(length)
            writer.text("padded_bytes")
            writer.bytes([UInt8](repeating: 0, count: count))
            return try writer.buffer.secret()
        }
        #expect(try PaddedAnswer.unpad(padded(0, 436)).count == 0)
        #expect(try PaddedAnswer.unpad(padded(436, 436)).count == 436)
        for (length, count) in [(437, 436), (65535, 436), (0, 435), (0, 437)] {
            #expect(throws: CBORError.self) { try PaddedAnswer.unpad(padded(UInt16(length), count)) }
        }
    }
}
