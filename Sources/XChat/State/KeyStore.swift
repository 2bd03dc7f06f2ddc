package import LibSodium
import Synchronization
import XChatEvents
import XChatFiles

/// The file in which the state of one user is kept sealed under a passphrase.
package final class KeyStore: Sendable {
    /// The file.
    package let path: String
    private let folder: String
    private let askPassphrase: @Sendable (_ isNew: Bool) throws -> SecretBytes
    // Argon2id is slow on purpose: one passphrase and one run of it serve a whole command.
    private let opened = Mutex<Opened?>(nil)

    private final class Opened: Sendable {
        let seal: KeyStoreSeal
        let key: SecretBytes

        init(seal: KeyStoreSeal, key: consuming SecretBytes) {
            self.seal = seal
            self.key = key
        }
    }

    /// The key store of a home folder; nothing is read yet.
    ///
    /// - Parameters:
    ///   - home: The folder.
    ///   - askPassphrase: Gives the passphrase; asked once, and only when it is needed.
    package init(
        home: String,
        askPassphrase: @escaping @Sendable (_ isNew: Bool) throws -> SecretBytes
    ) {
        folder = home
        path = home + "/keystore"
        self.askPassphrase = askPassphrase
    }

    /// Makes the key store; one that is there is left as it is, and that is an error.
    package func create(_ content: [UInt8], limits: PasswordHash.Limits = .moderate) throws {
        try refuseExisting()
        let seal = try KeyStoreSeal(limits: limits)
        let key = try seal.key(askPassphrase(true))
        let file = try seal.file(sealing: content.span, key: key)
        try withAccountErrors {
            try Files.makeFolder(folder)
            try Files.create(path, file)
        }
    }

    /// Refuses to go on where there is a key store already.
    package func refuseExisting() throws(AccountError) {
        guard !Files.exists(path) else {
            throw AccountError(.exists, "\(quoted(path)) is there already")
        }
    }

    /// The content.
    ///
    /// - Parameter limit: The most bytes of it that are read.
    /// - Returns: The bytes that were sealed.
    /// - Throws: Where there is no key store, it is damaged or too large, or the passphrase is wrong.
    package func read(limit: Int = StateStore.maximumBytes) throws -> [UInt8] {
        Files.removeLeftover(of: path)
        guard Files.exists(path) else {
            throw AccountError(.notFound, "there is no key store \(quoted(path))")
        }
        let file = try withAccountErrors {
            try Files.read(path, limit: limit + KeyStoreSeal.overheadByteCount)
        }
        let (seal, box) = try KeyStoreSeal.read(file, name: quoted(path))
        let key = try open(seal)
        do {
            return try key.key.withBytes { (key) throws(SodiumError) in try SecretBox.open(box.span, key: key) }
        } catch {
            throw AccountError("\(quoted(path)): the passphrase is wrong, or the key store was damaged")
        }
    }

    /// Puts another content in the place of the one that was read.
    package func replace(_ content: [UInt8]) throws {
        guard let opened = opened.withLock({ $0 }) else { throw AccountError("\(quoted(path)): was not read") }
        let file = try opened.seal.file(sealing: content.span, key: opened.key)
        try withAccountErrors { try Files.replace(path, file) }
    }

    private func open(_ seal: KeyStoreSeal) throws -> Opened {
        try opened.withLock { opened in
            if let opened, opened.seal == seal {
                return opened
            }
            let new = Opened(seal: seal, key: try seal.key(askPassphrase(false)))
            opened = new
            return new
        }
    }
}
