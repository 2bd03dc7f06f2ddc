import Dispatch
import Foundation
import LibSodium
import TestSupport
import Testing

@testable import XChat

/// Functions of the caller and blocking system calls run on separate threads.
@Suite(.timeLimit(.minutes(1)))
struct BlockingCallTests {
    @Test func `waiting for a passphrase does not stop the tasks of the process`() async throws {
        let scratch = try Scratch()
        let count = ProcessInfo.processInfo.activeProcessorCount + 2
        let (asked, answered) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                group.addTask {
                    var configuration = Account.Configuration(.accountFile(scratch.file("\(number).db"))) { _ in
                        asked.signal()
                        answered.wait()
                        return try SecretBytes(copying: Array("p".utf8).span)
                    }
                    configuration.passwordLimits = .minimum
                    _ = try await configuration.store()
                }
            }
            group.addTask {
                for _ in 0..<count {
                    while asked.wait(timeout: .now()) == .timedOut { try await Task.sleep(for: .milliseconds(1)) }
                }
                for _ in 0..<count { answered.signal() }
            }
            try await group.waitForAll()
        }
        #expect(try scratch.names().filter { $0.hasSuffix(".db") }.count == count)
    }
}
