/// Detects the type and the dimensions of a file from its first bytes: `docs/protocol.md`, "Media types".
///
/// The results are guesses for the members of an attachment, because any file can begin with these bytes. Both
/// functions accept any bytes.
public enum MediaInfo {
    /// The number of bytes that is enough for every type, and for the dimensions of nearly every image.
    ///
    /// A JPEG can have more bytes than that before its dimensions.
    public static let usefulByteCount = 65_536

    /// The width and height of an image in pixels, as its header claims.
    public struct Dimensions: Hashable, Sendable {
        /// The width in pixels; may be 0 in a malformed file.
        public let width: Int
        /// The height in pixels; may be 0 in a malformed file.
        public let height: Int
    }

    /// The MIME type that the first bytes of a file indicate.
    ///
    /// - Parameter beginning: The beginning of the file, at least 12 bytes of it.
    /// - Returns: The type; nil for fewer bytes or an unknown beginning.
    public static func mimeType(of beginning: Span<UInt8>) -> String? {
        guard beginning.count >= 12 else { return nil }
        return types.first { $0.matches(beginning) }?.name
    }

    /// The dimensions of a PNG, JPEG, GIF, WebP or BMP image.
    ///
    /// - Parameter beginning: The beginning of the file; see ``usefulByteCount``.
    /// - Returns: The dimensions that the header claims; nil if it has none.
    public static func dimensions(of beginning: Span<UInt8>) -> Dimensions? {
        if beginning.has("\u{89}PNG\r\n\u{1A}\n", at: 0) {
            guard beginning.count >= 24 else { return nil }
            return Dimensions(width: beginning.bigEndian(4, at: 16), height: beginning.bigEndian(4, at: 20))
        }
        if beginning.has("GIF87a", at: 0) || beginning.has("GIF89a", at: 0) {
            guard beginning.count >= 10 else { return nil }
            return Dimensions(width: beginning.littleEndian(2, at: 6), height: beginning.littleEndian(2, at: 8))
        }
        if beginning.has("BM", at: 0) {
            guard beginning.count >= 26 else { return nil }
            // A negative height means that the rows run from top to bottom.
            let height = Int32(truncatingIfNeeded: beginning.littleEndian(4, at: 22))
            return Dimensions(width: beginning.littleEndian(4, at: 18), height: Int(height.magnitude))
        }
        if beginning.has("RIFF", at: 0), beginning.has("WEBP", at: 8) { return webP(beginning) }
        if beginning.has("\u{FF}\u{D8}\u{FF}", at: 0) { return jpeg(beginning) }
        return nil
    }

    private static func webP(_ bytes: Span<UInt8>) -> Dimensions? {
        guard bytes.count >= 30 else { return nil }
        if bytes.has("VP8 ", at: 12) {
            return Dimensions(
                width: bytes.littleEndian(2, at: 26) & 0x3fff,
                height: bytes.littleEndian(2, at: 28) & 0x3fff
            )
        }
        if bytes.has("VP8L", at: 12) {
            let bits = bytes.littleEndian(4, at: 21)
            return Dimensions(width: (bits & 0x3fff) + 1, height: (bits >> 14 & 0x3fff) + 1)
        }
        if bytes.has("VP8X", at: 12) {
            return Dimensions(width: bytes.littleEndian(3, at: 24) + 1, height: bytes.littleEndian(3, at: 27) + 1)
        }
        return nil
    }

    /// Reads one segment after another up to the first one that begins a frame.
    private static func jpeg(_ bytes: Span<UInt8>) -> Dimensions? {
        var place = 2
        while place + 9 < bytes.count {
            let marker = bytes[place + 1]
            switch (bytes[place], marker) {
            case (0xff, 0xff): place += 1
            case (0xff, 0xc4), (0xff, 0xc8), (0xff, 0xcc): place += 2 + bytes.bigEndian(2, at: place + 2)
            case (0xff, 0xc0...0xcf):
                return Dimensions(
                    width: bytes.bigEndian(2, at: place + 7),
                    height: bytes.bigEndian(2, at: place + 5)
                )
            case (0xff, 0xd0...0xd9): place += 2  // these have no length
            case (0xff, _): place += 2 + bytes.bigEndian(2, at: place + 2)
            default: place += 1
            }
        }
        return nil
    }

    // MARK: Types

    private struct MediaType: Sendable {
        let name: String
        let matches: @Sendable (Span<UInt8>) -> Bool
    }

    /// In the order in which they are tried.
    private static let types: [MediaType] = [
        MediaType(name: "image/png") { $0.has("\u{89}PNG\r\n\u{1A}\n", at: 0) },
        MediaType(name: "image/jpeg") { $0.has("\u{FF}\u{D8}\u{FF}", at: 0) },
        MediaType(name: "image/gif") { $0.has("GIF87a", at: 0) || $0.has("GIF89a", at: 0) },
        MediaType(name: "image/webp") { $0.has("RIFF", at: 0) && $0.has("WEBP", at: 8) },
        MediaType(name: "image/bmp") { $0.has("BM", at: 0) },
        MediaType(name: "image/tiff") { $0.has("II*\0", at: 0) || $0.has("MM\0*", at: 0) },
        MediaType(name: "image/x-icon") { $0.has("\0\0\u{1}\0", at: 0) },
        MediaType(name: "image/heic") { $0.hasBrand(["heic", "heix", "mif1", "hevc"]) },
        MediaType(name: "image/avif") { $0.hasBrand(["avif"]) },
        MediaType(name: "video/mp4") { $0.hasBrand(["isom", "mp41", "mp42", "M4V ", "avc1", "qt  "]) },
        MediaType(name: "video/webm") { $0.has("\u{1A}\u{45}\u{DF}\u{A3}", at: 0) },
        MediaType(name: "video/x-msvideo") { $0.has("RIFF", at: 0) && $0.has("AVI ", at: 8) },
        MediaType(name: "video/quicktime") { $0.has("moov", at: 4) },
        MediaType(name: "application/pdf") { $0.has("%PDF", at: 0) },
        MediaType(name: "application/zip") { $0.has("PK\u{3}\u{4}", at: 0) },
        MediaType(name: "audio/mpeg") { $0.has("ID3", at: 0) || ($0[0] == 0xff && $0[1] & 0xe0 == 0xe0) },
        MediaType(name: "audio/wav") { $0.has("RIFF", at: 0) && $0.has("WAVE", at: 8) },
        MediaType(name: "audio/ogg") { $0.has("OggS", at: 0) },
        MediaType(name: "audio/flac") { $0.has("fLaC", at: 0) },
    ]
}

extension Span<UInt8> {
    /// Whether given bytes are at a position; each scalar of `magic` has the value of one byte.
    fileprivate func has(_ magic: String, at place: Int) -> Bool {
        var place = place
        for scalar in magic.unicodeScalars {
            guard place < count, UInt32(self[place]) == scalar.value else { return false }
            place += 1
        }
        return true
    }

    fileprivate func hasBrand(_ brands: [String]) -> Bool {
        has("ftyp", at: 4) && brands.contains { has($0, at: 8) }
    }

    // The callers check that the bytes exist; a position beyond the end would read as 0.

    fileprivate func bigEndian(_ size: Int, at place: Int) -> Int {
        (place..<place + size).reduce(0) { $0 << 8 | Int($1 < count ? self[$1] : 0) }
    }

    fileprivate func littleEndian(_ size: Int, at place: Int) -> Int {
        (place..<place + size).reversed().reduce(0) { $0 << 8 | Int($1 < count ? self[$1] : 0) }
    }
}
