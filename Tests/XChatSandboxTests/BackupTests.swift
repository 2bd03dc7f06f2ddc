import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Testing
import XChatBackup
import XChatEngine
import XChatEvents

@testable import XChatSandbox

/// The HTTP routes of the key backup's realms; the tests of the client test their protocol.
@Suite(.timeLimit(.minutes(1)))
struct BackupTests {
    @Test func `only the owner of keys sees where they are backed up, for each version another backup`() async throws {
        try await Router.test { router in
            let alice = try await Member("1111", .xchat, at: router)
            func configurations(_ user: String, _ query: String = "") async throws -> [[String: Any]?] {
                let answer = try await router.ask(.get, "/2/users/1111/public_keys" + query, user: user)
                let entries = try #require(try answer.json["data"] as? [[String: Any]])
                return entries.map { $0["juicebox_config"] as? [String: Any] }
            }
            #expect(try await configurations("2222").map { $0 == nil } == [true])
            let fields = "?public_key.fields=public_key"
            #expect(try await configurations("1111", fields).map { $0 == nil } == [true])
            let served = try #require(try await configurations("1111").first ?? nil)
            let json = try JSONSerialization.data(withJSONObject: served)
            let configuration = try BackupConfiguration(json: Array(json))
            #expect(configuration.realms.count == 3)
            #expect(configuration.realms.count { $0.publicKey != nil } == 2)
            #expect(configuration.registerThreshold == 3)
            #expect(configuration.recoverThreshold == 2)
            #expect(configuration.guesses == 20)
            let token = try #require(configuration.realms.first?.token?.published)
            #expect(String(decoding: token, as: UTF8.self).hasSuffix("-1111-\(alice.version)"))
        }
    }

    @Test func `realms refuse old clients, unknown tokens and what is not the protocol`() async throws {
        try await Sandbox().serving { url in
            let id = "b0c4e9d15a7f43c28e6102d7f9a3b586"
            func status(
                _ path: String = "/realms/\(id)/req",
                version: String? = "0.3.4",
                token: String? = "sandbox-backup-1111-1",
                body: [UInt8] = SecretsRequest.recover1.encoded().withBytes { span in span.indices.map { span[$0] } }
            ) async throws -> UInt {
                var request = HTTPClientRequest(url: url.absoluteString + path)
                request.method = .POST
                if let version { request.headers.add(name: "x-juicebox-version", value: version) }
                if let token { request.headers.add(name: "authorization", value: "Bearer " + token) }
                request.body = .bytes(ByteBuffer(bytes: body))
                return try await HTTPClient.shared.execute(request, timeout: .seconds(10)).status.code
            }
            var statuses = [try await status(), try await status(version: "0.2.0"), try await status(version: "1.0.0")]
            #expect(statuses == [200, 200, 200])
            for version in [nil, "0.1.9", "0.2", "x", "0.x.1"] {
                #expect(try await status(version: version) == 426)
            }
            for token in [nil, "sandbox-1111", "sandbox-backup-1111", "sandbox-backup-x-1", "sandbox-backup-1111-1-1"] {
                #expect(try await status(token: token) == 401)
            }
            statuses = [
                try await status("/realms/\(id.dropLast())7/req"), try await status(body: []),
                try await status(body: [UInt8](repeating: 0, count: 2049)),
                try await status(body: [UInt8](repeating: 0, count: 5000)),
            ]
            #expect(statuses == [404, 400, 413, 413])
        }
    }
}
