import Foundation
import TestSupport
import Testing
import XChat
import XChatCommand
import XChatEngine
import XChatEvents

/// The commands of `xchat keys` that need no server.
struct KeysTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    private func document(_ name: String) throws -> SessionDocument {
        try SessionDocument(parsing: try scratch.read(name), name: name)
    }

    // MARK: Session files

    @Test(
        "a session file is made that works at once, and the registration payload printed",
        arguments: ["xchat", "sodium"]
    )
    func generate(_ suite: String) async throws {
        let path = scratch.file("alone.json")
        let outcome = try await Program.run("keys", "generate", "--user", "1111", "--suite", suite, "--out", path)
        #expect(outcome.status == 0)
        #expect(outcome.errors.isEmpty)
        #expect(try scratch.permissions("alone.json") == 0o600)

        let session = try document("alone.json").session()
        let keys = try #require(session.privateKeys)
        #expect(keys.suite.rawValue == suite)
        #expect(session.pins["1111"].map(\.identityKey) == [keys.identityKey])
        #expect(session.pins["1111"].map(\.version) == [try #require(session.signingKeyVersion)])

        let payload = try #require(try outcome.json.first)
        #expect(outcome.lines.count == 1)
        #expect(try payload.members().map(\.key) == ["public_key", "version", "generate_version"])
        let publicKey = try payload.required("public_key")
        var names: [WireString] = [
            "identity_public_key_signature", "public_key", "public_key_fingerprint", "registration_method",
            "signing_public_key",
        ]
        if suite == "xchat" { names.append("signing_public_key_signature") }
        #expect(try publicKey.members().map(\.key) == names)
        #expect(try publicKey.required("public_key").string() == WireString(keys.identityKey.base64))
        #expect(try payload.required("version").id() == session.signingKeyVersion)
        #expect(try payload.required("generate_version").bool())
        let printed = try await Program.run("keys", "fingerprint", "--session", path)
        #expect(printed.lines == [keys.identityKey.fingerprint])
        #expect(printed.lines.first?.utf8.count == 43)
    }

    @Test func `an existing file is never overwritten`() async throws {
        let path = try scratch.write("precious", "precious")
        for command in [["generate"], ["import"]] {
            let outcome = try await Program.run(["keys"] + command + ["--user", "1", "--out", path])
            #expect(outcome.status == 1)
            #expect(outcome.output.isEmpty)
            #expect(try scratch.read("precious") == Array("precious".utf8))
        }
    }

    @Test("exported keys are imported again", arguments: ["xchat", "sodium"], [[], ["--base64"]])
    func export(_ suite: String, _ form: [String]) async throws {
        let first = scratch.file("first.json")
        _ = try await Program.run("keys", "generate", "--user", "1111", "--suite", suite, "--out", first)
        let exported = try await Program.run(["keys", "export", "--session", first] + form)
        #expect(exported.status == 0)
        #expect(exported.errors.contains("private keys"))
        if form.isEmpty {
            #expect(exported.output.count == (suite == "xchat" ? 64 : 73))
        }
        let imported = try await Program.run(
            "keys",
            "import",
            "--user",
            "1111",
            "--key-version",
            "7",
            "--out",
            scratch.file("second.json"),
            input: exported.output
        )
        #expect(imported.status == 0)
        let before = try document("first.json").root
        let after = try document("second.json").root
        #expect(after["private_keys"] == before["private_keys"])
        #expect(after["signing_key_version"] == "7")
        let toFile = try await Program.run(
            ["keys", "export", "--session", first, "--out", scratch.file("blob")] + form
        )
        #expect(toFile.status == 0)
        #expect(toFile.output.isEmpty)
        #expect(try scratch.read("blob") == exported.output)
        #expect(try scratch.permissions("blob") == 0o600)
    }

    @Test("input that is not an export of private keys is not imported", arguments: [0, 1, 31, 33, 63, 65, 5000])
    func blob(_ length: Int) async throws {
        let bytes = [UInt8](repeating: 0x80, count: length)
        for input in [bytes, Array(Base64.encode(bytes).utf8)] {
            let outcome = try await Program.run(
                "keys",
                "import",
                "--user",
                "1",
                "--out",
                scratch.file("new"),
                input: input
            )
            #expect(outcome.status == 1)
            #expect(try scratch.names().isEmpty)
        }
    }

    @Test func `an imported identity key alone reads and does not sign`() async throws {
        let keys = try PrivateKeys.generate()
        let identity = try keys.withExport { blob in blob.indices.prefix(32).map { blob[$0] } }
        let path = scratch.file("identity.json")
        let imported = try await Program.run(
            "keys",
            "import",
            "--user",
            "1",
            "--key-version",
            "1",
            "--out",
            path,
            input: identity
        )
        #expect(imported.status == 0)
        #expect(try await Program.run("keys", "fingerprint", "--session", path).lines == [keys.identityKey.fingerprint])
        let encrypted = try await Program.run("encrypt", "--session", path, "--conversation", "2", "--text", "x")
        #expect(encrypted.status == 1)
        #expect(encrypted.errors.contains("no signing key"))
    }

    @Test func `trusted keys are listed, and the fingerprint of another user is that of the newest key`() async throws {
        let fixture = try Fixture()
        let old = try PrivateKeys.generate().verifiedKey(userID: "2222", version: "0").registered
        let own = try fixture.bound("1111").registered
        let new = try fixture.bound("2222").registered
        let path = try fixture.file(of: "1111") { $0["signing_keys"] = [own.json, old.json, new.json] }
        let listed = try await Program.run("keys", "list", "--session", path)
        #expect(listed.lines.count == 3)
        #expect(listed.lines.first?.hasSuffix("user 1111 (you), version 1, xchat") == true)
        let json = try await Program.run("keys", "list", "--json", "--session", path).json
        #expect(try json.map { try $0.required("public_key_version").string() } == ["1", "0", "1"])
        #expect(try json.map { try $0.required("own").bool() } == [true, false, false])
        let printed = try await Program.run("keys", "fingerprint", "--user", "2222", "--session", path)
        #expect(printed.lines == [try fixture.bound("2222").identityKey.fingerprint])
        let unknown = try await Program.run("keys", "fingerprint", "--user", "3333", "--session", path)
        #expect(unknown.status == 1)
    }

    // MARK: The account file

    @Test func `the account file is made, opened and exported with the passphrase`() async throws {
        let home = scratch.file("home")
        let environment = ["XCHAT_HOME": home, "XCHAT_PASSPHRASE": "a passphrase"]
        let made = try await Program.run("keys", "generate", "--user", "1111", environment: environment)
        #expect(made.status == 0)
        #expect(try scratch.permissions("home") == 0o700)
        #expect(try scratch.permissions("home/account.db") == 0o600)
        let fingerprint = try made.json.first?.required("public_key").required("public_key_fingerprint").string()

        let printed = try await Program.run("keys", "fingerprint", environment: environment)
        #expect(printed.lines == [fingerprint?.string])
        let exported = try await Program.run("keys", "export", environment: environment)
        #expect(exported.output.count == 64)

        let wrong = try await Program.run(
            "keys",
            "fingerprint",
            "--home",
            home,
            environment: ["XCHAT_PASSPHRASE": "another"]
        )
        #expect(wrong.status == 1)
        #expect(wrong.errors.contains("the passphrase is wrong"))
        #expect(!wrong.errors.contains("another"))

        let again = try await Program.run("keys", "generate", "--user", "1111", environment: environment)
        #expect(again.status == 1)
        #expect(again.errors.contains("already"))
        #expect(try await Program.run("keys", "fingerprint", environment: environment).lines == printed.lines)
    }

    @Test func `a passphrase comes from a file without its last newline`() async throws {
        let home = scratch.file("home")
        let file = try scratch.write("passphrase", "a passphrase\n")
        let made = try await Program.run(
            "keys",
            "import",
            "--user",
            "1",
            "--home",
            home,
            input: try PrivateKeys.generate().withExport { blob in blob.indices.map { blob[$0] } },
            environment: ["XCHAT_PASSPHRASE_FILE": file, "XCHAT_PASSPHRASE": "not this one"]
        )
        #expect(made.status == 0)
        let listed = try await Program.run(
            "keys",
            "list",
            "--home",
            home,
            environment: ["XCHAT_PASSPHRASE": "a passphrase"]
        )
        #expect(listed.status == 0)
    }

    @Test func `an empty passphrase and a missing file are refused`() async throws {
        let empty = try scratch.write("empty", "\n")
        for (environment, complaint) in [
            (["XCHAT_PASSPHRASE": ""], "empty"), (["XCHAT_PASSPHRASE_FILE": empty], "empty"),
            (["XCHAT_PASSPHRASE_FILE": scratch.file("none")], "No such file"),
        ] {
            let outcome = try await Program.run(
                "keys",
                "generate",
                "--user",
                "1",
                "--home",
                scratch.file("home"),
                environment: environment
            )
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains(complaint))
        }
        #expect(try scratch.names() == ["empty"])
    }

    @Test func `without an account file every command says how to make one`() async throws {
        for command in [["decrypt"], ["verify"], ["keys", "list"], ["encrypt", "--conversation", "2", "--text", "x"]] {
            let outcome = try await Program.run(command + ["--home", scratch.file("none")])
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("keys generate"))
        }
        #expect(try scratch.names().isEmpty)
    }
}
