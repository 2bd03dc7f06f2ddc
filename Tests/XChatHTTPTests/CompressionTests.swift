import Foundation
import TestSupport
import Testing
import XChatEngine
import XChatEvents

@testable import XChatHTTP

/// Compressed answers are decompressed within the limits of plain ones.
@Suite(.timeLimit(.minutes(1)))
struct CompressionTests {
    private static let page = #"{"data":[{"encoded_event":"e1","id":"1"}],"meta":{"result_count":1}}"#

    /// The page, compressed with Python's `gzip.compress(page, mtime=0)` and `zlib.compress(page)`.
    private static let compressed = [
        "gzip":
            "H4sIAAAAAAACA6tWSkksSVSyiq5WSs1Lzk9JTYlPLUvNK1GyUko1VNJRykwBsgyVamN1lHJTQQqrlYpSi0tzSuKT80tBygxrawHou04m"
            + "RAAAAA==",
        "deflate": "eJyrVkpJLElUsoquVkrNS85PSU2JTy1LzStRslJKNVTSUcpMAbIMlWpjdZRyU0EKq5WKUotLc0rik/NLQcoMa2sB/OUWdw==",
    ]

    private func body(_ encoding: String) throws -> [UInt8] { try Base64.decode(Self.compressed[encoding] ?? "") }

    private func answer(_ encoding: String, _ body: [UInt8], isChunked: Bool = false, status: Int = 200) -> RawAnswer {
        let head = "HTTP/1.1 \(status) X\r\ncontent-type: application/json\r\ncontent-encoding: \(encoding)\r\n"
        guard isChunked else { return .binary(Array("\(head)content-length: \(body.count)\r\n\r\n".utf8) + body) }
        let chunks = body.map { Array("1\r\n".utf8) + [$0] + Array("\r\n".utf8) }.joined()
        return .binary(Array("\(head)transfer-encoding: chunked\r\n\r\n".utf8) + chunks + Array("0\r\n\r\n".utf8))
    }

    private func events(
        _ answer: RawAnswer,
        pageBytes: Int = 32 << 20
    ) async throws(APIError) -> (events: [String], requests: [String]) {
        do {
            return try await RawServer.run(answer) { server, url in
                let limits = ChatClient.Limits(timeout: .seconds(20), pageBytes: pageBytes)
                let client = try ChatClient(api: url, token: Token("secret"), limits: limits, retries: .none)
                let page = try await client.events(in: ConversationTarget("1-2"))
                return (page.events.map(\.encodedEvent), server.requests)
            }
        } catch {
            throw error as? APIError ?? APIError(.connection, "\(error)")
        }
    }

    @Test("a compressed answer is read", arguments: ["gzip", "deflate"], [true, false])
    func compressed(_ encoding: String, _ isChunked: Bool) async throws {
        let (events, requests) = try await events(answer(encoding, body(encoding), isChunked: isChunked))
        #expect(events == ["e1"])
        #expect(requests.first?.lowercased().contains("accept-encoding: deflate, gzip\r\n") == true)
    }

    @Test func `a compressed refusal keeps its reason`() async throws {
        let bytes = try Base64.decode("H4sIAAAAAAACA6tWKsksyUlVslJyLS5OzSvJTMxRKEgsKqlUqgUAtW95QhsAAAA=")
        do throws(APIError) {
            _ = try await events(answer("gzip", bytes, status: 403))
            Issue.record("the call succeeded")
        } catch {
            #expect(error.code == .forbidden && error.detail == "Essential party")
        }
    }

    @Test("a compressed answer that is damaged or cut off is malformed", arguments: ["gzip", "deflate"])
    func damaged(_ encoding: String) async throws {
        var bytes = try body(encoding)
        let short = Array(bytes.dropLast(12))
        bytes[20] ^= 0xFF
        for body in [bytes, short, Array(bytes.prefix(3)), Array("not compressed".utf8)] {
            do throws(APIError) {
                _ = try await events(answer(encoding, body))
                Issue.record("the call succeeded")
            } catch {
                #expect(error.code == .malformedResponse)
                #expect(error.detail.contains("compressed"), "\(error.detail)")
            }
        }
    }

    @Test("an unknown compression is named", arguments: ["br", "zstd", "x-own"])
    func unknown(_ encoding: String) async throws {
        do throws(APIError) {
            _ = try await events(answer(encoding, Array(0..<200)))
            Issue.record("the call succeeded")
        } catch {
            #expect(error.code == .malformedResponse)
            #expect(error.detail.contains("\"\(encoding)\""), "\(error.detail)")
        }
    }

    @Test func `what decompresses to more than the limit, or to 100 times its size, is too large`() async throws {
        let body = try body("gzip")
        do throws(APIError) {
            _ = try await events(answer("gzip", body), pageBytes: 50)
            Issue.record("the call succeeded")
        } catch {
            #expect(error.code == .tooLarge)
        }
        do throws(APIError) {
            _ = try await events(answer("gzip", Self.bomb(matches: 200_000)))
            Issue.record("the call succeeded")
        } catch {
            #expect(error.code == .tooLarge)
            #expect(error.detail.contains("compressed"), "\(error.detail)")
        }
    }

    /// A gzip member of one fixed block: a space, then copies of the 258 bytes before (RFC 1951, section 3.2.6).
    private static func bomb(matches: Int) -> [UInt8] {
        var bytes: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]
        var (bits, count) = (UInt32(0), 0)
        func put(_ code: String) {
            for bit in code.utf8 {
                bits |= (bit == UInt8(ascii: "1") ? 1 : 0) << count
                count += 1
                if count == 8 {
                    bytes.append(UInt8(bits))
                    (bits, count) = (0, 0)
                }
            }
        }
        // Last block, fixed codes; the literal 0x20; length 258 at distance 1.
        put("110")
        put("01010000")
        for _ in 0..<matches { put("11000101" + "00000") }
        put("0000000")
        put("0000000")
        return bytes + [0, 0, 0, 0, 0, 0, 0, 0]
    }
}
