import Foundation
import LibSodium
import Testing

@testable import XChatBackup

/// Known answers and a recording of X's own client, read from the folder next to the package.
enum Vectors {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "../shared/vectors/juicebox").standardizedFileURL
    static let areThere = FileManager.default.fileExists(atPath: folder.path)

    static func file<Contents: Decodable>(_ name: String, as: Contents.Type = Contents.self) throws -> Contents {
        try JSONDecoder().decode(Contents.self, from: data(name))
    }

    static func data(_ name: String) throws -> Data { try Data(contentsOf: folder.appending(path: name)) }
}

/// Bytes that a file has as hexadecimal digits.
struct Hex: Decodable, Hashable, Sendable {
    let bytes: [UInt8]

    init(_ text: String) throws {
        bytes = try #require(Hexadecimal.decode(Array(text.utf8)))
    }

    init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        // The decoded form of CBOR has byte strings as h'…'.
        try self.init(text.hasPrefix("h'") ? String(text.dropFirst(2).dropLast()) : text)
    }

    var secret: Secret { get throws { try Secret(copying: bytes) } }
}

extension Secret {
    convenience init(_ text: String) throws { try self.init(copying: Array(text.utf8)) }
    var array: [UInt8] { published }
}

extension SecretBuffer {
    var array: [UInt8] { withBytes { [UInt8](copying: $0) } }

    convenience init(_ bytes: [UInt8]) {
        self.init()
        append(bytes)
    }
}

extension [UInt8] {
    init(_ secret: borrowing SecretBytes) {
        self = secret.withBytes { [UInt8](copying: $0) }
    }
}

func secretBytes(_ text: String) throws -> SecretBytes { try SecretBytes(copying: Array(text.utf8).span) }
