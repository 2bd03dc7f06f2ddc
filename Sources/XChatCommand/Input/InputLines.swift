import Dispatch
import XChatFiles
import XChatText

/// The lines of standard input, as they arrive.
///
/// A thread reads them, and pauses while 16 parts are not taken yet. It cannot be interrupted: when the program ends,
/// it may still wait for input.
struct InputLines: Sendable {
    /// The lines up to the end of the input, in parts; blank lines are left out.
    ///
    /// Call ``take()`` for each part.
    let parts: AsyncStream<[EventLines.Line]>
    private let room: DispatchSemaphore

    /// Starts to read.
    ///
    /// - Parameters:
    ///   - limit: The longest line, in bytes.
    ///   - dropsUnfinishedLine: Whether text after the last newline is dropped at the end of the input. At a terminal,
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

    /// Allows the thread to read one more part.
    func take() { room.signal() }
}
