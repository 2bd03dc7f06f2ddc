/// Writes TBinaryProtocol: bare structs, big-endian, no message header.
///
/// The caller writes fields in ascending order and ends each struct with ``stop()``. A string of 2 GiB or more, or a
/// list or map with 2³¹ or more elements, cannot be encoded; writing one is a programming error and traps.
package struct ThriftWriter: Sendable {
    /// The bytes written so far.
    package private(set) var bytes: [UInt8]

    package init() {
        bytes = []
        bytes.reserveCapacity(Self.slack)
    }

    /// The capacity reserved for the fields around a long value, in bytes; they usually fit.
    private static let slack = 256

    /// Reserves capacity for a long value and the fields after it.
    ///
    /// The capacity at least doubles when it grows; otherwise the cost of copying would be quadratic in the number of
    /// values.
    private mutating func makeRoom(for count: Int) {
        guard bytes.capacity - bytes.count < count else { return }
        bytes.reserveCapacity(max(2 * bytes.capacity, bytes.count + count + Self.slack))
    }

    /// Writes the header of a field; the caller writes its value next.
    package mutating func field(_ type: ThriftType, id: Int16) {
        bytes.append(type.rawValue)
        bigEndian(UInt16(bitPattern: id))
    }

    /// Writes the end of a struct.
    package mutating func stop() {
        bytes.append(0)
    }

    package mutating func bool(_ value: Bool) {
        bytes.append(value ? 1 : 0)
    }

    package mutating func i32(_ value: Int32) {
        bigEndian(UInt32(bitPattern: value))
    }

    package mutating func i64(_ value: Int64) {
        bigEndian(UInt64(bitPattern: value))
    }

    package mutating func string(_ value: String) {
        i32(Int32(value.utf8.count))
        makeRoom(for: value.utf8.count)
        bytes.append(contentsOf: value.utf8)
    }

    package mutating func binary(_ value: [UInt8]) {
        i32(Int32(value.count))
        makeRoom(for: value.count)
        bytes.append(contentsOf: value)
    }

    /// Writes the head of a list; the caller writes the elements next.
    package mutating func listHead(of element: ThriftType, count: Int) {
        bytes.append(element.rawValue)
        i32(Int32(count))
    }

    /// Writes the head of a map; the caller writes the entries next, each a key and its value.
    package mutating func mapHead(key: ThriftType, value: ThriftType, count: Int) {
        bytes.append(key.rawValue)
        bytes.append(value.rawValue)
        i32(Int32(count))
    }

    /// Writes a value that is already encoded.
    package mutating func encoded(_ value: [UInt8]) {
        bytes.append(contentsOf: value)
    }

    private mutating func bigEndian<Value: FixedWidthInteger>(_ value: Value) {
        var shift = Value.bitWidth - 8
        while shift >= 0 {
            bytes.append(UInt8(truncatingIfNeeded: value >> Value(shift)))
            shift -= 8
        }
    }
}
