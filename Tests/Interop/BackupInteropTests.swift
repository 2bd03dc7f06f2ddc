import Foundation
import LibSodium
import Testing
import XChatBackup
import XChatEngine
import XChatEvents
import XChatHTTP
import XChatSandbox

/// The key backup clients of X's SDK and of this package, at the realms of the sandbox.
///
/// Each recovers the keys that the other has stored.
@Suite(.enabled(if: Peer.isWanted, Peer.absence))
struct BackupInteropTests {
    /// A user with registered keys, and the configuration of the backup as the sandbox serves it.
    private struct User {
        let blob: [UInt8]
        let json: String
        let backup: KeyBackup

        init(_ id: UserID, at url: URL) async throws {
            let keys = try PrivateKeys.generate()
            blob = try keys.withExport { blob in blob.indices.map { blob[$0] } }
            let client = try ChatClient(api: url.absoluteString, token: Token("sandbox-\(id)"))
            let version = try await client.register(keys.registration(version: "1"), user: id)
            let served = try await client.backedUpKeys(of: id).first { $0.key.publicKeyVersion == version }
            let configuration = try #require(served?.configuration)
            json = String(decoding: configuration, as: UTF8.self)
            backup = try KeyBackup(BackupConfiguration(json: configuration))
        }

        func secret(_ text: String) throws -> SecretBytes { try SecretBytes(copying: Array(text.utf8).span) }

        func recovered(_ pin: String) async throws -> [UInt8] {
            try await backup.recover(pin: secret(pin)).withBytes { bytes in bytes.indices.map { bytes[$0] } }
        }
    }

    @Test func `we recover a backup of X's SDK, and guesses are counted for both`() async throws {
        try await Sandbox().serving { url in
            let user = try await User("1111", at: url)
            let peer = try Peer()
            try peer.perform("update_config", of: "sdk", ["config_json": .string(user.json)])
            try peer.perform("import_keys", of: "sdk", ["keys": .bytes(user.blob), "version": .string("1")])
            try peer.perform("setup", of: "sdk", ["pin": .string("2580")])
            #expect(try await user.recovered("2580") == user.blob)
            let error = await #expect(throws: BackupError.self) { _ = try await user.recovered("9999") }
            #expect(error?.guessesRemaining == 19)
            let refusal = try peer.refusal("unlock", of: "other", user.json, pin: "9999")
            #expect(refusal?.contains("Invalid PIN: guesses_remaining=18") == true)
            try peer.perform("change_pin", of: "sdk", ["old_pin": .string("2580"), "new_pin": .string("7412")])
            #expect(try await user.recovered("7412") == user.blob)
            try peer.perform("delete", of: "sdk")
            let gone = await #expect(throws: BackupError.self) { _ = try await user.recovered("7412") }
            #expect(gone?.code == .notRegistered)
        }
        report(5, "key backups of chatxdk")
    }

    @Test func `X's SDK recovers our backup, and guesses are counted for both`() async throws {
        try await Sandbox().serving { url in
            let user = try await User("2222", at: url)
            let receipt = try await user.backup.store(SecretBytes(copying: user.blob.span), pin: user.secret("2580"))
            #expect(receipt.realms == 3)
            let peer = try Peer()
            try peer.perform("update_config", of: "sdk", ["config_json": .string(user.json)])
            try peer.perform("unlock", of: "sdk", ["pin": .string("2580")])
            #expect(try peer.call("export_keys", of: "sdk", returning: Bytes.self).bytes == user.blob)
            let refusal = try peer.refusal("unlock", of: "other", user.json, pin: "9999")
            #expect(refusal?.contains("Invalid PIN: guesses_remaining=19") == true)
            let error = await #expect(throws: BackupError.self) { _ = try await user.recovered("9999") }
            #expect(error?.guessesRemaining == 18)
            _ = try await user.backup.changePIN(from: user.secret("2580"), to: user.secret("7412"))
            try peer.perform("update_config", of: "third", ["config_json": .string(user.json)])
            try peer.perform("unlock", of: "third", ["pin": .string("7412")])
            #expect(try peer.call("export_keys", of: "third", returning: Bytes.self).bytes == user.blob)
            try await user.backup.delete()
            let gone = try peer.refusal("unlock", of: "other", user.json, pin: "7412")
            #expect(gone?.contains("Keys not registered") == true)
        }
        report(5, "key backups of ours")
    }
}

extension Peer {
    /// The SDK's error for a PIN, in a separate instance; nil if the call succeeds.
    fileprivate func refusal(_ method: String, of chat: String, _ json: String, pin: String) throws -> String? {
        try perform("update_config", of: chat, ["config_json": .string(json)])
        return try refusal(method, of: chat, ["pin": .string(pin)])
    }
}
