import Testing
import XChatEngine

struct MediaInfoTests {
    /// A file with this beginning, padded to 40 bytes.
    struct Sample: Sendable, CustomTestStringConvertible {
        let beginning: [UInt8]
        let type: String?
        let testDescription: String

        init(_ beginning: [UInt8], _ type: String?, _ width: Int? = nil, _ height: Int? = nil) {
            self.beginning = beginning + [UInt8](repeating: 0, count: max(0, 40 - beginning.count))
            self.type = type
            sizes = width.flatMap { width in height.map { [width, $0] } }
            testDescription = "\(type ?? "unknown"): \(beginning.prefix(16))"
        }

        let sizes: [Int]?
    }

    private static func text(_ text: String, _ more: [UInt8] = []) -> [UInt8] { Array(text.utf8) + more }

    static let samples: [Sample] = [
        Sample(
            [0x89] + text("PNG\r\n\u{1A}\n\0\0\0\rIHDR", [0, 0, 2, 0x80, 0, 0, 1, 0xe0]),
            "image/png",
            640,
            480
        ),
        Sample(text("GIF89a", [1, 2, 3, 4]), "image/gif", 513, 1027),
        Sample(text("GIF87a", [1, 0, 2, 0]), "image/gif", 1, 2),
        Sample(text("GIF88a", [1, 0, 2, 0]), nil),
        Sample(
            text("BM") + [UInt8](repeating: 0, count: 16) + [5, 0, 0, 0, 0xf9, 0xff, 0xff, 0xff],
            "image/bmp",
            5,
            7
        ),
        Sample(
            text("BM") + [UInt8](repeating: 0, count: 16) + [0xfb, 0xff, 0xff, 0xff, 0, 0, 0, 0x80],
            "image/bmp",
            4_294_967_291,
            2_147_483_648
        ),
        Sample(text("RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0", [1, 0, 0, 2, 0, 0]), "image/webp", 2, 3),
        Sample(text("RIFF\0\0\0\0WEBPVP8L\0\0\0\0/", [1, 0x80, 2, 3]), "image/webp", 2, 3083),
        Sample(
            text("RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0", [0x9d, 1, 0x2a, 0x11, 0xc1, 0x22, 0x82]),
            "image/webp",
            273,
            546
        ),
        Sample([0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xc0, 0, 11, 8, 0, 16, 0, 32], "image/jpeg", 32, 16),
        Sample([0xff, 0xd8, 0xff, 0xc4, 0, 2, 0xff, 0xc2, 0, 11, 8, 0, 16, 0, 32], "image/jpeg", 32, 16),
        Sample([0xff, 0xd8, 0xff, 0xff, 0xff, 0xc0, 0, 11, 8, 0, 16, 0, 32], "image/jpeg", 32, 16),
        Sample([0xff, 0xd8, 0xff, 0xd0, 0xff, 0xc0, 0, 11, 8, 0, 16, 0, 32], "image/jpeg", 32, 16),
        Sample([0xff, 0xd8, 0xff, 0xe0, 0xff, 0xff, 0xff, 0xc0, 0, 11, 8, 0, 16, 0, 32], "image/jpeg"),
        Sample(text("II*\0"), "image/tiff"),
        Sample(text("MM\0*"), "image/tiff"),
        Sample(text("MM*\0"), nil),
        Sample([0, 0, 1, 0], "image/x-icon"),
        Sample(text("\0\0\0\u{18}ftypheic"), "image/heic"),
        Sample(text("\0\0\0\u{18}ftypavif"), "image/avif"),
        Sample(text("\0\0\0\u{18}ftypM4V "), "video/mp4"),
        Sample(text("\0\0\0\u{18}ftypM4A "), nil),
        Sample([0x1a, 0x45, 0xdf, 0xa3], "video/webm"),
        Sample(text("RIFF\0\0\0\0AVI "), "video/x-msvideo"),
        Sample(text("\0\0\0\0moov"), "video/quicktime"),
        Sample(text("%PDF-1.7"), "application/pdf"),
        Sample(text("PK\u{3}\u{4}"), "application/zip"),
        Sample(text("ID3"), "audio/mpeg"),
        Sample([0xff, 0xe0], "audio/mpeg"),
        Sample([0xff, 0xdf], nil),
        Sample(text("RIFF\0\0\0\0WAVE"), "audio/wav"),
        Sample(text("OggS"), "audio/ogg"),
        Sample(text("fLaC"), "audio/flac"),
        Sample(text("hello"), nil),
    ]

    @Test(arguments: samples)
    func `a file is known by its first bytes`(_ sample: Sample) {
        let type = MediaInfo.mimeType(of: sample.beginning.span)
        #expect(type == sample.type)
        let found = MediaInfo.dimensions(of: sample.beginning.span)
        #expect(found.map { [$0.width, $0.height] } == sample.sizes)
    }

    @Test func `fewer than 12 bytes have no type`() {
        let beginning = Array(Self.samples[1].beginning.prefix(11))
        let type = MediaInfo.mimeType(of: beginning.span)
        #expect(type == nil)
    }

    @Test func `a header that is cut has no dimensions`() {
        let lengths = ["image/png": 24, "image/gif": 10, "image/bmp": 26, "image/webp": 30]
        var found: Set<String> = []
        for sample in Self.samples where sample.sizes != nil {
            guard let type = sample.type, let length = lengths[type] else { continue }
            found.insert(type)
            let first = (0...sample.beginning.count).first { count in
                let beginning = Array(sample.beginning.prefix(count))
                return MediaInfo.dimensions(of: beginning.span) != nil
            }
            #expect(first == length, "\(type)")
        }
        #expect(found == Set(lengths.keys))
    }

    @Test func `no bytes trap, cut or altered as they may be`() {
        var claims = 0
        for sample in Self.samples {
            for length in 0...sample.beginning.count {
                for byte in sample.beginning.indices.prefix(length) {
                    var altered = Array(sample.beginning.prefix(length))
                    altered[byte] = UInt8.random(in: .min ... .max)
                    _ = MediaInfo.mimeType(of: altered.span)
                    let found = MediaInfo.dimensions(of: altered.span)
                    if let found { claims += found.width >= 0 && found.height >= 0 ? 0 : 1 }
                }
            }
        }
        #expect(claims == 0)
    }
}
