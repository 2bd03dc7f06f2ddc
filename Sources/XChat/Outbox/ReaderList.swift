import XChatEngine
import XChatEvents

/// The readers of a message as they are stored: their ids in numerical order, separated by single spaces.
enum ReaderList {
    /// The most members of a group.
    static let maximumCount = 10_000

    /// The stored text.
    ///
    /// - Throws: `invalid_readers` for more readers than a group has members, or an id that is not 1 to 19 digits.
    static func text(_ readers: Set<UserID>) throws(AccountError) -> String {
        guard readers.count <= maximumCount, readers.allSatisfy(\.isValid) else {
            throw AccountError(
                .invalidReaders,
                "a message has at most \(maximumCount) readers, each with an id of 1 to \(EventLimits.digits) digits"
            )
        }
        return readers.sorted { $0.isSmaller(than: $1) }.map(\.string).joined(separator: " ")
    }

    /// The readers that a text names.
    ///
    /// - Throws: `damaged` for a text that ``text(_:)`` does not make.
    static func readers(_ text: String) throws(AccountError) -> Set<UserID> {
        // Splitting an empty text gives one empty id.
        guard text.utf8.count <= maximumCount * (EventLimits.digits + 1) else { throw malformed }
        let ids = text.utf8.isEmpty ? [] : text.utf8.split(separator: 0x20, omittingEmptySubsequences: false)
        let readers = Set(ids.map { UserID(String(Substring($0))) })
        guard ids.count <= maximumCount, readers.count == ids.count, readers.allSatisfy(\.isValid) else {
            throw malformed
        }
        return readers
    }

    private static var malformed: AccountError {
        AccountError(
            .damaged,
            "the stored readers of a message are damaged or malformed; restore the account from a backup"
        )
    }
}
