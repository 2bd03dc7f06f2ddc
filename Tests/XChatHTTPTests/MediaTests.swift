import Foundation
import TestSupport
import Testing
import XChatEngine
import XChatEvents
import XChatSandbox

@testable import XChatHTTP

/// Files up and down, encrypted on the way.
@Suite(.timeLimit(.minutes(1)))
struct MediaTests {
    private static let quick = RetryPolicy(attempts: 3, firstPause: .milliseconds(1), longestPause: .milliseconds(2))

    /// A folder that is gone after the body.
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

    private func upload(_ upload: MediaUpload) async throws -> (progress: [MediaProgress], media: UploadedMedia?) {
        var progress: [MediaProgress] = []
        var media: UploadedMedia?
        for try await step in upload {
            switch step {
            case .progress(let step): progress.append(step)
            case .finished(let finished): media = finished
            }
        }
        return (progress, media)
    }

    private func drain(_ download: MediaDownload) async throws -> [MediaProgress] {
        var progress: [MediaProgress] = []
        for try await step in download { progress.append(step) }
        return progress
    }

    // MARK: Through the sandbox

    @Test("a file goes up and comes down", arguments: [0, 1, 1024, 200_000])
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

                var steps = alice.client.upload(file, key: key, in: conversation)
                steps.segmentBytes = 65_536
                let (progress, uploaded) = try await upload(steps)
                let media = try #require(uploaded)
                let total = try #require(MediaEncryptor.encryptedSize(of: size))
                #expect(media.plaintextBytes == size && media.encryptedBytes == total)
                #expect(media.mimeType == (size >= 12 ? "image/png" : nil))
                #expect(progress.first == MediaProgress(doneBytes: 0, totalBytes: total))
                #expect(progress.last == MediaProgress(doneBytes: total, totalBytes: total))
                #expect(progress.count == 1 + (total - 1) / 65_536 + 1)

                let out = folder.appending(path: "out")
                let target = try ConversationTarget(conversation)
                let received = try await drain(
                    bob.client.download(media.mediaHashKey, in: target, key: key, to: out, expectedBytes: size)
                )
                #expect(received.last == MediaProgress(doneBytes: total, totalBytes: total))
                #expect(try Data(contentsOf: out) == content)
                let mode = try FileManager.default.attributesOfItem(atPath: out.path)[.posixPermissions] as? Int
                #expect(mode == 0o600)
                #expect(try names(folder) == ["in", "out"])

