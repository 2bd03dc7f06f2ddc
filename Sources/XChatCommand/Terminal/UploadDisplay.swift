import Synchronization
import XChat
import XChatHTTP

/// Shows the progress of several uploads, one after the other.
final class UploadDisplay: Sendable {
    private struct State {
        var index: Int?
        var display: ProgressDisplay?
    }

    private let count: Int
    private let isQuiet: Bool
    private let state = Mutex(State())

    init(_ count: Int, isQuiet: Bool) {
        self.count = count
        self.isQuiet = isQuiet
    }

    @Sendable func show(_ index: Int, _ progress: MediaProgress) {
        let display = state.withLock { state in
            if state.index != index {
                state.index = index
                let label = count == 1 ? "uploading" : "uploading \(index + 1) of \(count)"
                state.display = ProgressDisplay(label, isQuiet: isQuiet)
            }
            return state.display
        }
        display?.show(progress)
    }
}
