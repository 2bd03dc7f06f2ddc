// This test uses Linux's dumps of a process and its flags of memory regions.
#if os(Linux)
    import Foundation
    import Glibc
    import LibSodium
    import TestSupport
    import Testing
    import XChatEvents

    @testable import XChatEngine

    /// Searches the memory of a process for secrets that it holds or has released.
    @Suite(.enabled(if: MemoryDump.isAvailable, "gdb is not installed"), .timeLimit(.minutes(10)))
    struct ProcessMemoryTests {
        @Test(arguments: SuiteName.all)
        func `secrets are in locked memory that core dumps leave out, and nowhere after their release`(
            suite: SuiteName
        ) async throws {
            let result = try await #require(
                processExitsWith: .success,
                observing: [\.standardErrorContent]
            ) { [suite = suite.rawValue as String] in
                var secrets: HeldSecrets? = try HeldSecrets(SuiteName(rawValue: suite))
                try secrets?.use()
                let whileHeld = try MemoryDump()
                secrets?.wipePlaintext()
                secrets = nil
                let afterRelease = try MemoryDump()
                for (name, secret) in try HeldSecrets.all() {
                    for place in whileHeld.places(of: secret) { report(name, "held", place) }
                    for place in afterRelease.places(of: secret) { report(name, "left", place) }
                }
            }
            let lines = String(decoding: result.standardErrorContent, as: UTF8.self).split(separator: "\n")
            let reports = lines.map { $0.components(separatedBy: "\t") }.filter { $0.count == 4 }
            for name in HeldSecrets.names {
                let held = reports.filter { $0[0] == name && $0[1] == "held" }
                // Otherwise the search could also miss secrets that remain after the release.
                #expect(!held.isEmpty, "the search does not find the \(name)")
                if !HeldSecrets.isInOrdinaryMemory(name, suite) {
                    #expect(held.allSatisfy { $0[3] == "protected" }, "\(name): \(held)")
                }
                let left = reports.filter { $0[0] == name && $0[1] == "left" }
                #expect(left.isEmpty)
            }
        }
    }

    private func report(_ name: String, _ time: String, _ place: MemoryDump.Place) {
        let line = [name, time, place.region, place.isProtected ? "protected" : "ordinary"].joined(separator: "\t")
        FileHandle.standardError.write(Data("\(line)\n".utf8))
    }

    /// The secrets that a client holds while it runs.
    private final class HeldSecrets {
        static let names = ["identity key", "signing key", "conversation key", "passphrase", "plaintext"]

        /// The scalars of the `.xchat` suite are in the key objects of swift-crypto, and a plaintext is an array of the
        /// caller.
        static func isInOrdinaryMemory(_ name: String, _ suite: SuiteName) -> Bool {
            name == "plaintext" || suite == .xchat && (name == "identity key" || name == "signing key")
        }

        private let keys: PrivateKeys
        private let conversationKey: ConversationKey
        private let passphrase: SecretBytes
        private var plaintext: [UInt8]

        /// A secret of 32 bytes that can be computed again, so that no copy has to be kept for the search.
        private static func secret(_ name: String) throws(SodiumError) -> SecretBytes {
            let root = [UInt8](repeating: 7, count: 32)
            return try GenericHash.deriveKey(Array("memory test: \(name)".utf8).span, from: root.span)
        }

        static func all() throws -> [(String, [UInt8])] {
            try names.map { name in
                (name, try secret(name).withBytes { bytes in bytes.indices.map { bytes[$0] } })
            }
        }

        init(_ suite: SuiteName) throws {
            let prefix = suite == .sodium ? SodiumPrivateKeys.blobPrefix : []
            let identity = try Self.secret("identity key")
            let signing = try Self.secret("signing key")
            let blob = try SecretBytes(count: prefix.count + 64) { blob in
                for index in prefix.indices { blob[index] = prefix[index] }
                identity.withBytes { for index in $0.indices { blob[prefix.count + index] = $0[index] } }
                signing.withBytes { for index in $0.indices { blob[prefix.count + 32 + index] = $0[index] } }
            }
            keys = try blob.withBytes { (blob) throws(XChatError) in try PrivateKeys(importing: blob) }
            let key = try Self.secret("conversation key").withBytes { (bytes) throws(XChatError) in
                try ConversationKey(bytes: bytes)
            }
            conversationKey = key
            passphrase = try Self.secret("passphrase")
            // The plaintext is decrypted, like that of a message.
            let box = try Self.secret("plaintext").withBytes { (text) throws(SodiumError) in
                try key.withBytes { (key) throws(SodiumError) in try SecretBox.seal(text, key: key) }
            }
            plaintext = try key.open(box)
        }

        /// Each operation that reads one of the secrets.
        func use() throws {
            let text = plaintext
            _ = try keys.keys.sign(text.span)
            _ = try keys.registration(version: "1")
            _ = try keys.unwrap(keys.identityKey.wrap(conversationKey))
            try keys.withExport { _ in }
            _ = try conversationKey.open(conversationKey.seal(Array("a text".utf8)))
            let limits = PasswordHash.Limits(operations: 1, memory: 8 << 10)
            let salt = [UInt8](repeating: 1, count: PasswordHash.saltByteCount)
            _ = try passphrase.withBytes { (passphrase) throws(SodiumError) in
                try PasswordHash.key(from: passphrase, salt: salt.span, limits: limits, maximum: limits)
            }
        }

        func wipePlaintext() {
            Sodium.wipe(&plaintext)
        }
    }

    /// The memory of this process as gdb's `gcore` writes it, with the memory that core dumps leave out.
    private final class MemoryDump {
        private static let gdb = "/usr/bin/gdb"
        static var isAvailable: Bool { FileManager.default.isExecutableFile(atPath: gdb) }

        /// A region of the memory.
        struct Place {
            let region: String
            /// Whether it is locked and left out of core dumps.
            let isProtected: Bool
        }

        private struct Region {
            let addresses: Range<UInt64>
            let name: String
            /// `lo` is locked, `dd` is left out of core dumps: proc_pid_smaps(5).
            var flags: [Substring] = []
        }

        private let regions: [Region]
        private let scratch: Scratch
        /// The contents, and the address of each part of them.
        ///
        /// They are read after all dumps were made, because otherwise the next dump would contain them.
        private lazy var segments: [(address: UInt64, bytes: Data)] = {
            (try? Data(contentsOf: URL(filePath: scratch.file("core")), options: .alwaysMapped)).flatMap {
                try? Self.segments($0)
            } ?? []
        }()

        init() throws {
            let smaps = try #require(FileHandle(forReadingAtPath: "/proc/self/smaps")).readToEnd()
            regions = Self.regions(String(decoding: smaps ?? Data(), as: UTF8.self))
            scratch = try Scratch()
            let process = Process()
            process.executableURL = URL(filePath: Self.gdb)
            // Calls gdb as the script gcore does, without debug information, and includes the mappings that are
            // excluded from dumps.
            process.arguments = ["--nx", "--batch", "--readnever"]
            for command in [
                "set auto-solib-add off", "set dump-excluded-mappings on", "attach \(getpid())",
                "gcore \(scratch.file("core"))", "detach",
            ] {
                process.arguments? += ["-ex", command]
            }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            // gdb waits for SIGCHLD. Threads of a test block this signal, and a new process inherits that.
            var none = sigset_t()
            unsafe sigemptyset(&none)
            unsafe pthread_sigmask(SIG_SETMASK, &none, nil)
            try process.run()
            process.waitUntilExit()
        }

        /// The regions of /proc/self/smaps.
        private static func regions(_ smaps: String) -> [Region] {
            var regions: [Region] = []
            for line in smaps.split(separator: "\n") {
                let words = line.split(separator: " ")
                if words.first == "VmFlags:" {
                    if !regions.isEmpty { regions[regions.count - 1].flags = Array(words.dropFirst()) }
                } else if let range = words.first?.split(separator: "-"), range.count == 2,
                    let start = UInt64(range[0], radix: 16), let end = UInt64(range[1], radix: 16)
                {
                    regions.append(
                        Region(addresses: start..<end, name: words.count > 5 ? String(words[5]) : "anonymous")
                    )
                }
            }
            return regions
        }

        /// The loadable segments of an ELF core file (64 bits, this machine's byte order).
        private static func segments(_ core: Data) throws -> [(address: UInt64, bytes: Data)] {
            func number<Number: FixedWidthInteger>(_ type: Number.Type, at offset: Int) throws -> UInt64 {
                let end = offset + MemoryLayout<Number>.size
                try #require(offset >= 0 && end <= core.count, "the core file is truncated")
                return core[offset..<end].reversed().reduce(0) { $0 << 8 | UInt64($1) }
            }
            let table = Int(try number(UInt64.self, at: 32))
            let entrySize = Int(try number(UInt16.self, at: 54))
            return try (0..<Int(number(UInt16.self, at: 56))).compactMap { index in
                let entry = table + index * entrySize
                let loadable: UInt64 = 1
                guard try number(UInt32.self, at: entry) == loadable else { return nil }
                let (offset, size) = (try number(UInt64.self, at: entry + 8), try number(UInt64.self, at: entry + 32))
                try #require(offset + size <= core.count, "the core file is truncated")
                return (try number(UInt64.self, at: entry + 16), core[Int(offset)..<Int(offset + size)])
            }
        }

        /// The addresses of a secret, in either byte order, because numbers are stored with their lowest byte first.
        func places(of secret: [UInt8]) -> [Place] {
            segments.flatMap { segment in
                [Data(secret), Data(secret.reversed())].flatMap { pattern in
                    Self.offsets(of: pattern, in: segment.bytes).map { offset in
                        let address = segment.address + UInt64(offset)
                        let region = regions.first { $0.addresses.contains(address) }
                        return Place(
                            region: region?.name ?? "unknown",
                            isProtected: region?.flags.contains("lo") == true && region?.flags.contains("dd") == true
                        )
                    }
                }
            }
        }

        private static func offsets(of pattern: Data, in bytes: Data) -> [Int] {
            unsafe bytes.withUnsafeBytes { bytes in
                unsafe pattern.withUnsafeBytes { pattern in
                    guard let start = bytes.baseAddress, let secret = pattern.baseAddress else { return [] }
                    var offsets: [Int] = []
                    var next = 0
                    // A search of hundreds of megabytes with Swift's own function takes minutes.
                    while bytes.count - next >= pattern.count {
                        let places = bytes.count - next - pattern.count + 1
                        guard let first = unsafe memchr(start + next, Int32(pattern[0]), places) else { break }
                        let offset = unsafe UnsafeRawPointer(first) - start
                        if unsafe memcmp(first, secret, pattern.count) == 0 { offsets.append(offset) }
                        next = offset + 1
                    }
                    return offsets
                }
            }
        }
    }
#endif
