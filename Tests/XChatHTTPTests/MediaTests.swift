import Foundation
import Synchronization
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatFiles
import XChatSandbox

@testable import XChatHTTP

/// Uploads and downloads of encrypted files.
@Suite(.timeLimit(.minutes(1)))
struct MediaTests {
    private static let quick = RetryPolicy(attempts: 3, firstPause: .milliseconds(1), longestPause: .milliseconds(2))

    /// Runs the body with a folder that is deleted afterwards.
    private func inFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "xchat-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    private func names(_ folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    private func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    }

    private func encrypted(_ plaintext: [UInt8], _ key: ConversationKey) throws -> [UInt8] {
        var output: [UInt8] = []
        var encryptor = try MediaEncryptor(key: key)
        try encryptor.push(plaintext, appendingTo: &output)
        try encryptor.finish(appendingTo: &output)
        return output
    }

    /// What a transfer reports.
    private final class Reports: Sendable {
        private let list = Mutex<[MediaProgress]>([])

        var all: [MediaProgress] { list.withLock { $0 } }

        func add(_ progress: MediaProgress) { list.withLock { $0.append(progress) } }
    }

    // MARK: Through the sandbox

    @Test("a file is uploaded and downloaded unchanged", arguments: [0, 1, 1024, 200_000])
    func wholeWay(_ size: Int) async throws {
        try await inFolder { folder in
            try await Sandbox().serving { url in
                var alice = try await User("1111", .xchat, url)
                let bob = try await User("2222", .xchat, url)
                let conversation = try await alice.start(with: bob)
                let key = try ConversationKey.generate()
                let file = folder.appending(path: "in")
                let content = Data(
                    [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A].prefix(size) + bytes(max(size - 8, 0))
                )
                try content.write(to: file)

                let up = Reports()
                let upload = try MediaUpload(
                    client: alice.client,
                    file: RegularFile(file.path),
                    key: key,
                    conversation: conversation,
                    ttlMsec: nil,
                    segmentBytes: 65_536
                )
                let media = try await upload.run { up.add($0) }
                let total = try #require(MediaEncryptor.encryptedSize(of: size))
                #expect(media.plaintextBytes == size && media.encryptedBytes == total)
                #expect(media.mimeType == (size >= 12 ? "image/png" : nil))
                #expect(up.all.first == MediaProgress(doneBytes: 0, totalBytes: total))
                #expect(up.all.last == MediaProgress(doneBytes: total, totalBytes: total))
                #expect(up.all.count == 1 + (total - 1) / 65_536 + 1)

                let out = folder.appending(path: "out")
                let target = try ConversationTarget(conversation)
                let down = Reports()
                try await bob.client.download(
                    media.mediaHashKey,
                    in: target,
                    key: key,
                    to: out.path,
                    expectedBytes: size
                ) {
                    down.add($0)
                }
                #expect(down.all.first == MediaProgress(doneBytes: 0, totalBytes: total))
                #expect(down.all.last == MediaProgress(doneBytes: total, totalBytes: total))
                #expect(try Data(contentsOf: out) == content)
                let mode = try FileManager.default.attributesOfItem(atPath: out.path)[.posixPermissions] as? Int
                #expect(mode == 0o600)
                #expect(try names(folder) == ["in", "out"])

                // With a wrong key, a wrong size or an existing destination nothing changes.
                let other = folder.appending(path: "other")
                let wrong = try ConversationKey.generate()
                if size > 0 {
                    let code = await thrownCode {
                        try await bob.client.download(media.mediaHashKey, in: target, key: wrong, to: other.path)
                    }
                    #expect(code == .authenticationFailed)
                }
                for expected in [size + 1, size + 5000] {
                    let code = await thrownCode {
                        try await bob.client.download(
                            media.mediaHashKey,
                            in: target,
                            key: key,
                            to: other.path,
                            expectedBytes: expected
                        )
                    }
                    #expect(code == .malformedResponse)
                }
                let code = await thrownCode {
                    try await bob.client.download(media.mediaHashKey, in: target, key: key, to: out.path)
                }
                #expect(code == .file)
                #expect(try names(folder) == ["in", "out"])
                try Data("old".utf8).write(to: out)
                try await bob.client.download(media.mediaHashKey, in: target, key: key, to: out.path, overwrites: true)
                #expect(try Data(contentsOf: out) == content)
                try FileManager.default.createDirectory(at: other, withIntermediateDirectories: false)
                do throws(APIError) {
                    try await bob.client.download(
                        media.mediaHashKey,
                        in: target,
                        key: key,
                        to: other.path,
                        overwrites: true
                    )
                    Issue.record("replaced a folder")
                } catch {
                    #expect(error.detail.hasSuffix("(not a regular file)"), "\(error.detail)")
                }
            }
        }
    }

