#if TESTABLE
    import XChatEngine

    enum MediaInfoTarget: FuzzTargetImplementation {
        static func run(_ input: [UInt8]) throws {
            _ = MediaInfo.mimeType(of: input.span)
            let sides = 0...Int(UInt32.max)
            guard let size = MediaInfo.dimensions(of: input.span) else { return }
            try require(sides.contains(size.width) && sides.contains(size.height), "a side is not 32 bits long")
            try require(
                MediaInfo.dimensions(of: (input + [0, 0xff]).span) == size,
                "bytes after the header change the dimensions"
            )
        }

        private static let magics: [String: [UInt8]] = [
            "png": [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + Array("IHDR".utf8)
                + [0, 0, 1, 0, 0, 0, 2, 0],
            "jpeg": [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xC0, 0, 17, 8, 1, 0, 2, 0, 3, 0, 0, 0, 0],
            "gif": Array("GIF89a".utf8) + [16, 0, 32, 0, 0, 0],
            "bmp": Array("BM".utf8) + Array(repeating: 0, count: 16) + [64, 0, 0, 0, 0xC0, 0xFF, 0xFF, 0xFF],
            "webp-lossy": Array("RIFF....WEBPVP8 ".utf8) + Array(repeating: 0, count: 10) + [16, 0, 32, 0],
            "webp-lossless": Array("RIFF....WEBPVP8L".utf8) + [0, 0, 0, 0, 0x2F] + Array(repeating: 7, count: 9),
            "webp-extended": Array("RIFF....WEBPVP8X".utf8) + Array(repeating: 0, count: 8) + [9, 0, 0, 8, 0, 0],
            "heic": [0, 0, 0, 24] + Array("ftypheic".utf8),
            "mp4": [0, 0, 0, 24] + Array("ftypisom".utf8),
            "mp3": Array("ID3".utf8) + Array(repeating: 0, count: 9),
        ]

        static func seeds() throws -> [String: [UInt8]] { magics }

        static var words: [String] { ["RIFF", "WEBP", "VP8 ", "VP8L", "VP8X", "AVI ", "WAVE", "ftyp", "avif", "moov"] }
    }
#endif
