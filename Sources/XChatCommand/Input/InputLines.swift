import Dispatch
import XChatFiles

/// The lines of standard input, as they come.
///
/// A thread reads them, and waits while 16 parts were read that were not taken. It cannot be interrupted: at the end of
/// the program it may still wait for input.
struct InputLines: Sendable {
    /// What was read, up to the end of the input; blank lines are left out.
    ///
    /// Call ``take()`` for each part.
    let parts: AsyncStream<[EventLines.Line]>
    private let room: DispatchSemaphore

    /// Starts to read.
    ///
    /// - Parameters:
    ///   - limit: The longest line, in bytes.
    ///   - dropsUnfinishedLine: Whether text after the last newline is left out at the end of the input: at a terminal
    ///     the user has not pressed Return for it.
    init(limit: Int, dropsUnfinishedLine: Bool) {
        let (stream, continuation) = AsyncStream.makeStream(of: [EventLines.Line].self)
        let room = DispatchSemaphore(value: 16)
        (parts, self.room) = (stream, room)
        Task {
            await blocking {
                var lines = EventLines(limit: limit)
                while let chunk = try? Descriptor.standardInput.read(upTo: 1 << 16), !chunk.isEmpty {
                    lines.append(chunk)
                    room.wait()
                    if case .terminated = continuation.yield(lines.take()) { return }
                }
                if !dropsUnfinishedLine { lines.endInput() }
                continuation.yield(lines.take())
                continuation.finish()
            }
        }
    }

    /// Makes room for one more part.
    func take() { room.signal() }
}
