import Foundation
import Synchronization

/// The open activity streams, and the delivery of events to them.
final class ActivityHub: Sendable {
    /// An item that a stream receives.
    enum Item: Sendable {
        /// An event, as one line of JSON.
        case line(Data)
        /// The time for a keep-alive has come.
        case tick
    }

    /// One open stream; it is closed when its items are released.
    struct Stream: Sendable {
        let items: AsyncStream<Item>
        let continuation: AsyncStream<Item>.Continuation
    }

    private struct State {
        var streams: [Int: AsyncStream<Item>.Continuation] = [:]
        var lastID = 0
    }

    private let state = Mutex(State())

    /// The most open streams, as at X.
    private static let maximumStreams = 2
    /// Streams with more undelivered items are closed, because otherwise a slow client could fill the memory.
    private static let maximumWaiting = 10_000

    var isHeard: Bool { state.withLock { !$0.streams.isEmpty } }

    func open() throws(Problem) -> Stream {
        let (items, continuation) = AsyncStream.makeStream(
            of: Item.self,
            bufferingPolicy: .bufferingOldest(Self.maximumWaiting)
        )
        let id: Int? = state.withLock { state in
            guard state.streams.count < Self.maximumStreams else { return nil }
            state.lastID += 1
            state.streams[state.lastID] = continuation
            return state.lastID
        }
        guard let id else { throw .tooManyConnections }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.streams.removeValue(forKey: id) }
        }
        return Stream(items: items, continuation: continuation)
    }

    func deliver(_ line: Data) {
        // Not under the lock: when a stream ends, its handler takes the lock again.
        for stream in state.withLock({ Array($0.streams.values) }) {
            if case .dropped = stream.yield(.line(line)) { stream.finish() }
        }
    }
}
