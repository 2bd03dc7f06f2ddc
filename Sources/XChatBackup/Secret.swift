package import LibSodium

/// Secret bytes that several values share; they are wiped when the last reference is released.
package final class Secret: Sendable {
    private let bytes: SecretBytes

    package init(_ bytes: consuming SecretBytes) {
        self.bytes = bytes
    }

    package convenience init(copying bytes: Span<UInt8>) throws {
        self.init(try SecretBytes(copying: bytes))
    }

    package convenience init(copying bytes: [UInt8]) throws {
        try self.init(copying: bytes.span)
    }

    package static func random(count: Int) throws -> Secret {
        Secret(try SecretBytes.random(count: count))
    }

    package var count: Int { bytes.count }

    package func withBytes<Result: ~Copyable, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try bytes.withBytes(body)
    }

    /// A part of the bytes.
    package func part(_ range: Range<Int>) throws -> Secret {
        try withBytes { try Secret(copying: $0.extracting(range)) }
    }

    /// A copy of the bytes that is not wiped: for public values, and for bodies, which the HTTP library keeps as well.
    package var published: [UInt8] { withBytes { [UInt8](copying: $0) } }

    /// Whether two secrets are the same, compared in constant time.
    package func isEqual(to other: Secret) -> Bool {
        withBytes { left in other.withBytes { right in Sodium.isEqual(left, right) } }
    }

    /// Passes the bytes of two secrets to a closure.
    package static func withBytes<Result: ~Copyable>(
        _ first: Secret,
        _ second: Secret,
        _ body: (Span<UInt8>, Span<UInt8>) throws(SodiumError) -> Result
    ) throws(SodiumError) -> Result {
        try first.withBytes { (first) throws(SodiumError) in
            try second.withBytes { (second) throws(SodiumError) in try body(first, second) }
        }
    }
}

extension [UInt8] {
    init(copying bytes: Span<UInt8>) {
        self.init()
        reserveCapacity(bytes.count)
        for index in bytes.indices { append(bytes[index]) }
    }
}

/// A message assembled from secret parts; its memory is wiped when it is destroyed and when it moves to larger memory.
package final class SecretBuffer {
    private var bytes: [UInt8] = []

    package init(capacity: Int = 1024) {
        bytes.reserveCapacity(capacity)
    }

    package var count: Int { bytes.count }

    package func append(_ part: Span<UInt8>) {
        makeRoom(part.count)
        for index in part.indices { bytes.append(part[index]) }
    }

    package func append(_ part: [UInt8]) {
        append(part.span)
    }

    package func append(_ part: String) {
        append(Array(part.utf8))
    }

    package func append(_ part: Secret) {
        part.withBytes { append($0) }
    }

    package func append(repeating byte: UInt8, count: Int) {
        append([UInt8](repeating: byte, count: count))
    }

    /// Appends a number, big-endian, in all bytes of its type.
    package func append(bigEndian number: some FixedWidthInteger & UnsignedInteger) {
        for shift in stride(from: number.bitWidth - 8, through: 0, by: -8) {
            append([UInt8(truncatingIfNeeded: number >> shift)])
        }
    }

    package func withBytes<Result: ~Copyable, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let bytes = bytes  // shares the memory, copies nothing
        return try body(bytes.span)
    }

    /// A copy of the message as a ``Secret``.
    package func secret() throws -> Secret {
        try withBytes { try Secret(copying: $0) }
    }

    /// Reserves capacity and wipes the old memory, which an array that grows by itself does not wipe.
    private func makeRoom(_ count: Int) {
        guard bytes.capacity - bytes.count < count else { return }
        var larger: [UInt8] = []
        larger.reserveCapacity(2 * (bytes.count + count))
        larger.append(contentsOf: bytes)
        Sodium.wipe(&bytes)
        bytes = larger
    }

    deinit {
        Sodium.wipe(&bytes)
    }
}
