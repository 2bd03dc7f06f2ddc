import Foundation
import Synchronization
import XChat
import XChatHTTP

/// Shows the progress of one upload after the other.
final class UploadDisplay: Sendable {
    private struct State {
        var file: URL?
        var number = 0
        var display: ProgressDisplay?
    }

    private let count: Int
    private let isQuiet: Bool
    private let state = Mutex(State())

    init(_ count: Int, isQuiet: Bool) {
        self.count = count
        self.isQuiet = isQuiet
    }

    @Sendable func show(_ file: URL, _ progress: MediaProgress) {
        let display = state.withLock { state in
            if state.file != file {
                state.file = file
                state.number += 1
                let label = count == 1 ? "uploading" : "uploading \(state.number) of \(count)"
                state.display = ProgressDisplay(label, isQuiet: isQuiet)
            }
            return state.display
        }
        display?.show(progress)
    }
}
