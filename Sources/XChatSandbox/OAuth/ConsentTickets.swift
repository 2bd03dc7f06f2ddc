import LibSodium
import Synchronization
import XChatEvents

/// The authorization requests that wait for a user's decision.
///
/// Each form has a ticket that is valid once, against cross-site request forgery: a page of another origin cannot read
/// the form, and the server accepts no decision without the ticket.
final class ConsentTickets: Sendable {
    private struct Waiting {
        let ticket: WireString
        let request: AuthorizationRequest
        let end: ContinuousClock.Instant
    }

    /// The most waiting requests; a new request then replaces the oldest one.
    private static let maximum = 1000
    private static let lifetime = Duration.seconds(600)

    private let waiting = Mutex<[Waiting]>([])

    /// Makes a ticket for a request.
    func ticket(for request: AuthorizationRequest) throws -> WireString {
        let ticket = WireString(Base64.encodeURLSafe(try Sodium.randomBytes(count: 32)))
        waiting.withLock { waiting in
            let now = ContinuousClock.now
            waiting.removeAll { $0.end <= now }
            if waiting.count >= Self.maximum { waiting.removeFirst() }
            waiting.append(Waiting(ticket: ticket, request: request, end: now + Self.lifetime))
        }
        return ticket
    }

    /// Removes and returns the request of a ticket; nil for a ticket that is unknown, used or older than ten minutes.
    func take(_ ticket: WireString) -> AuthorizationRequest? {
        waiting.withLock { waiting in
            guard let index = waiting.firstIndex(where: { $0.ticket == ticket }) else { return nil }
            let found = waiting.remove(at: index)
            return found.end > .now ? found.request : nil
        }
    }
}
