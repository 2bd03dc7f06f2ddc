// Inputs and outputs are passed to libsodium in closures that get their pointers from these functions or from
// `SecretBytes`, so no pointer outlives its call. `require` or `length` checks the lengths before, because libsodium
// cannot.

/// Throws unless `bytes` has exactly `count` bytes.
func require(_ count: Int, _ bytes: Span<UInt8>, _ what: String) throws(SodiumError) {
    guard bytes.count == count else {
        throw SodiumError(.wrongLength, what, expected: count, actual: bytes.count)
    }
}

/// Returns the length of `message` plus `overhead`; throws for a message over `maximum` bytes, for which libsodium
/// would abort the process.
func length(of message: Span<UInt8>, plus overhead: Int, maximum: Int, _ what: String) throws(SodiumError) -> Int {
    let (sum, overflow) = message.count.addingReportingOverflow(overhead)
    guard !overflow, message.count <= maximum else { throw SodiumError(.tooLong, what) }
    return sum
}

/// Returns the length of `box` minus `overhead`; throws for a box shorter than `overhead`.
func length(of box: Span<UInt8>, minus overhead: Int, _ what: String) throws(SodiumError) -> Int {
    guard box.count >= overhead else {
        throw SodiumError(.wrongLength, what, expected: overhead, actual: box.count)
    }
    return box.count - overhead
}

/// Converts an upper bound that libsodium reports as `size_t` to an `Int`.
///
/// Swift imports `size_t` as `Int`, so `SIZE_MAX - 16` would be a negative number.
func upperBound(_ size: Int) -> Int {
    Int(clamping: UInt(bitPattern: size))
}

/// Passes the address of `bytes` to a closure.
///
/// An empty span may have no address, and libsodium declares several parameters as nonnull. The closure then gets the
/// address of one byte, which libsodium does not read because the length is 0.
func withPointer<R: ~Copyable, E: Error>(
    _ bytes: Span<UInt8>,
    _ body: (UnsafePointer<UInt8>) throws(E) -> R
) throws(E) -> R {
    try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(E) -> R in
        if let start = buffer.baseAddress { return try unsafe body(start) }
        return try unsafe withUnsafePointer(to: 0 as UInt8, body)
    }
}

/// Passes the addresses of two byte strings to a closure.
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

/// Passes the addresses of three byte strings to a closure.
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

/// Returns an array of `count` bytes, all of which `call` writes; throws `failure` if `call` does not return 0.
func filled(
    count: Int,
    failure: SodiumError,
    by call: (UnsafeMutablePointer<UInt8>) -> CInt
) throws(SodiumError) -> [UInt8] {
    var bytes: [UInt8] = []
    try unsafe append(count, to: &bytes, failure: failure, by: call)
    return bytes
}

/// Appends `count` bytes, all of which `call` writes; throws `failure` and appends nothing if `call` does not return 0.
///
/// Allocates nothing if `output` has enough spare capacity.
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
