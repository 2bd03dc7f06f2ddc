@testable import XChat

#if os(Linux)
    import Foundation
    import Glibc
    import Testing
    import XChatEngine
    import XChatEvents
    import TestSupport
    import XChatSandbox

    @testable import XChatHTTP

    /// Files that cannot grow.
    ///
    /// Each test runs in a separate process, whose files the system limits in size.
    @Suite(.timeLimit(.minutes(1)))
    struct FullDiskTests {
        /// Limits the size of files of this process; nil removes the limit.
        private static func limitFiles(to bytes: UInt?) {
            // Without this, the signal ends the process before the error is returned.
            _ = signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit()
            _ = unsafe getrlimit(.init(RLIMIT_FSIZE.rawValue), &limit)
            limit.rlim_cur = bytes ?? limit.rlim_max
            #expect(unsafe setrlimit(.init(RLIMIT_FSIZE.rawValue), &limit) == 0)
        }

        @Test func `a download that does not fit on the disk is an error and leaves no file`() async {
            await #expect(processExitsWith: .success) {
                let folder = try ScratchFolder()
                try await Sandbox().serving { url in
                    var alice = try await User("1111", .sodium, url)
                    let bob = try await User("2222", .sodium, url)
                    let conversation = try await alice.start(with: bob)
                    let key = try ConversationKey.generate()
                    let file = URL(filePath: folder.path + "/in")
                    try Data(count: 300_000).write(to: file)
                    let hashKey = try await alice.client.upload(file.path, key: key, in: conversation).mediaHashKey
                    let out = URL(filePath: folder.path + "/out")
                    let target = try ConversationTarget(conversation)
                    Self.limitFiles(to: 100_000)
                    do throws(APIError) {
                        try await bob.client.download(hashKey, in: target, key: key, to: out.path)
                        Issue.record("the file has room")
                    } catch {
                        #expect(error.code == .file)
                        #expect(error.detail.hasSuffix("(File too large)"), "\(error.detail)")
                    }
                    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["in"])
                    Self.limitFiles(to: nil)
                    try await bob.client.download(hashKey, in: target, key: key, to: out.path)
                    #expect(try Data(contentsOf: out).count == 300_000)
                }
            }
        }

        @Test func `an outbox that cannot grow reports it, and keeps acknowledged messages`() async {
            await #expect(processExitsWith: .success) {
                let folder = try ScratchFolder()
                let sealer = try Sealer()
                let outbox = try await folder.outbox()
                var acknowledged: [MessageID] = []
                Self.limitFiles(to: 200_000)
                let code = await code {
                    for number in 0..<1000 {
                        let message = try sealer.seal("\(number)")
                        try await outbox.enqueue(message)
                        acknowledged.append(message.messageID)
                    }
                }
                #expect(code == .full)
                #expect(!acknowledged.isEmpty)
                #expect(try await outbox.list().map(\.messageID) == acknowledged)
                #expect(try await folder.outbox().list().map(\.messageID) == acknowledged)
                Self.limitFiles(to: nil)
                let last = try sealer.seal("now there is room")
                try await outbox.enqueue(last)
                #expect(try await folder.outbox().list().map(\.messageID) == acknowledged + [last.messageID])
            }
        }
    }
#endif
