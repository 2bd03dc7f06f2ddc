import LibSodium
import Synchronization
import XChatEvents
package import XChatFiles

/// The state has changed since it was read.
package struct StateChanged: Error {}

/// A session file: the JSON of a ``SessionDocument``.
///
/// Each change replaces the whole file while a lock is held, so that a reader never sees half of a change.
package final class SessionFile: Sendable {
    /// The largest state that is read or written: 64 MiB.
    package static let maximumBytes = 64 << 20
    /// The largest state that ``readPrivateKeys()`` reads: 1 GiB.
    package static let maximumExportBytes = 1 << 30

    private let path: String
    private let maximumBytes: Int
    let notify: @Sendable (Notice) -> Void
    private let hasWarned = Mutex(false)

    /// A session file; nothing is read yet.
    package init(
        _ path: String,
        maximumBytes: Int = SessionFile.maximumBytes,
        notify: @escaping @Sendable (Notice) -> Void = { _ in }
    ) {
        self.path = path
        self.maximumBytes = maximumBytes
        self.notify = notify
    }

    /// The name of the file in error texts.
    package var name: String {
        quoted(path)
    }

    /// Reads the state; sends a notice if other users can read the file.
    package func read() throws -> SessionDocument {
        try document(try withAccountErrors { try open(path).readAll(limit: maximumBytes) })
    }

    /// Reads only the user id and the private keys.
    ///
    /// This also works if other members are malformed, or if the state is larger than ``read()`` accepts.
    /// - Returns: A document with only these two members.
    package func readPrivateKeys() throws -> SessionDocument {
        var scanner = JSONMemberScanner(names: ["user_id", "private_keys"])
        let file = try withAccountErrors { try open(path) }
        var left = Self.maximumExportBytes
        while true {
            var piece = try withAccountErrors { try file.read(upTo: 1 << 16) }
            defer { Sodium.wipe(&piece) }
            guard !piece.isEmpty else { break }
            left -= piece.count
            guard left >= 0 else {
                throw AccountError("\(name): the file is larger than the limit of \(Self.maximumExportBytes) bytes")
            }
            scanner.scan(piece)
        }
        var members = JSONObject()
        for (member, value) in scanner.found {
            guard members[member] == nil || members[member] == value else {
                throw AccountError("\(name): \(member) occurs twice, with different values; remove the wrong one")
            }
            members[member] = value
        }
        return try document(Array(JSONValue.object(members).line.utf8))
    }

    /// Opens a session file; sends a notice if other users can read it.
    private func open(_ path: String) throws -> Descriptor {
        Files.removeLeftover(of: path)
        let file = try Descriptor.reading(path)
        if try file.isOpenToOthers(), isFirstWarning() {
            notify(.openToOthers(name))
        }
        return file
    }

    private func isFirstWarning() -> Bool {
        hasWarned.withLock { hasWarned in
            defer { hasWarned = true }
            return !hasWarned
        }
    }

    private func document(_ bytes: consuming [UInt8]) throws -> SessionDocument {
        var bytes = bytes
        defer { Sodium.wipe(&bytes) }
        return try SessionDocument(parsing: bytes, name: name)
    }

    /// Changes the state if it is still the one that was read.
    ///
    /// A lock keeps other processes of this library from changing the file at the same time, and every reader sees
    /// either the old state or the new one. A change that was computed from one state must not be applied to another
    /// one: whether a key change event is accepted depends, for example, on removals that another process saved and on
    /// keys that a person accepted.
    /// - Parameters:
    ///   - version: ``version()`` of the state that was read; nil to change the state whatever its version is.
    ///   - change: The change.
    /// - Returns: The version of the state afterwards.
    /// - Throws: ``StateChanged`` if the state has another version; what `change` throws; ``AccountError`` if the file
    ///   cannot be replaced, or if the new state would exceed the size limit. After an error the file is unchanged.
    package func update(
        ifStill version: FileVersion?,
        _ change: (inout SessionDocument) throws -> Void
    ) throws -> FileVersion? {
        try withAccountErrors {
            try Files.withLock(on: path, isWaiting: { notify(.waitingForLock(name)) }) {
                try replace(ifStill: version, change)
            }
        }
    }

    private func replace(
        ifStill version: FileVersion?,
        _ change: (inout SessionDocument) throws -> Void
    ) throws -> FileVersion? {
        if let version, version != self.version() { throw StateChanged() }
        let before = try read()
        var document = before
        try change(&document)
        guard document != before else { return self.version() }
        var bytes = document.bytes
        defer { Sodium.wipe(&bytes) }
        guard bytes.count <= maximumBytes else { throw tooLarge(document, bytes.count) }
        try Files.replace(path, bytes)
        return self.version()
    }

    /// The version of the file, which differs for different contents; found without reading the file.
    ///
    /// Nil if the file does not exist.
    package func version() -> FileVersion? { Files.version(path) }

    private func tooLarge(_ document: SessionDocument, _ count: Int) -> AccountError {
        let part = StateSize(document).largestPart.map { "; the largest part is \($0)" } ?? ""
        return AccountError(
            "\(name): nothing was written, because the state would have \(count) bytes and its limit is "
                + "\(maximumBytes)\(part)"
        )
    }
}
