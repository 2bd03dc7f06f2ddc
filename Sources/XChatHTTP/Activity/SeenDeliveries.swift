import Crypto
import XChatEvents

/// Dedupes deliveries by remembering the most recent ones.
///
/// A delivery without an id is identified by its event. Message ids are not used: an attacker who guesses the id of a
/// future message could otherwise suppress it.
struct SeenDeliveries {
    private let capacity: Int
    /// Hashes of the deliveries: an id may be as long as a line.
    private var seen: Set<SHA256Digest> = []
    private var order: [SHA256Digest?]
    private var next = 0

    init(capacity: Int = 10_000) {
        self.capacity = max(1, capacity)
        order = Array(repeating: nil, count: max(1, capacity))
    }

    /// Adds a delivery and returns whether it is new; a delivery without an id and an event is always new.
    mutating func insert(_ event: ActivityEvent) -> Bool {
        guard let name = event.uuid ?? event.encodedEvent else { return true }
        let delivery = SHA256.hash(data: Array(event.kind.rawValue.utf8) + [0] + Array(name.utf8))
        guard seen.insert(delivery).inserted else { return false }
        if let oldest = order[next] { seen.remove(oldest) }
        order[next] = delivery
        next = (next + 1) % capacity
        return true
    }
}
