import Foundation
import Testing

@testable import XChatBackup

struct ConfigurationTests {
    private static let ids = ["0a", "0b", "0c"].map { String(repeating: $0, count: 16) }
    private static let key = String(repeating: "5", count: 64)

    private static func inner(
        _ change: (inout [String: Any]) -> Void = { _ in }
    ) -> String {
        var object: [String: Any] = [
            "realms": ids.reversed().map { ["id": $0, "address": "https://\($0).example/"] },
            "register_threshold": 3, "recover_threshold": 2, "pin_hashing_mode": "Standard2019", "more": [1, 2],
        ]
        change(&object)
        return text(object)
    }

    private static func text(_ object: Any) -> String {
        String(decoding: (try? JSONSerialization.data(withJSONObject: object)) ?? Data(), as: UTF8.self)
    }

    private func parse(_ object: Any) throws -> BackupConfiguration {
        try BackupConfiguration(json: Array(Self.text(object).utf8))
    }

    private func parse(inner: String, _ more: [String: Any] = [:]) throws -> BackupConfiguration {
        let tokens = Dictionary(uniqueKeysWithValues: Self.ids.map { ($0, "t") })
        return try parse(["sdk_config": inner, "tokens": tokens].merging(more) { $1 })
    }

    private func code(_ body: () throws -> BackupConfiguration) -> BackupError.Code? {
        do {
            _ = try body()
            return nil
        } catch {
            return (error as? BackupError)?.code
        }
    }

    @Test func `all three forms are read, realms ordered by id`() throws {
        let tokenMap = Self.ids.map {
            ["key": $0, "value": ["token": "t-" + $0, "address": "https://\($0).example/base/"]] as [String: Any]
        }
        let first = try parse(inner: Self.inner())
        let second = try parse(["key_store_token_map_json": Self.inner(), "token_map": tokenMap])
        let third = try parse(["token_map": tokenMap])
        for configuration in [first, second, third] {
            #expect(configuration.realms.map(\.id.description) == Self.ids)
            #expect(configuration.registerThreshold == 3)
            #expect(configuration.recoverThreshold == 2)
            #expect(configuration.hashing == .standard2019)
            #expect(configuration.realms.allSatisfy { $0.token != nil && $0.publicKey == nil })
        }
        #expect([first.guesses, second.guesses, third.guesses] == [20, 20, 5])
        #expect(first.realms[0].url == "https://\(Self.ids[0]).example/req")
        #expect(third.realms[0].url == "https://\(Self.ids[0]).example/base/req")
    }

    @Test(arguments: [
        ("https://h", "https://h/req"), ("https://h/", "https://h/req"), ("https://h/base/", "https://h/base/req"),
        ("https://h/base", "https://h/req"), ("HTTPS://h:8443/a/b", "https://h:8443/a/req"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/req"), ("http://[::1]:1/x/", "http://[::1]:1/x/req"),
    ])
    func `the address is joined as a relative reference`(address: String, url: String) throws {
        let inner = Self.inner {
            $0["realms"] = [["id": Self.ids[0], "address": address]]; Self.one(&$0)
        }
        #expect(try parse(inner: inner).realms[0].url.lowercased() == url)
    }

    private static func one(_ object: inout [String: Any]) {
        object["register_threshold"] = 1
        object["recover_threshold"] = 1
    }

    @Test(arguments: [
        "http://example.com/", "http://10.0.0.1/", "http://127.0.0.1.example/", "ftp://h/", "data:x", "h", "", "/x",
        "https://user@h/", "https://user:p@h/", "https://h/?q", "https://h/#f", "https://h:0/", "https://h:65536/",
        "https://",
    ])
    func `rejects addresses that show shares to the network, and texts that are not addresses`(address: String) {
        let inner = Self.inner {
            $0["realms"] = [["id": Self.ids[0], "address": address]]; Self.one(&$0)
        }
        #expect(code { try parse(inner: inner) } == .invalidConfiguration)
    }

    @Test func `contradicting configurations are refused`() {
        let realm = ["id": Self.ids[0], "address": "https://h/"]
        let changes: [(String, (inout [String: Any]) -> Void)] = [
            ("no realms", { $0["realms"] = [] as [Any] }),
            ("a realm twice", { $0["realms"] = [realm, realm, realm] }),
            ("no id", { $0["realms"] = [["address": "https://h/"]] }),
            ("a short id", { $0["realms"] = [["id": "0a", "address": "https://h/"]] }),
            ("recover 0", { $0["recover_threshold"] = 0 }),
            ("recover 1 of 3", { $0["recover_threshold"] = 1 }),
            ("recover 4 of 3", { $0["recover_threshold"] = 4 }),
            ("register below recover", { $0["register_threshold"] = 1 }),
            ("register 4 of 3", { $0["register_threshold"] = 4 }),
            ("register -1", { $0["register_threshold"] = -1 }),
            ("register 2.5", { $0["register_threshold"] = 2.5 }),
            ("register as text", { $0["register_threshold"] = "3" }),
            ("register missing", { $0["register_threshold"] = nil }),
            ("mode", { $0["pin_hashing_mode"] = "Fast" }),
            ("a short key", { $0["realms"] = [["id": Self.ids[0], "address": "https://h/", "public_key": "00"]] }),
        ]
        for (name, change) in changes {
            #expect(code { try parse(inner: Self.inner(change)) } == .invalidConfiguration, "\(name)")
        }
        #expect(code { try parse(inner: "nonsense") } == .invalidConfiguration)
        #expect(code { try parse(["sdk_config": Self.inner()]) } == .invalidConfiguration)
        #expect(code { try parse(["tokens": [:] as [String: Any]]) } == .invalidConfiguration)
        #expect(code { try parse([1]) } == .invalidConfiguration)
        #expect(code { try BackupConfiguration(json: []) } == .invalidConfiguration)
        #expect(
            code { try BackupConfiguration(json: [UInt8](repeating: 0x5B, count: 200_000)) } == .invalidConfiguration
        )
        #expect(code { try parse(inner: Self.inner(), ["tokens": [Self.ids[0]: "a b"]]) } == .invalidConfiguration)
        #expect(code { try parse(inner: Self.inner(), ["tokens": [Self.ids[0]: "a\r\nb"]]) } == .invalidConfiguration)
    }

