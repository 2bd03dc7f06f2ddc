import Synchronization
import XChatEngine
import XChatEvents

/// Remembers accepted key change events, so that they are not verified again with every page that lists them.
///
/// An accepted event can be skipped, because delivering it again would change nothing. Events that were refused, or
/// accepted with a mark, are verified each time.
final class AcceptedKeyChanges: Sendable {
    /// The most key change events that are remembered: 10,000.
    private static let limit = 10_000
    private let versions = Mutex<[EventDigest: KeyVersion]>([:])

    /// The key change events of a page that must be verified.
    ///
    /// - Parameters:
    ///   - keyEvents: The base64 of the key change events.
    ///   - conversation: The conversation that was asked for.
    ///   - state: The state. An event is verified again if the state does not have its key as an accepted key.
    /// - Returns: All events except those that were accepted before and whose keys the state has.
    /// - Throws: ``AccountError`` of the store.
    func fresh(
        _ keyEvents: [String],
        in conversation: ConversationID,
        _ state: AccountState
    ) async throws -> [String] {
        guard !keyEvents.isEmpty, versions.withLock({ !$0.isEmpty }) else { return keyEvents }
        let digests = try keyEvents.map { try digest($0, in: conversation) }
        let known = versions.withLock { versions in digests.map { versions[$0] } }
        guard known.contains(where: { $0 != nil }) else { return keyEvents }
        let session = try await state.session(AccountState.Scope(conversations: [conversation]))
        // Without a membership log of the group, all events are delivered, because one of them may found the log.
        guard !conversation.isGroup || session.memberships[conversation] != nil else { return keyEvents }
        return zip(keyEvents, known).filter { _, version in
            version.map { session.keyRing.acceptedKey(in: conversation, version: $0) == nil } ?? true
        }.map(\.0)
    }

    /// Remembers key change events that were accepted without a mark.
    func add(_ accepted: [(text: String, event: Event)], in conversation: ConversationID) throws {
        var new: [EventDigest: KeyVersion] = [:]
        for (text, event) in accepted {
            guard case .conversationKeyChangeEvent(let change) = event.received.detail,
                let version = change.conversationKeyVersion
            else { continue }
            new[try digest(text, in: conversation)] = version
        }
        versions.withLock { versions in
            if versions.count + new.count > Self.limit { versions.removeAll() }
            versions.merge(new) { _, version in version }
        }
    }

    /// Forgets all events.
    ///
    /// Call this after members or pins were replaced, so that all events are verified against the new ones.
    func forget() { versions.withLock { $0.removeAll() } }

    private func digest(_ text: String, in conversation: ConversationID) throws(XChatError) -> EventDigest {
        try EventDigest(ofBytes: Array("\(conversation),".utf8) + text.utf8)
    }
}
