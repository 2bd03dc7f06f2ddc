import Synchronization
import XChatEngine
import XChatEvents

/// Key changes that were accepted before, so that they are not verified with every page that lists them again.
///
/// An accepted key change that comes again changes nothing. One that was refused, or that needs a mark, is judged each
/// time.
final class AcceptedKeyChanges: Sendable {
    /// The most key changes that are remembered: 10,000.
    private static let limit = 10_000
    private let versions = Mutex<[EventDigest: KeyVersion]>([:])

    /// The key changes of a page that must be judged.
    ///
    /// - Parameters:
    ///   - keyEvents: The base64 of the key changes.
    ///   - conversation: The conversation that was asked for.
    ///   - state: The state: a key that it has lost since, or that another process has not seen, is judged again.
    /// - Returns: All but those that were accepted before and whose keys are held.
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
        // The key change may be what a group's membership log is founded on.
        guard !conversation.isGroup || session.memberships[conversation] != nil else { return keyEvents }
        return zip(keyEvents, known).filter { _, version in
            version.map { session.keyRing.acceptedKey(in: conversation, version: $0) == nil } ?? true
        }.map(\.0)
    }

    /// Notes key changes that were accepted without a mark.
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

    /// Forgets all of them: members or pins were replaced, and what was accepted under the old ones is judged again.
    func forget() { versions.withLock { $0.removeAll() } }

    private func digest(_ text: String, in conversation: ConversationID) throws(XChatError) -> EventDigest {
        try EventDigest(ofBytes: Array("\(conversation),".utf8) + text.utf8)
    }
}