    // MARK: Uploads that fail

    private static let opened = RawAnswer.http(
        200,
        #"{"data":{"session_id":"5","media_hash_key":"abc","conversation_id":"1:2"}}"#
    )
    private static let appended = RawAnswer.http(200, #"{"data":{"expires_at":5}}"#)
    private static let done = RawAnswer.http(200, #"{"data":{"success":true}}"#)

    @Test func `a segment whose upload fails is sent again with the same bytes`() async throws {
        try await inFolder { folder in
            let file = folder.appending(path: "in")
            try Data(bytes(2000)).write(to: file)
            let key = try ConversationKey.generate()
            try await RawServer.run(
                Self.opened,
                .http(503, "{}"),
                .bytesAndClose(""),
                Self.appended,
                Self.done
            ) { server, url in
                let client = try ChatClient(api: url, token: Token("t"), retries: Self.quick)
                let media = try await client.upload(file.path, key: key, in: .oneToOne("1", "2"), ttlMsec: 9)
                #expect(media.mediaHashKey == "abc")
                #expect(server.requests.count == 5)
                #expect(Set(server.requests[1...3]).count == 1)
                #expect(server.requests[0].contains(#"{"conversation_id":"1:2","total_bytes":2058}"#))
                #expect(server.requests[1].contains(#""segment_index":0"#))
                #expect(
                    server.requests[4].hasSuffix(
                        #"{"conversation_id":"1:2","media_hash_key":"abc","num_parts":"1","ttl_msec":"9"}"#
                    )
                )
            }
        }
    }

    @Test(
        "rejects a session id or media hash key that would change the path",
        arguments: [
            #"{"session_id":"../5","media_hash_key":"abc"}"#, #"{"session_id":"5?x","media_hash_key":"abc"}"#,
            #"{"session_id":"","media_hash_key":"abc"}"#, #"{"session_id":"5","media_hash_key":"a/b"}"#,
            #"{"session_id":"5","media_hash_key":""}"#, #"{"session_id":5,"media_hash_key":"a"}"#,
        ]
    )
    func session(_ data: String) throws {
        let call = try Call.initializeUpload(of: 24, in: .oneToOne("1", "2"), limit: 1)
        let answer = APIResponse(status: 200, body: Data(#"{"data":\#(data)}"#.utf8))
        #expect(thrownCode { _ = try call.read(Success(answer, token: Token("t"))) } == .malformedResponse)
    }

    @Test func `a refused upload ends, and a missing file is an error before any request`() async throws {
        try await inFolder { folder in
            let file = folder.appending(path: "in")
            try Data(bytes(10)).write(to: file)
            let key = try ConversationKey.generate()
            try await RawServer.run(Self.opened, .http(413, "{}")) { server, url in
                let client = try ChatClient(api: url, token: Token("t"), retries: Self.quick)
                let missing = folder.appending(path: "none")
                let noFile = await thrownCode {
                    _ = try await client.upload(missing.path, key: key, in: .oneToOne("1", "2"))
                }
                #expect(noFile == .file)
                #expect(server.requests.isEmpty)
                let refused = await thrownCode {
                    _ = try await client.upload(file.path, key: key, in: .oneToOne("1", "2"))
                }
                #expect(refused == .invalidRequest)
                #expect(server.requests.count == 2)
            }
        }
    }

    @Test func `a file of more than 1000 segments is refused before any request`() async throws {
        try await inFolder { folder in
            let file = folder.appending(path: "in")
            try Data(bytes(1000)).write(to: file)
            try await RawServer.run(Self.opened, Self.appended) { server, url in
                let client = try ChatClient(api: url, token: Token("t"))
                let upload = try MediaUpload(
                    client: client,
                    file: RegularFile(file.path),
                    key: .generate(),
                    conversation: .oneToOne("1", "2"),
                    ttlMsec: nil,
                    segmentBytes: 1
                )
                #expect(await thrownCode { _ = try await upload.run(nil) } == .tooLarge)
                #expect(server.requests.isEmpty)
            }
        }
    }

    @Test func `an endless file is not uploaded`() async throws {
        try await RawServer.run(Self.opened, Self.appended) { server, url in
            let client = try ChatClient(api: url, token: Token("t"))
            let key = try ConversationKey.generate()
            let code = await thrownCode {
                _ = try await client.upload("/dev/zero", key: key, in: .oneToOne("1", "2"))
            }
            #expect(code == .file)
            #expect(server.requests.count <= 1)
        }
    }

    @Test func `an existing destination is refused before any request`() async throws {
        try await inFolder { folder in
            let out = folder.appending(path: "out")
            try Data().write(to: out)
            try await RawServer.run(.http(404, "{}")) { server, url in
                let client = try ChatClient(api: url, token: Token("t"))
                let key = try ConversationKey.generate()
                let code = await thrownCode {
                    try await client.download("abc", in: ConversationTarget("1-2"), key: key, to: out.path)
                }
                #expect(code == .file)
                #expect(server.requests.isEmpty)
            }
        }
    }

    @Test func `a file created during the download is not replaced`() async throws {
        try await inFolder { folder in
            try await Sandbox().serving { url in
                var alice = try await User("1111", .sodium, url)
                let bob = try await User("2222", .sodium, url)
                let conversation = try await alice.start(with: bob)
                let key = try ConversationKey.generate()
                let (file, out) = (folder.appending(path: "in"), folder.appending(path: "out"))
                try Data(bytes(100)).write(to: file)
                let media = try await alice.client.upload(file.path, key: key, in: conversation)
                let code = await thrownCode {
                    try await bob.client.download(
                        media.mediaHashKey,
                        in: ConversationTarget(conversation),
                        key: key,
                        to: out.path
                    ) { progress in
                        guard progress.doneBytes == 0 else { return }
                        #expect(throws: Never.self) { try Data("another's".utf8).write(to: out) }
                    }
                }
                #expect(code == .file)
                #expect(try Data(contentsOf: out) == Data("another's".utf8))
                #expect(try names(folder) == ["in", "out"])
            }
        }
    }

    @Test func `the body of a segment is JSON, whatever its size`() throws {
        let session = UploadSession(id: "5", mediaHashKey: "abc", conversationID: "1:2")
        for size in [1, 2, 3, 1000] {
            let segment = bytes(size + 1).dropFirst()
            let request = try Call<Void>.append(segment, number: 7, to: session, limit: 1).request
            let body = try #require(try JSONSerialization.jsonObject(with: request.body ?? Data()) as? [String: Any])
            #expect(body.count == 4)
            #expect(body["media"] as? String == Data(segment).base64EncodedString())
            #expect(body["segment_index"] as? Int == 7)
            #expect(body["media_hash_key"] as? String == "abc" && body["conversation_id"] as? String == "1:2")
        }
    }

    @Test func `a file that changes during the upload is not uploaded`() async throws {
        try await inFolder { folder in
            let file = folder.appending(path: "in")
            try Data(bytes(10)).write(to: file)
            let key = try ConversationKey.generate()
            try await RawServer.run(Self.opened, Self.appended, Self.done) { server, url in
                let client = try ChatClient(api: url, token: Token("t"))
                let code = await thrownCode {
                    _ = try await client.upload(file.path, key: key, in: .oneToOne("1", "2")) { _ in
                        #expect(throws: Never.self) {
                            let handle = try FileHandle(forWritingTo: file)
                            try handle.seekToEnd()
                            try handle.write(contentsOf: Data("more".utf8))
                        }
                    }
                }
                #expect(code == .file)
                #expect(server.requests.count == 1)
            }
        }
    }

    // MARK: Downloads from a faulty or hostile server

    private func raw(_ bytes: [UInt8], announcing length: Int? = nil) -> String {
        "HTTP/1.1 200 OK\r\ncontent-length: \(length ?? bytes.count)\r\n\r\n" + String(decoding: bytes, as: UTF8.self)
    }

    @Test func `an answer that is not the file leaves no file`() async throws {
        try await inFolder { folder in
            let key = try ConversationKey.generate()
            let text = Array(repeating: UInt8(ascii: "a"), count: 5000)
            let endless = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
            let piece = "1000\r\n\(String(repeating: "a", count: 0x1000))\r\n"
            let answers: [(RawAnswer, APIError.Code)] = [
                (.bytes(raw(text)), .authenticationFailed), (.bytes(raw([])), .authenticationFailed),
                (.bytes(raw(Array(text.prefix(23)))), .authenticationFailed),
                (.bytesAndClose(raw(Array(text.prefix(30)), announcing: 9000)), .connection),
                (.endless(endless, more: piece), .authenticationFailed), (.http(404, "{}"), .notFound),
                (.http(200, "{}"), .authenticationFailed),
                (.http(302, headers: ["location: http://localhost:1/x"], ""), .redirected),
                (.silence, .timedOut),
            ]
            for (answer, expected) in answers {
                try await RawServer.run(answer) { server, url in
                    let client = try ChatClient(
                        api: url,
                        token: Token("t"),
                        limits: .init(timeout: .milliseconds(expected == .timedOut ? 100 : 50_000)),
                        retries: RetryPolicy(attempts: 2, firstPause: .milliseconds(1))
                    )
                    let out = folder.appending(path: "out")
                    let code = await thrownCode {
                        try await client.download("abc", in: ConversationTarget("1-2"), key: key, to: out.path)
                    }
                    #expect(code == expected)
                    if expected != .timedOut { #expect(server.requests.count == (expected == .connection ? 2 : 1)) }
                }
                #expect(try names(folder).isEmpty)
            }
        }
    }

    @Test(
        "a file without a length that is cut off is a broken connection, and leaves no file",
        arguments: [0, 10, 24, 30, 1000, 1066],
        [true, false]
    )
    func cutOff(_ length: Int, _ isBinary: Bool) async throws {
        try await inFolder { folder in
            // With the first 24 bytes alone, an empty file ends as well.
            let bytes = String(repeating: isBinary ? "\u{1}" : "a", count: length)
            try await RawServer.run(.bytesAndClose("HTTP/1.1 200 OK\r\n\r\n" + bytes)) { server, url in
                let client = try ChatClient(
                    api: url,
                    token: Token("t"),
                    retries: RetryPolicy(attempts: 2, firstPause: .milliseconds(1))
                )
                let key = try ConversationKey.generate()
                let code = await thrownCode {
                    try await client.download(
                        "abc",
                        in: ConversationTarget("1-2"),
                        key: key,
                        to: folder.appending(path: "out").path
                    )
                }
                #expect(code == (length < 1065 ? .connection : .authenticationFailed))
                #expect(server.requests.count == (length < 1065 ? 2 : 1))
            }
            #expect(try names(folder).isEmpty)
        }
    }

    @Test func `a file larger than expected is too large`() async throws {
        try await inFolder { folder in
            let endless = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
            let piece = "10\r\naaaaaaaaaaaaaaaa\r\n"
            try await RawServer.run(.endless(endless, more: piece)) { _, url in
                let client = try ChatClient(api: url, token: Token("t"))
                let key = try ConversationKey.generate()
                let code = await thrownCode {
                    try await client.download(
                        "abc",
                        in: ConversationTarget("1-2"),
                        key: key,
                        to: folder.appending(path: "out").path,
                        expectedBytes: 10
                    )
                }
                #expect(code == .tooLarge)
            }
            #expect(try names(folder).isEmpty)
        }
    }

    @Test(
        "an expected size made up by the sender is neither trusted nor fatal",
        arguments: [
            // The encrypted size of the first is exactly Int.max.
            (9_072_750_207_242_353_879, Int.max, APIError.Code.authenticationFailed), (.max, .max, .tooLarge),
            (9_072_750_207_242_353_879, 1000, .tooLarge), (1000, 1000, .tooLarge), (-1, 1000, .tooLarge),
            (900, 1000, .authenticationFailed),
        ]
    )
    func namedSize(_ named: Int, _ largest: Int, _ expected: APIError.Code) async throws {
        try await inFolder { folder in
            try await RawServer.run(.bytes(raw(Array(repeating: 0x61, count: 500)))) { server, url in
                let client = try ChatClient(api: url, token: Token("t"), limits: .init(mediaBytes: largest))
                let key = try ConversationKey.generate()
                let code = await thrownCode {
                    try await client.download(
                        "abc",
                        in: ConversationTarget("1-2"),
                        key: key,
                        to: folder.appending(path: "out").path,
                        expectedBytes: named
                    )
                }
                #expect(code == expected)
                #expect(server.requests.isEmpty == (expected == .tooLarge))
            }
            #expect(try names(folder).isEmpty)
        }
    }

    @Test func `a destination that cannot be written is refused before any request`() async throws {
        try await inFolder { folder in
            try await RawServer.run(.http(200, "x")) { server, url in
                let client = try ChatClient(api: url, token: Token("t"))
                let out = folder.appending(path: "none/out")
                let key = try ConversationKey.generate()
                let code = await thrownCode {
                    try await client.download("abc", in: ConversationTarget("1-2"), key: key, to: out.path)
                }
                #expect(code == .file)
                #expect(server.requests.isEmpty)
            }
        }
    }

    @Test(
        "rejects a media hash key that would change the path",
        arguments: ["", "../x", "a/b", "é", String(repeating: "a", count: 51)]
    )
    func hashKey(_ text: String) throws {
        let target = try ConversationTarget("1-2")
        #expect(thrownCode { _ = try APIRequest.media(text, in: target) } == .invalidArgument)
    }
}
