/// Writes TBinaryProtocol: bare structs, big-endian, no message header.
///
/// The caller writes fields in ascending order and ends each struct with ``stop()``. A string of 2 GiB or more, or as
/// many elements, has no encoding and is a programmer's error.
package struct ThriftWriter: Sendable {
    /// What has been written.
    package private(set) var bytes: [UInt8]

    package init() {
        bytes = []
        bytes.reserveCapacity(Self.slack)
    }

    /// What the fields around a long value mostly fit into.
    private static let slack = 256

    /// Grows once for a long value and for what follows it; twofold at least, so that many values cost no more than
    /// one.
    private mutating func makeRoom(for count: Int) {
        guard bytes.capacity - bytes.count < count else { return }
        bytes.reserveCapacity(max(2 * bytes.capacity, bytes.count + count + Self.slack))
    }

    /// The header of a field; its value follows.
    package mutating func field(_ type: ThriftType, id: Int16) {
        bytes.append(type.rawValue)
        bigEndian(UInt16(bitPattern: id))
    }

    /// The end of a struct.
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

    /// The head of a list; the elements follow.
    package mutating func listHead(of element: ThriftType, count: Int) {
        bytes.append(element.rawValue)
        i32(Int32(count))
    }

    /// The head of a map; the entries follow, each a key and its value.
    package mutating func mapHead(key: ThriftType, value: ThriftType, count: Int) {
        bytes.append(key.rawValue)
        bytes.append(value.rawValue)
        i32(Int32(count))
    }

    /// A value that is encoded already.
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
