// The only calls of libsodium: each is in a closure that is passed to one of these functions, so no pointer lives
// longer than the call, and the lengths that C cannot see were checked by `require` or `length` before it.

/// Throws unless `bytes` has exactly `count` bytes.
func require(_ count: Int, _ bytes: Span<UInt8>, _ what: String) throws(SodiumError) {
    guard bytes.count == count else {
        throw SodiumError(.wrongLength, what, expected: count, actual: bytes.count)
    }
}

/// The length of `message` with `overhead` more bytes, within the bound beyond which libsodium aborts the process.
func length(of message: Span<UInt8>, plus overhead: Int, maximum: Int, _ what: String) throws(SodiumError) -> Int {
    let (sum, overflow) = message.count.addingReportingOverflow(overhead)
    guard !overflow, message.count <= maximum else { throw SodiumError(.tooLong, what) }
    return sum
}

/// The length of `box` without its `overhead` bytes.
func length(of box: Span<UInt8>, minus overhead: Int, _ what: String) throws(SodiumError) -> Int {
    guard box.count >= overhead else {
        throw SodiumError(.wrongLength, what, expected: overhead, actual: box.count)
    }
    return box.count - overhead
}

/// An upper bound of C as a length.
///
/// Swift sees `size_t` as `Int`, and so `SIZE_MAX - 16` as a negative number.
func upperBound(_ size: Int) -> Int {
    Int(clamping: UInt(bitPattern: size))
}

/// Lends the address of `bytes`.
///
/// An empty span may have no address, and libsodium declares several parameters as never null: C then gets the address
/// of a byte that it has no reason to read, if the length is 0.
func withPointer<R: ~Copyable, E: Error>(
    _ bytes: Span<UInt8>,
    _ body: (UnsafePointer<UInt8>) throws(E) -> R
) throws(E) -> R {
    try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(E) -> R in
        if let start = buffer.baseAddress { return try unsafe body(start) }
        return try unsafe withUnsafePointer(to: 0 as UInt8, body)
    }
}

/// Lends the addresses of two byte strings.
func withPointers<R: ~Copyable, E: Error>(
    _ first: Span<UInt8>,
    _ second: Span<UInt8>,
    _ body: (UnsafePointer<UInt8>, UnsafePointer<UInt8>) throws(E) -> R
) throws(E) -> R {
    try unsafe withPointer(first) { (first) throws(E) -> R in
        try unsafe withPointer(second) { (second) throws(E) -> R in
            try unsafe body(first, second)
        }
    }
}

/// Lends the addresses of three byte strings.
func withPointers<R: ~Copyable, E: Error>(
    _ first: Span<UInt8>,
    _ second: Span<UInt8>,
    _ third: Span<UInt8>,
    _ body: (UnsafePointer<UInt8>, UnsafePointer<UInt8>, UnsafePointer<UInt8>) throws(E) -> R
) throws(E) -> R {
    try unsafe withPointers(first, second) { (first, second) throws(E) -> R in
        try unsafe withPointer(third) { (third) throws(E) -> R in
            try unsafe body(first, second, third)
        }
    }
}

/// An array of `count` bytes, all of which one call of C writes; nothing but `failure` when it does not return 0.
func filled(
    count: Int,
    failure: SodiumError,
    by call: (UnsafeMutablePointer<UInt8>) -> CInt
) throws(SodiumError) -> [UInt8] {
    var bytes: [UInt8] = []
    try unsafe append(count, to: &bytes, failure: failure, by: call)
    return bytes
}

/// Appends `count` bytes, all of which one call of C writes; nothing but `failure` when it does not return 0.
///
/// There is no allocation where the array has room.
func append(
    _ count: Int,
    to output: inout [UInt8],
    failure: SodiumError,
    by call: (UnsafeMutablePointer<UInt8>) -> CInt
) throws(SodiumError) {
    var status: CInt = -1
    output.append(addingCapacity: count) { span in
        unsafe span.withUnsafeMutableBufferPointer { buffer, initializedCount in
            if let start = buffer.baseAddress {
                status = unsafe call(start)
            } else {
                var nothing: UInt8 = 0
                status = unsafe withUnsafeMutablePointer(to: &nothing, call)
            }
            initializedCount = status == 0 ? count : 0
        }
    }
    guard status == 0 else { throw failure }
}
