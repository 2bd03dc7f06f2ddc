import Dispatch
import Foundation
import TestSupport
import Testing
import XChatFiles

@Suite(.timeLimit(.minutes(1)))
struct BlockingTests {
    @Test func `functions that wait do not stop the tasks of the process`() async throws {
        let count = ProcessInfo.processInfo.activeProcessorCount + 4
        let started = DispatchSemaphore(value: 0)
        let released = DispatchSemaphore(value: 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask {
                    await blocking {
                        started.signal()
                        released.wait()
                    }
                }
            }
            group.addTask {
                // As long as one thread of the pool is free, this task goes on.
                for _ in 0..<count {
                    while started.wait(timeout: .now()) == .timedOut { try await Task.sleep(for: .milliseconds(1)) }
                }
                for _ in 0..<count { released.signal() }
            }
            try await group.waitForAll()
        }
    }

    @Test func `a file is read in pieces, and only a regular one`() throws {
        let scratch = try Scratch()
        let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0) }
        try Data(bytes).write(to: URL(filePath: scratch.file("a file")))
        let file = try RegularFile(scratch.file("a file"))
        #expect(file.byteCount == bytes.count)
        var read: [UInt8] = []
        while true {
            let piece = try file.read(upTo: 3000, at: read.count)
            #expect(piece.count <= 3000)
            if piece.isEmpty { break }
            read += piece
        }
        #expect(read == bytes)
        let status = unsafe mkfifo(scratch.file("a pipe"), 0o600)
        #expect(status == 0)
        for name in ["a pipe", ".", "missing"] {
            #expect(throws: FileError.self) { _ = try RegularFile(scratch.file(name)) }
        }
    }
}