    @Test(arguments: [0, 256, 65536, 65541, -1])
    func `an impossible number of guesses makes no backup but can be recovered`(guesses: Int) async throws {
        let configuration = try parse(inner: Self.inner(), ["max_guess_count": guesses])
        #expect(configuration.guesses == nil)
        let realms = try TestRealms(guesses: guesses)
        #expect(await realms.storeError()?.code == .invalidConfiguration)
        #expect(await realms.recoverError()?.code == .notRegistered)
    }

    @Test func `a realm without a token counts as one that refuses, and the error says what is missing`() async throws {
        let configuration = try parse(inner: Self.inner(), ["tokens": [Self.ids[0]: "t", Self.ids[1]: 7]])
        #expect(configuration.realms.map { $0.token != nil } == [true, false, false])
        let backup = try KeyBackup(configuration, timing: .init()) { _ in throw RealmFailure.notProcessed("is down") }
        let error = await #expect(throws: BackupError.self) { _ = try await backup.recover(pin: secretBytes("2580")) }
        #expect(error?.code == .unauthorized)
        #expect(error?.detail.contains("realm \(Self.ids[1]) has no token in the configuration") == true)
        #expect(error?.detail.contains("refuses the token") == false)
        let problems = try await backup.status().problems
        #expect(problems[Self.ids[2]] == "has no token in the configuration")
    }

    @Test func `other realms or keys than the pinned ones are refused`() throws {
        let hardware: (inout [String: Any]) -> Void = {
            $0["realms"] = Self.ids.map { ["id": $0, "address": "https://h/", "public_key": Self.key] }
        }
        let pinned = try parse(inner: Self.inner(hardware))
        let pins = try JSONDecoder().decode(RealmPins.self, from: JSONEncoder().encode(pinned.pins))
        #expect(pins == pinned.pins)
        _ = try KeyBackup(pinned, pins: pins)
        let vanished = try parse(inner: Self.inner())
        #expect(throws: BackupError.self) { _ = try KeyBackup(vanished, pins: pins) }
        let fewer = try parse(
            inner: Self.inner {
                hardware(&$0)
                $0["realms"] = Array(($0["realms"] as? [[String: String]] ?? []).prefix(2))
                $0["register_threshold"] = 2
            }
        )
        let error = #expect(throws: BackupError.self) { _ = try KeyBackup(fewer, pins: pins) }
        #expect(error?.code == .realmsChanged)
        let other = try parse(
            inner: Self.inner {
                $0["realms"] = Self.ids.map {
                    ["id": $0, "address": "https://h/", "public_key": Self.key.replacing("5", with: "6")]
                }
            }
        )
        #expect(throws: BackupError.self) { _ = try KeyBackup(other, pins: pins) }
    }

    @Test func `no token appears in a description`() throws {
        let secret = "very-secret-token"
        let configuration = try parse(inner: Self.inner(), ["tokens": [Self.ids[0]: secret]])
        var dumped = "\(configuration) \(String(reflecting: configuration))"
        dump(configuration, to: &dumped)
        #expect(!dumped.contains(secret))
    }

    @Test func `FastInsecure makes no backup at realms elsewhere`() async throws {
        let configuration = try parse(inner: Self.inner { $0["pin_hashing_mode"] = "FastInsecure" })
        let backup = try KeyBackup(configuration, timing: .init()) { _ in throw RealmFailure.notProcessed("is down") }
        let error = await #expect(throws: BackupError.self) {
            _ = try await backup.store(secretBytes("secret"), pin: secretBytes("2580"))
        }
        #expect(error?.code == .invalidConfiguration)
    }
}