                // A wrong key, a wrong size, a name that is taken: nothing changes.
                let other = folder.appending(path: "other")
                let wrong = try ConversationKey.generate()
                if size > 0 {
                    let code = await thrownCode {
                        _ = try await drain(bob.client.download(media.mediaHashKey, in: target, key: wrong, to: other))
                    }
                    #expect(code == .authenticationFailed)
                }
                for expected in [size + 1, size + 5000] {
                    let download = bob.client.download(
                        media.mediaHashKey,
                        in: target,
                        key: key,
                        to: other,
                        expectedBytes: expected
                    )
                    #expect(await thrownCode { _ = try await drain(download) } == .malformedResponse)
                }
                let again = bob.client.download(media.mediaHashKey, in: target, key: key, to: out)
                #expect(await thrownCode { _ = try await drain(again) } == .file)
                #expect(try names(folder) == ["in", "out"])
                try Data("old".utf8).write(to: out)
                _ = try await drain(
                    bob.client.download(media.mediaHashKey, in: target, key: key, to: out, overwrites: true)
                )
                #expect(try Data(contentsOf: out) == content)
                try FileManager.default.createDirectory(at: other, withIntermediateDirectories: false)
                do throws(APIError) {
                    let steps = bob.client.download(
                        media.mediaHashKey,
                        in: target,
                        key: key,
                        to: other,
                        overwrites: true
                    )
                    for try await _ in steps {}
                    Issue.record("a folder was replaced")
                } catch {
                    #expect(error.detail.hasSuffix("(Is a directory)"), "\(error.detail)")
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

    @Test func `a segment that meets an error is sent again with the same bytes`() async throws {
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
                let (_, media) = try await upload(client.upload(file, key: key, in: .oneToOne("1", "2"), ttlMsec: 9))
                #expect(media?.mediaHashKey == "abc")
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
        "a session or name that could leave its path is refused",
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

    @Test func `an upload that is refused ends, and so does a missing file before anything is sent`() async throws {
        try await inFolder { folder in
            let file = folder.appending(path: "in")
            try Data(bytes(10)).write(to: file)
            let key = try ConversationKey.generate()
            try await RawServer.run(Self.opened, .http(413, "{}")) { server, url in
                let client = try ChatClient(api: url, token: Token("t"), retries: Self.quick)
                let missing = client.upload(folder.appending(path: "none"), key: key, in: .oneToOne("1", "2"))
                #expect(await thrownCode { _ = try await upload(missing) } == .file)
                #expect(server.requests.isEmpty)
                let refused = client.upload(file, key: key, in: .oneToOne("1", "2"))
                #expect(await thrownCode { _ = try await upload(refused) } == .invalidRequest)
                #expect(server.requests.count == 2)
            }
        }
    }

    @Test func `a file of more segments than there are numbers is refused before anything is sent`() async throws {
        try await inFolder { folder in
            let file = folder.appending(path: "in")
            try Data(bytes(1000)).write(to: file)
            try await RawServer.run(Self.opened, Self.appended) { server, url in
                let client = try ChatClient(api: url, token: Token("t"))
                var steps = try client.upload(file, key: .generate(), in: .oneToOne("1", "2"))
                steps.segmentBytes = 1
                #expect(await thrownCode { _ = try await upload(steps) } == .tooLarge)
                #expect(server.requests.isEmpty)
            }
        }
    }

    @Test func `a file without end is not uploaded`() async throws {
        try await RawServer.run(Self.opened, Self.appended) { server, url in
            let client = try ChatClient(api: url, token: Token("t"))
            let steps = try client.upload(URL(filePath: "/dev/zero"), key: .generate(), in: .oneToOne("1", "2"))
            #expect(await thrownCode { _ = try await upload(steps) } == .file)
            #expect(server.requests.count <= 1)
        }
    }

    @Test func `a name that is taken is refused before anything is asked for`() async throws {
        try await inFolder { folder in
            let out = folder.appending(path: "out")
            try Data().write(to: out)
            try await RawServer.run(.http(404, "{}")) { server, url in
                let client = try ChatClient(api: url, token: Token("t"))
                let download = try client.download("abc", in: ConversationTarget("1-2"), key: .generate(), to: out)
                #expect(await thrownCode { _ = try await drain(download) } == .file)
                #expect(server.requests.isEmpty)
            }
        }
    }

    @Test func `a file that comes into being during a download is not replaced`() async throws {
        try await inFolder { folder in
            try await Sandbox().serving { url in
                var alice = try await User("1111", .sodium, url)
                let bob = try await User("2222", .sodium, url)
                let conversation = try await alice.start(with: bob)
                let key = try ConversationKey.generate()
                let (file, out) = (folder.appending(path: "in"), folder.appending(path: "out"))
                try Data(bytes(100)).write(to: file)
                let media = try #require(try await upload(alice.client.upload(file, key: key, in: conversation)).media)
                let steps = try bob.client.download(
                    media.mediaHashKey,
                    in: ConversationTarget(conversation),
                    key: key,
                    to: out
                ).makeAsyncIterator()
                _ = try await steps.next()
                try Data("somebody's".utf8).write(to: out)
                #expect(await thrownCode { while try await steps.next() != nil {} } == .file)
                #expect(try Data(contentsOf: out) == Data("somebody's".utf8))
                #expect(try names(folder) == ["in", "out"])
            }
        }
    }

    @Test func `a segment is posted as JSON, whatever its size`() throws {
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

    @Test func `a file that changes meanwhile is not uploaded`() async throws {
        try await inFolder { folder in
            let file = folder.appending(path: "in")
            try Data(bytes(10)).write(to: file)
            let key = try ConversationKey.generate()
            try await RawServer.run(Self.opened, Self.appended, Self.done) { server, url in
                let client = try ChatClient(api: url, token: Token("t"))
                let steps = client.upload(file, key: key, in: .oneToOne("1", "2")).makeAsyncIterator()
                _ = try await steps.next()
                let handle = try FileHandle(forWritingTo: file)
                try handle.seekToEnd()
                try handle.write(contentsOf: Data("more".utf8))
                #expect(await thrownCode { _ = try await steps.next() } == .file)
                #expect(try await steps.next() == nil)
                #expect(server.requests.count == 1)
            }
        }
    }

    // MARK: Downloads that lie

    private func raw(_ bytes: [UInt8], announcing length: Int? = nil) -> String {
        "HTTP/1.1 200 OK\r\ncontent-length: \(length ?? bytes.count)\r\n\r\n" + String(decoding: bytes, as: UTF8.self)
    }

    @Test func `whatever a server sends instead of the file leaves none`() async throws {
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
                    let download = try client.download(
                        "abc",
                        in: ConversationTarget("1-2"),
                        key: key,
                        to: folder.appending(path: "out")
                    )
                    #expect(await thrownCode { _ = try await drain(download) } == expected)
                    if expected != .timedOut { #expect(server.requests.count == (expected == .connection ? 2 : 1)) }
                }
                #expect(try names(folder).isEmpty)
            }
        }
    }

    @Test func `a file larger than was named is not received`() async throws {
        try await inFolder { folder in
            let endless = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
            let piece = "10\r\naaaaaaaaaaaaaaaa\r\n"
            try await RawServer.run(.endless(endless, more: piece)) { _, url in
                let client = try ChatClient(api: url, token: Token("t"))
                let download = try client.download(
                    "abc",
                    in: ConversationTarget("1-2"),
                    key: .generate(),
                    to: folder.appending(path: "out"),
                    expectedBytes: 10
                )
                #expect(await thrownCode { _ = try await drain(download) } == .tooLarge)
            }
            #expect(try names(folder).isEmpty)
        }
    }

    @Test(
        "a size that a sender made up is neither believed nor fatal",
        arguments: [
            // Encrypted, the first is exactly as long as an Int can say.
            (9_072_750_207_242_353_879, Int.max, APIError.Code.authenticationFailed), (.max, .max, .tooLarge),
            (9_072_750_207_242_353_879, 1000, .tooLarge), (1000, 1000, .tooLarge), (-1, 1000, .tooLarge),
            (900, 1000, .authenticationFailed),
        ]
    )
    func namedSize(_ named: Int, _ largest: Int, _ expected: APIError.Code) async throws {
        try await inFolder { folder in
            try await RawServer.run(.bytes(raw(Array(repeating: 0x61, count: 500)))) { server, url in
                let client = try ChatClient(api: url, token: Token("t"), limits: .init(mediaBytes: largest))
                let download = try client.download(
                    "abc",
                    in: ConversationTarget("1-2"),
                    key: .generate(),
                    to: folder.appending(path: "out"),
                    expectedBytes: named
                )
                #expect(await thrownCode { _ = try await drain(download) } == expected)
                #expect(server.requests.isEmpty == (expected == .tooLarge))
            }
            #expect(try names(folder).isEmpty)
        }
    }

    @Test func `a destination where nothing can be written is refused before anything is asked for`() async throws {
        try await inFolder { folder in
            try await RawServer.run(.http(200, "x")) { server, url in
                let client = try ChatClient(api: url, token: Token("t"))
                let out = folder.appending(path: "none/out")
                let download = try client.download("abc", in: ConversationTarget("1-2"), key: .generate(), to: out)
                #expect(await thrownCode { _ = try await drain(download) } == .file)
                #expect(server.requests.isEmpty)
            }
        }
    }

    @Test(
        "a hash key that could leave its path is refused",
        arguments: ["", "../x", "a/b", "é", String(repeating: "a", count: 51)]
    )
    func hashKey(_ text: String) throws {
        let target = try ConversationTarget("1-2")
        #expect(thrownCode { _ = try APIRequest.media(text, in: target) } == .invalidArgument)
    }
}
