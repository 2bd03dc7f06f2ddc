import Foundation

/// The JSON coders that all calls share; they keep no state between uses.
enum JSONCoding {
    static let decoder = JSONDecoder()

    /// Sorts keys, so that the same value always gives the same bytes.
    static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }()
}
