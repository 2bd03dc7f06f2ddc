/// Reads TBinaryProtocol from bytes that may be hostile.
///
/// The reader is stricter than X's own reader:
///
/// - Each type must be the one that the caller expects.
/// - A field may occur only once in a struct.
/// - A declared length or count is checked against the bytes that are present before memory is allocated for it.
///
/// The limits of ``ThriftLimits`` apply to everything that one reader reads.
package struct ThriftReader: Sendable {
    private let bytes: [UInt8]
    /// The position of the next byte to read.
    package private(set) var offset = 0
    private var openStructs = 0
    private var declaredElements = 0
    private var shownFields = 0
    /// The memory of the values read so far in bytes, without the structs that contain them.
    package private(set) var memoryBytes = 0
    private let memoryLimit: Int

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        memoryLimit = ThriftLimits.memoryBytes(input: bytes.count)
    }

    private var remaining: Int { bytes.count - offset }

    /// Throws if there are bytes after the outermost struct.
    package func finish() throws(ThriftError) {
        guard remaining == 0 else { throw ThriftError(.trailingBytes, offset: offset) }
    }

    // MARK: Memory

    /// Counts the memory of an array, a string or a table before it is allocated.
    ///
    /// - Parameters:
    ///   - count: The number of elements; 0 counts nothing.
    ///   - size: The size of one element in bytes.
    ///   - start: The offset of the value, for the error.
    /// - Throws: `tooMuchMemory` beyond ``ThriftLimits/memoryBytes(input:)``.
    package mutating func allocate(_ count: Int, of size: Int = 1, at start: Int) throws(ThriftError) {
        guard count > 0 else { return }
        // The header of an array or string, and the rounding of the allocator.
        let overhead = 48
        let left = memoryLimit - memoryBytes - overhead
        guard left > 0, count <= left / size else { throw ThriftError(.tooMuchMemory, offset: start) }
        memoryBytes += count * size + overhead
    }

    // MARK: Structs

    /// Begins a struct; the caller ends it with ``endStruct()``.
    package mutating func beginStruct() throws(ThriftError) -> FieldSet {
        guard openStructs < ThriftLimits.depth else { throw ThriftError(.tooDeep, offset: offset) }
        openStructs += 1
        return FieldSet()
    }

    /// Ends the struct that was begun last.
    package mutating func endStruct() {
        openStructs -= 1
    }

    /// Reads the next field header of the current struct; nil at the end of the struct.
    package mutating func nextField() throws(ThriftError) -> ThriftField? {
        let start = offset
        let code = try byte()
        guard code != 0 else { return nil }
        guard let type = ThriftType(rawValue: code) else { throw ThriftError(.unknownType, offset: start) }
        return ThriftField(id: try i16(), type: type, offset: start)
    }

    /// Counts a field of a struct that is decoded without a schema.
    mutating func show(_ field: ThriftField) throws(ThriftError) {
        guard shownFields < ThriftLimits.shownFields else { throw ThriftError(.tooManyFields, offset: field.offset) }
        shownFields += 1
    }

    /// Throws unless a field has the type `expected`.
    package func expect(_ expected: ThriftType, _ field: ThriftField) throws(ThriftError) {
        guard field.type == expected else { throw ThriftError(.wrongType, offset: field.offset) }
    }

    // MARK: Values

    /// Reads one byte; anything but 0 is true, as in X's reader.
    package mutating func bool() throws(ThriftError) -> Bool {
        try byte() != 0
    }

    package mutating func i8() throws(ThriftError) -> Int8 {
        Int8(bitPattern: try byte())
    }

    package mutating func i16() throws(ThriftError) -> Int16 {
        let start = offset
        try advance(2)
        return Int16(truncatingIfNeeded: Int(bytes[start]) << 8 | Int(bytes[start + 1]))
    }

    package mutating func i32() throws(ThriftError) -> Int32 {
        let start = offset
        try advance(4)
        let high = Int(bytes[start]) << 24 | Int(bytes[start + 1]) << 16
        return Int32(truncatingIfNeeded: high | Int(bytes[start + 2]) << 8 | Int(bytes[start + 3]))
    }

    package mutating func i64() throws(ThriftError) -> Int64 {
        Int64(truncatingIfNeeded: try eightBytes())
    }

    package mutating func double() throws(ThriftError) -> Double {
        Double(bitPattern: try eightBytes())
    }

    /// Reads text, which must be valid UTF-8 and is not normalized.
    package mutating func string() throws(ThriftError) -> String {
        let start = offset
        let range = try stringRange()
        // A Swift string stores up to 15 bytes inline.
        if range.count > 15 { try allocate(range.count, at: start) }
        guard let string = String(validating: bytes[range], as: UTF8.self) else {
            throw ThriftError(.invalidUTF8, offset: start)
        }
        return string
    }

    /// Reads raw bytes.
    package mutating func binary() throws(ThriftError) -> [UInt8] {
        let start = offset
        let range = try stringRange()
        try allocate(range.count, at: start)
        return Array(bytes[range])
    }

    /// Reads a fixed number of bytes without a length before them, such as the 16 bytes of a UUID.
    package mutating func rawBytes(_ count: Int) throws(ThriftError) -> [UInt8] {
        let start = offset
        try advance(count)
        try allocate(count, at: start)
        return Array(bytes[start..<offset])
    }

    /// Reads the head of a list or set: the type and the number of its elements.
    ///
    /// The number is within the limits, and the rest of the input is long enough for that many elements. So a short
    /// input cannot make the caller allocate a long list.
    package mutating func listHead() throws(ThriftError) -> (element: ThriftType, count: Int) {
        let element = try type()
        return (element, try elementCount(minimumSize: element.minimumSize))
    }

    /// Reads the head of a map: the types of its keys and values, and the number of entries.
    package mutating func mapHead() throws(ThriftError) -> (key: ThriftType, value: ThriftType, count: Int) {
        let key = try type()
        let value = try type()
        return (key, value, try elementCount(minimumSize: key.minimumSize + value.minimumSize))
    }

    // MARK: Skipped values

    /// Skips the value of a field that is not in the schema.
    package mutating func skip(_ field: ThriftField) throws(ThriftError) {
        try skip(field.type, level: 1)
    }

    /// Skips a value whose type the caller has checked, and returns its bytes.
    ///
    /// The structure of the value is checked as for any skipped value. The contents are not interpreted.
    package mutating func opaque(_ type: ThriftType) throws(ThriftError) -> [UInt8] {
        let start = offset
        try skip(type, level: 1)
        try allocate(offset - start, at: start)
        return Array(bytes[start..<offset])
    }

    private mutating func skip(_ type: ThriftType, level: Int) throws(ThriftError) {
        guard level <= ThriftLimits.depth else { throw ThriftError(.tooDeep, offset: offset) }
        if let size = type.fixedSize { return try advance(size) }
        switch type {
        case .structure: try skipStruct(level: level)
        case .list, .set: try skipList(level: level)
        case .map: try skipMap(level: level)
        default: _ = try stringRange()
        }
    }

    private mutating func skipStruct(level: Int) throws(ThriftError) {
        var fields = try beginStruct()
        while let field = try nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                try skip(field.type, level: level + 1)
            } catch {
                throw error.inside(unknown: field)
            }
        }
        endStruct()
    }

    private mutating func skipList(level: Int) throws(ThriftError) {
        let head = try listHead()
        for index in 0..<head.count {
            do throws(ThriftError) {
                try skip(head.element, level: level + 1)
            } catch {
                throw error.inside(index: index)
            }
        }
    }

    private mutating func skipMap(level: Int) throws(ThriftError) {
        let head = try mapHead()
        for index in 0..<head.count {
            do throws(ThriftError) {
                try skip(head.key, level: level + 1)
                try skip(head.value, level: level + 1)
            } catch {
                throw error.inside(index: index)
            }
        }
    }

    // MARK: Bytes

    private mutating func byte() throws(ThriftError) -> UInt8 {
        guard offset < bytes.count else { throw ThriftError(.truncated, offset: offset) }
        defer { offset += 1 }
        return bytes[offset]
    }

    private mutating func advance(_ count: Int) throws(ThriftError) {
        guard count <= remaining else { throw ThriftError(.truncated, offset: offset) }
        offset += count
    }

    private mutating func eightBytes() throws(ThriftError) -> UInt64 {
        let start = offset
        try advance(8)
        var value: UInt64 = 0
        for position in start..<offset { value = value << 8 | UInt64(bytes[position]) }
        return value
    }

    private mutating func type() throws(ThriftError) -> ThriftType {
        let start = offset
        guard let type = ThriftType(rawValue: try byte()) else { throw ThriftError(.unknownType, offset: start) }
        return type
    }

    private mutating func stringRange() throws(ThriftError) -> Range<Int> {
        let start = offset
        let length = Int(try i32())
        guard length >= 0 else { throw ThriftError(.negativeSize, offset: start) }
        guard length <= ThriftLimits.stringBytes else { throw ThriftError(.stringTooLong, offset: start) }
        guard length <= remaining else { throw ThriftError(.truncated, offset: start) }
        defer { offset += length }
        return offset..<(offset + length)
    }

    private mutating func elementCount(minimumSize: Int) throws(ThriftError) -> Int {
        let start = offset
        let count = Int(try i32())
        guard count >= 0 else { throw ThriftError(.negativeSize, offset: start) }
        guard count <= ThriftLimits.elements else { throw ThriftError(.tooManyElements, offset: start) }
        declaredElements += count
        guard declaredElements <= ThriftLimits.totalElements else {
            throw ThriftError(.tooManyElementsInAll, offset: start)
        }
        guard count * minimumSize <= remaining else { throw ThriftError(.truncated, offset: start) }
        return count
    }
}
