import LibSodium
import Synchronization
import XChatEvents
package import XChatFiles

/// The state is not the one that was read any more.
package struct StateChanged: Error {}

/// A session file: the JSON that ``SessionDocument`` reads, replaced as a whole under a lock.
package final class SessionFile: Sendable {
    /// The largest state that is read or written: 64 MiB.
    package static let maximumBytes = 64 << 20
    /// The largest state of which the private keys are read: 1 GiB.
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

    /// What error texts call it.
    package var name: String {
        quoted(path)
    }

    /// Reads the state; warns where others can read it too.
    package func read() throws -> SessionDocument {
        try document(try withAccountErrors { try open(path).readAll(limit: maximumBytes) })
    }

    /// Reads the user id and the private keys, whatever else the state holds: broken members, or more than is read
    /// otherwise.
    ///
    /// - Returns: A document with these two members alone.
    package func readPrivateKeys() throws -> SessionDocument {
        var scanner = JSONMemberScanner(names: ["user_id", "private_keys"])
        let file = try withAccountErrors { try open(path) }
        var left = Self.maximumExportBytes
        while true {
            var piece = try withAccountErrors { try file.read(upTo: 1 << 16) }
            defer { Sodium.wipe(&piece) }
            guard !piece.isEmpty else { break }
            left -= piece.count
            guard left >= 0 else { throw AccountError("\(name): larger than \(Self.maximumExportBytes) bytes") }
            scanner.scan(piece)
        }
        var members = JSONObject()
        for (member, value) in scanner.found {
            guard members[member] == nil || members[member] == value else {
                throw AccountError("\(name): \(member) is there twice, with different values")
            }
            members[member] = value
        }
        return try document(Array(JSONValue.object(members).line.utf8))
    }

    /// Opens a session file, and warns where others can read it.
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
    /// No other process of this library changes it meanwhile, and every reader sees the old state or the new one. What
    /// follows from a state must not be written over another one: a removal that another process counted, or keys that
    /// a that a person accepted, decide what a key change means.
    /// - Parameters:
    ///   - version: ``version()`` of the state that was read; nil to change any.
    ///   - change: The change.
    /// - Returns: The version of the state afterwards.
    /// - Throws: ``StateChanged`` if it is another one; what `change` throws, or what the system says; also for a state
    ///   that would be too large to be read again. The state is as it was then.
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

    /// Tells one content of the state from another without reading it; nil where there is no state.
    package func version() -> FileVersion? { Files.version(path) }

    private func tooLarge(_ document: SessionDocument, _ count: Int) -> AccountError {
        let part = StateSize(document).largestPart.map { "; the largest part is \($0)" } ?? ""
        return AccountError(
            "\(name): nothing was written, because the state would have \(count) bytes and its limit is "
                + "\(maximumBytes)\(part)"
        )
    }
}
