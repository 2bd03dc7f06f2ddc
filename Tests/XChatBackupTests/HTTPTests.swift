import Foundation
import LibSodium
import TestSupport
import Testing

@testable import XChatBackup

/// Requests by HTTP, to a server that answers anything.
struct HTTPTests {
    private func realm(_ url: String) throws -> Realm {
        try Realm(
            id: RealmID(bytes: [UInt8](repeating: 1, count: 16)),
            address: url,
            publicKey: nil,
            token: "the-token"
        )
    }

    private func send(_ url: String, body: String = "body") async -> Result<RealmReply, RealmFailure> {
        do {
            let request = RealmRequest(realm: try realm(url), bearer: try Secret("the-token"), body: try Secret(body))
            return .success(try await HTTPRealmTransport.send(request))
        } catch {
            return .failure(error as? RealmFailure ?? .violation("\(error)"))
        }
    }

    @Test func `a request has the headers that realms look at, and its body`() async throws {
        try await RawServer.run(.http(200, "answer")) { server, url in
            let reply = try await send(url).get()
            #expect(reply.status == 200)
            #expect(reply.body.array == Array("answer".utf8))
            let request = try #require(server.requests.first)
            #expect(request.hasPrefix("POST /req HTTP/1.1\r\n"))
            #expect(request.hasSuffix("\r\n\r\nbody"))
            for header in ["authorization: Bearer the-token", "x-juicebox-version: 0.3.4", "content-length: 4"] {
                // Names of headers have no case.
                #expect(request.lowercased().contains("\r\n\(header.lowercased())\r\n"))
            }
        }
    }

    @Test func `a redirect is not followed`() async throws {
        for status in [301, 302, 303, 307, 308] {
            try await RawServer.run(.http(200, "elsewhere")) { other, otherURL in
                try await RawServer.run(.http(status, headers: ["location: \(otherURL)"], "")) { _, url in
                    let reply = try await send(url).get()
                    #expect(reply.status == status)
                }
                #expect(other.requests.isEmpty)
            }
        }
    }

    @Test func `a refused connection is a request that was not processed`() async throws {
        let url = try await RawServer.run(.silence) { _, url in url }
        guard case .failure(.notProcessed) = await send(url) else {
            Issue.record("not a request that was not processed")
            return
        }
    }

    @Test func `a connection that breaks before the answer is complete leaves the outcome unclear`() async throws {
        for answer in [RawAnswer.bytesAndClose(""), .bytesAndClose("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")] {
            try await RawServer.run(answer) { _, url in
                guard case .failure(.unclear) = await send(url) else {
                    Issue.record("not unclear")
                    return
                }
            }
        }
    }

    @Test func `realms that never answer end an operation in bounded time`() async throws {
        try await RawServer.run(.silence) { _, url in
            let realms = try (1...3).map { number in
                let id = try RealmID(bytes: [UInt8](repeating: UInt8(number), count: 16))
                return #"{"id":"\#(id)","address":"\#(url)"}"#
            }
            let inner = """
                {"realms":[\(realms.joined(separator: ","))],"register_threshold":3,"recover_threshold":2,\
                "pin_hashing_mode":"Standard2019"}
                """
            let tokens = try (1...3).map { "\(try RealmID(bytes: [UInt8](repeating: UInt8($0), count: 16)))" }
            let json = try JSONSerialization.data(
                withJSONObject: [
                    "sdk_config": inner, "tokens": Dictionary(uniqueKeysWithValues: tokens.map { ($0, "token") }),
                ] as [String: Any]
            )
            let backup = try KeyBackup(
                BackupConfiguration(json: Array(json)),
                timing: .init(round: .milliseconds(200), stragglers: .milliseconds(50)),
                transport: HTTPRealmTransport.send
            )
            let start = ContinuousClock.now
            let error = await #expect(throws: BackupError.self) {
                _ = try await backup.recover(pin: secretBytes("2580"))
            }
            #expect(error?.code == .unavailable)
            #expect(ContinuousClock.now - start < .seconds(5))
        }
    }

    @Test func `an endless answer is read to its limit only`() async throws {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        let chunk = "400\r\n" + String(repeating: "x", count: 1024) + "\r\n"
        try await RawServer.run(.endless(head, more: chunk)) { server, url in
            guard case .failure(.violation) = await send(url) else {
                Issue.record("not a violation")
                return
            }
        }
    }
}
