import LibSodium
import Synchronization

/// Where the state of the user is kept: a session file, or the key store.
package final class StateStore: Sendable {
    private enum Place: Sendable {
        case sessionFile(String)
        case keyStore(KeyStore)
    }

    /// The largest session file: 64 MiB.
    private static let maximumBytes = 64 << 20

    private let place: Place
    private let hasWarned = Mutex(false)

    /// A session file, which then is the whole state.
    package init(sessionFile path: String) {
        place = .sessionFile(path)
    }

    /// The key store.
    package init(keyStore: KeyStore) {
        place = .keyStore(keyStore)
    }

    /// What error texts call it.
    package var name: String {
        switch place {
        case .sessionFile(let path): quoted(path)
        case .keyStore(let store): quoted(store.path)
        }
    }

    /// Reads the state; warns where others can read it too.
    package func read() throws -> SessionDocument {
        switch place {
        case .sessionFile(let path):
            let file = try Descriptor.reading(path)
            if try file.permissions() & 0o077 != 0, isFirstWarning() {
                Output.warning("\(name) holds secrets and is open to others; close it with: chmod 600")
            }
            return try document(try file.readAll(limit: Self.maximumBytes))
        case .keyStore(let store):
            return try document(try store.read())
        }
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

    /// Changes the state as it is now, which may be newer than what was read before.
    ///
    /// No other process of ours changes it meanwhile, and every reader sees the old state or the new one.
    package func update(_ change: (inout SessionDocument) throws -> Void) throws {
        let path =
            switch place {
            case .sessionFile(let path): path
            case .keyStore(let store): store.path
            }
        try Files.withLock(on: path) {
            let before = try read()
            var document = before
            try change(&document)
            guard document != before else { return }
            var bytes = document.bytes
            defer { Sodium.wipe(&bytes) }
            switch place {
            case .sessionFile(let path): try Files.replace(path, bytes)
            case .keyStore(let store): try store.replace(bytes)
            }
        }
    }
}
