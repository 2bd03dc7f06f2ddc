import Synchronization
import XChatEngine
import XChatEvents

/// Keeps cursors in memory, for a feed that saves no position.
final class MemoryCursors: RecordStore {
    private struct State {
        var records: [RecordKey: Record] = [:]
        var revision: UInt64 = 0
    }

    private let state = Mutex(State())

    func records(_ keys: [RecordKey]) async throws(AccountError) -> [RecordKey: Record] {
        state.withLock { state in
            var found: [RecordKey: Record] = [:]
            for key in keys { found[key] = state.records[key] }
            return found
        }
    }

    func list(_ kind: RecordKey.Kind, after position: [UInt8]?, limit: Int) async throws(AccountError) -> RecordPage {
        RecordPage(keys: [], next: nil)
    }

    func commit(_ batch: RecordBatch) async throws(AccountError) -> [RecordKey: UInt64] {
        state.withLock { state in
            state.revision += 1
            for (key, bytes) in batch.writes {
                state.records[key] = Record(bytes: bytes, revision: state.revision)
            }
            for key in batch.deletions { state.records[key] = nil }
            return Dictionary(uniqueKeysWithValues: batch.writes.keys.map { ($0, state.revision) })
        }
    }

    func lease(_ name: String) async throws(AccountError) -> (any StoreLease)? { nil }
}
