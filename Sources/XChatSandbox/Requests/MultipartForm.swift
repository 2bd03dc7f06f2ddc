import Foundation

/// A body of `multipart/form-data` (RFC 7578), read strictly: named parts, each name once.
struct MultipartForm {
    private(set) var parts: [String: Data] = [:]

    private static let malformed = Problem.invalidRequest("The form is malformed.")
    private static let maximumParts = 16
    private static let maximumHeaderBytes = 1024

    init(_ body: Data, contentType: String) throws(Problem) {
        guard let boundary = Self.parameter("boundary", of: contentType), (1...70).contains(boundary.utf8.count) else {
            throw Self.malformed
        }
        let body = [UInt8](body)
        let delimiter = Array("\r\n--\(boundary)".utf8)
        // The first delimiter is at the start of the body, without a line break before it.
        guard body.starts(with: delimiter.dropFirst(2)) else { throw Self.malformed }
        var rest = body.dropFirst(delimiter.count - 2)
        while !rest.starts(with: Array("--".utf8)) {
            guard rest.starts(with: Array("\r\n".utf8)), parts.count < Self.maximumParts else { throw Self.malformed }
            rest = rest.dropFirst(2)
            let separator = Array("\r\n\r\n".utf8)
            guard let headEnd = rest.prefix(Self.maximumHeaderBytes).firstRange(of: separator)?.lowerBound,
                let name = Self.name(in: rest[..<headEnd]), parts[name] == nil
            else { throw Self.malformed }
            rest = rest[(headEnd + separator.count)...]
            guard let end = Self.position(of: delimiter, in: rest) else { throw Self.malformed }
            parts[name] = Data(rest[..<end])
            rest = rest[(end + delimiter.count)...]
        }
    }

    /// The position of a byte sequence.
    ///
    /// The search looks for the first byte and compares only there, because segments are large.
    private static func position(of needle: [UInt8], in haystack: ArraySlice<UInt8>) -> Int? {
        var start = haystack.startIndex
        while let found = haystack[start...].firstIndex(of: needle[0]) {
            if haystack[found...].starts(with: needle) { return found }
            start = found + 1
        }
        return nil
    }

    private static func name(in head: ArraySlice<UInt8>) -> String? {
        guard let text = String(validating: head, as: UTF8.self) else { return nil }
        for line in text.components(separatedBy: "\r\n")
        where line.lowercased().hasPrefix("content-disposition:") && line.lowercased().contains("form-data") {
            return parameter("name", of: line)
        }
        return nil
    }

    /// A parameter after a semicolon, quoted or not.
    private static func parameter(_ name: String, of header: String) -> String? {
        for part in header.split(separator: ";").dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            guard pair.count == 2, pair[0].lowercased() == name else { continue }
            let value = pair[1]
            return value.count >= 2 && value.hasPrefix("\"") && value.hasSuffix("\"")
                ? String(value.dropFirst().dropLast()) : value
        }
        return nil
    }
}
