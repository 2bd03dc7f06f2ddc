#if os(Linux)
    import Foundation
    import Glibc
    import TestSupport
    import Testing
    import XChat
    import XChatCommand

    /// A program in a separate pseudo-terminal.
    final class PseudoTerminal: @unchecked Sendable {
        private let process: Process
        /// The user's side of the terminal.
        private let device: Int32
        private var bytes: [UInt8] = []

        /// Starts the program in a terminal of some columns.
        init(_ arguments: [String], environment: [String: String], columns: UInt16) throws {
            device = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
            var (isLocked, number): (Int32, UInt32) = (0, 0)
            // Linux' TIOCSPTLCK and TIOCGPTN, which Swift does not import.
            guard unsafe ioctl(device, 0x4004_5431, &isLocked) == 0, unsafe ioctl(device, 0x8004_5430, &number) == 0
            else {
                throw CommandError("there is no pseudo-terminal")
            }
            let other = unsafe open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
            guard other >= 0 else { throw CommandError("the pseudo-terminal cannot be opened") }
            defer { close(other) }
            var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
            _ = unsafe ioctl(device, UInt(TIOCSWINSZ), &size)
            _ = fcntl(device, F_SETFL, O_NONBLOCK)
            let program = try #require(Program.executable)
            // The terminal must be the controlling one, so that Ctrl-C is a signal.
            process = try Program.process(
                ["--ctty", "--wait", program.path] + arguments,
                environment: environment.merging(["TERM": "xterm"]) { $1 },
                of: URL(filePath: "/usr/bin/setsid")
            )
            let file = FileHandle(fileDescriptor: other, closeOnDealloc: false)
            process.standardInput = file
            process.standardOutput = file
            process.standardError = file
            try process.run()
        }

        /// Types a text.
        func type(_ text: String) {
            let bytes = Array(text.utf8)
            _ = unsafe write(device, bytes, bytes.count)
        }

        /// Everything that was written to the terminal so far.
        var text: String {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = unsafe read(device, &buffer, buffer.count)
                guard count > 0 else { break }
                bytes += buffer[..<count]
            }
            return String(decoding: bytes, as: UTF8.self)
        }

        /// Waits until a text was written.
        func wait(for part: String, count: Int = 1) async throws {
            for _ in 0..<600 {
                if text.components(separatedBy: part).count > count { return }
                guard process.isRunning else { break }
                try await Task.sleep(for: .milliseconds(50))
            }
            Issue.record("there is no \(part) in: \(text)")
        }

        /// The exit status, after the program has ended.
        func end() async throws -> Int32 {
            for _ in 0..<600 where process.isRunning {
                _ = text
                try await Task.sleep(for: .milliseconds(50))
            }
            guard !process.isRunning else {
                Issue.record("it does not end: \(text)")
                return -1
            }
            return process.terminationStatus
        }

        deinit {
            if process.isRunning { process.terminate() }
            close(device)
        }
    }
#endif
