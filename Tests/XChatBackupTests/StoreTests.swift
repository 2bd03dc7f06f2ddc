import LibSodium
import Testing

@testable import XChatBackup

/// What storing, changing the PIN, deleting and the status do when realms fail.
struct StoreTests {
    @Test(arguments: ["", "1", "123", "1111", "1234", "98765", "aaaa", "0123456789"])
    func `a weak PIN is refused before any request`(pin: String) async throws {
        let realms = try TestRealms()
        #expect(await realms.storeError(pin)?.code == .weakPIN)
        for realm in realms.realms { #expect(realm.requests.isEmpty) }
    }

    @Test(arguments: ["1235", "7890", "01234567890", "abcd", "é!x", "1112"])
    func `other PINs are not`(pin: String) async throws {
        let realms = try TestRealms()
        try await realms.store(pin)
        #expect(try await realms.recover(pin) == TestRealms.secret)
    }

    @Test func `a secret of more than 128 bytes is refused`() async throws {
        let realms = try TestRealms()
        await #expect(throws: BackupError.self) { try await realms.store("2580", [UInt8](repeating: 1, count: 129)) }
    }

    static let refusals: [(deed: Deed, code: BackupError.Code)] = [
        (.refuseConnection, .unavailable), (.status(500), .unavailable), (.status(404), .unavailable),
        (.status(401), .unauthorized), (.status(429), .rateLimited), (.status(426), .upgradeRequired),
    ]

    @Test(arguments: refusals.indices, 1...3)
    func `realms that fail from the start fail the registration, and nothing is changed`(
        index: Int,
        count: Int
    ) async throws {
        let realms = try TestRealms()
        try await realms.store("2580")
        realms.haveAll(Self.refusals[index].deed, count)
        let error = await realms.storeError("7412")
        #expect(error?.code == Self.refusals[index].code)
        #expect(error?.registration == .previous)
        realms.reset()
        #expect(try await realms.recover("2580") == TestRealms.secret)
    }

    @Test func `a registration that is cancelled before it is sent changes nothing`() async throws {
        let realms = try TestRealms("sss", round: .seconds(60))
        try await realms.store("2580")
        realms.have(3, "Register1") { _ in .hang }
        let task = Task { await realms.storeError("7412") }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        let error = await task.value
        #expect(error?.code == .cancelled)
        #expect(error?.registration == .previous)
        realms.reset()
        #expect(try await realms.recover("2580") == TestRealms.secret)
    }

    @Test func `a registration that is cancelled while it is sent has an unknown outcome`() async throws {
        let realms = try TestRealms("sss", round: .seconds(60))
        realms.have(3, "Register2") { _ in .hang }
        let task = Task { await realms.storeError() }
        while !realms[2].requests.contains("Register2") { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        #expect(await task.value?.registration == .unknown)
    }

    @Test func `answers to another question fail the registration`() async throws {
        let realms = try TestRealms()
        realms.haveAll(.status(200, Array("\u{69}Register2".utf8)), 1)
        #expect(await realms.storeError()?.code == .protocolViolation)
    }

    @Test(arguments: ["sss", "shh"])
    func `a registration that one realm misses is in force and says so`(kinds: String) async throws {
        for deed in [Deed.refuseConnection, .status(500), .loseAnswer] {
            let realms = try TestRealms(kinds)
            try await realms.store("2580")
            realms.have(1, "Register2") { _ in deed }
            let receipt = try await realms.store("7412")
            #expect(receipt.wantedRealms == 3)
            #expect(receipt.realms >= 2)
            realms.reset()
            #expect(try await realms.recover("7412") == TestRealms.secret)
        }
    }

    @Test(arguments: ["sss", "shh"])
    func `a registration that two realms miss leaves the old PIN in force and says so`(kinds: String) async throws {
        let realms = try TestRealms(kinds)
        try await realms.store("2580")
        realms.have(2, "Register2") { _ in .refuseConnection }
        let error = await realms.storeError("7412")
        #expect(error?.registration == .previous)
        realms.reset()
        #expect(try await realms.recover("2580") == TestRealms.secret)
        #expect(await realms.recoverError("7412")?.code == .invalidPIN)
    }

    @Test(arguments: ["sss", "shh"])
    func `lost confirmations are looked up: the new PIN is in force`(kinds: String) async throws {
        let realms = try TestRealms(kinds)
        try await realms.store("2580")
        realms.have(3, "Register2") { _ in .loseAnswer }
        #expect(try await realms.store("7412") == BackupReceipt(realms: 3, wantedRealms: 3))
        realms.reset()
        #expect(try await realms.recover("7412") == TestRealms.secret)
    }

    @Test func `the same bytes are sent again where a registration fails in passing`() async throws {
        let realms = try TestRealms("shh")
        realms.have(3, "Register2") { $0 == 0 ? .loseAnswer : .answer }
        #expect(try await realms.store() == BackupReceipt(realms: 3, wantedRealms: 3))
        #expect(try await realms.recover() == TestRealms.secret)
    }

    @Test func `when realms are gone after a registration its outcome is unknown`() async throws {
        let realms = try TestRealms()
        try await realms.store("2580")
        for realm in realms.realms {
            realm.script { request, _ in request.name == "Register1" ? .answer : .refuseConnection }
        }
        #expect(await realms.storeError("7412")?.registration == .unknown)
    }

    @Test func `a registration that may still arrive has an unknown outcome`() async throws {
        let realms = try TestRealms("sss", round: .milliseconds(300))
        try await realms.store("2580")
        realms.have(2, "Register2") { _ in .hang }
        #expect(await realms.storeError("7412")?.registration == .unknown)
        // With two of three the new PIN counts, whatever the third does.
        realms.have(1, "Register2") { _ in .hang }
        realms[1].script { _, _ in .answer }
        #expect(try await realms.store("7412") == BackupReceipt(realms: 2, wantedRealms: 3))
    }

    @Test func `when neither registration is complete the error says so`() async throws {
        let realms = try TestRealms()
        // Nothing was there, and only one realm takes the new one.
        realms.have(2, "Register2") { _ in .refuseConnection }
        #expect(await realms.storeError()?.registration == .neither)
        #expect(await realms.recoverError()?.code == .notRegistered)
    }

    @Test func `one realm that never answers does not hold up a registration that needs two of three`() async throws {
        let realms = try TestRealms("sss", register: 2, round: .seconds(60))
        realms.haveAll(.hang, 1)
        let start = ContinuousClock.now
        #expect(try await realms.store() == BackupReceipt(realms: 2, wantedRealms: 3))
        #expect(ContinuousClock.now - start < .seconds(5))
        realms.reset()
        #expect(try await realms.recover() == TestRealms.secret)
    }

    // MARK: Changing the PIN

    private func change(_ realms: TestRealms, _ old: String, _ new: String) async throws -> BackupReceipt {
        try await realms.backup.changePIN(from: secretBytes(old), to: secretBytes(new))
    }

    private func changeError(_ realms: TestRealms, _ old: String, _ new: String) async -> BackupError? {
        do {
            _ = try await change(realms, old, new)
            return nil
        } catch {
            return error as? BackupError
        }
    }

    @Test(arguments: ["sss", "shh"])
    func `a changed PIN counts, and the old one no longer`(kinds: String) async throws {
        let realms = try TestRealms(kinds)
        try await realms.store("2580")
        realms.reset()
        #expect(try await change(realms, "2580", "7412") == BackupReceipt(realms: 3, wantedRealms: 3))
        for realm in realms.realms {
            #expect(realm.requests == ["Recover1", "Recover2", "Recover3", "Register1", "Register2"])
        }
        #expect(try await realms.recover("7412") == TestRealms.secret)
        #expect(await realms.recoverError("2580")?.guessesRemaining == 4)
    }

    @Test func `a weak new PIN spends no guess, and a wrong old PIN changes nothing`() async throws {
        let realms = try TestRealms()
        try await realms.store("2580")
        realms.reset()
        #expect(await changeError(realms, "2580", "1234")?.code == .weakPIN)
        for realm in realms.realms { #expect(realm.requests.isEmpty) }
        let error = await changeError(realms, "9999", "7412")
        #expect(error?.code == .invalidPIN)
        #expect(error?.guessesRemaining == 4)
        for realm in realms.realms { #expect(!realm.requests.contains("Register1")) }
    }

    // MARK: Deleting

    @Test(arguments: ["sss", "shh"])
    func `a deleted backup is gone, and deleting nothing succeeds`(kinds: String) async throws {
        let realms = try TestRealms(kinds)
        try await realms.store()
        realms.reset()
        try await realms.backup.delete()
        for realm in realms.realms { #expect(realm.requests == ["Delete"]) }
        #expect(await realms.recoverError()?.code == .notRegistered)
        try await realms.backup.delete()
    }

    @Test func `a realm that does not confirm is an error, and the others delete nevertheless`() async throws {
        for (deed, code) in [
            (Deed.refuseConnection, BackupError.Code.unavailable), (.status(401), .unauthorized),
            (.status(426), .upgradeRequired), (.status(429), .rateLimited), (.status(500), .unavailable),
        ] {
            let realms = try TestRealms()
            try await realms.store()
            realms.haveAll(deed, 1)
            let error = await #expect(throws: BackupError.self) { try await realms.backup.delete() }
            #expect(error?.code == code)
            #expect(error?.detail.contains("cannot be recovered any more") == true)
            realms.haveAll(deed, 2)
            let worse = await #expect(throws: BackupError.self) { try await realms.backup.delete() }
            #expect(worse?.detail.contains("may still be recovered") == true)
        }
    }

    @Test func `a deletion that fails in passing is repeated`() async throws {
        let realms = try TestRealms("shh")
        try await realms.store()
        realms.have(3, "Delete") { $0 == 0 ? .loseAnswer : .answer }
        try await realms.backup.delete()
    }

    // MARK: Status

    @Test(arguments: ["sss", "shh"])
    func `the status costs no guess`(kinds: String) async throws {
        let realms = try TestRealms(kinds)
        #expect(try await realms.backup.status().summary == .notRegistered)
        try await realms.store()
        #expect(
            try await realms.backup.status()
                == BackupStatus(summary: .registered, realms: 3, wantedRealms: 3, problems: [:])
        )
        for realm in realms.realms { #expect(realm.guessesUsed == 0) }
        realms.haveAll(.refuseConnection, 1)
        let status = try await realms.backup.status()
        #expect(status.summary == .registered)
        #expect(status.realms == 2)
        #expect(Array(status.problems.keys) == [realms[0].id.description])
        realms.haveAll(.refuseConnection, 2)
        #expect(try await realms.backup.status().summary == .unavailable)
        realms.reset()
        for _ in 0..<5 { _ = await realms.recoverError("9999") }
        #expect(try await realms.backup.status().summary == .locked)
    }
}
