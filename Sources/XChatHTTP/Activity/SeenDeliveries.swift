import Crypto
import XChatEvents

/// Remembers the latest deliveries, to tell which one comes again.
///
/// A delivery without an id is known by its event. Nothing is remembered across different events: whoever could name the id of a
/// message to come could otherwise hide it.
struct SeenDeliveries {
    private let capacity: Int
    /// Hashes, since a name may be as long as a line.
    private var seen: Set<SHA256Digest> = []
    private var order: [SHA256Digest?]
    private var next = 0

    init(capacity: Int = 10_000) {
        self.capacity = max(1, capacity)
        order = Array(repeating: nil, count: max(1, capacity))
    }

    /// Whether the delivery is new; one that cannot be told apart counts as new.
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
