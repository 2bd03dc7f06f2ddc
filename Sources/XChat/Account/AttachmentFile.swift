import Foundation
import XChatEngine
package import XChatEvents
package import XChatFiles

/// A file that is to go with a message, and what the message says of it.
package struct AttachmentFile: Sendable {
    package let path: String
    /// The last part of the path: readers do not learn the folder.
    let name: String
    package let byteCount: Int
    /// What its first bytes stand for.
    package let mimeType: String?
    private let dimensions: MediaInfo.Dimensions?

    /// How far to look for the dimensions of an image; a photo can have large previews in front of them.
    private static let beginning = 1 << 20

    /// Looks at a file, which must be a regular one.
    package init(_ path: String) throws(FileError) {
        self.path = path
        byteCount = try Files.size(path)
        name = URL(filePath: path).lastPathComponent
        let bytes = try Descriptor.reading(path).read(upTo: Self.beginning)
        mimeType = MediaInfo.mimeType(of: bytes.span)
        dimensions = MediaInfo.dimensions(of: bytes.span)
    }

    /// As what the readers' apps show it: an image whose size is not known is a file to them.
    private var type: MediaType {
        switch mimeType {
        case "image/gif" where dimensions != nil: .gif
        case let type? where type.hasPrefix("image/") && dimensions != nil: .image
        case let type? where type.hasPrefix("video/"): .video
        case let type? where type.hasPrefix("audio/"): .audio
        default: .file
        }
    }

    /// The member of the message, once the server has a name for the file.
    package func attachment(_ mediaHashKey: String) -> MediaAttachment {
        // X's SDK asks for a width and a height of everything.
        MediaAttachment(
            mediaHashKey: WireString(mediaHashKey),
            dimensions: MediaDimensions(
                width: Int64(dimensions?.width ?? 0),
                height: Int64(dimensions?.height ?? 0)
            ),
            type: type,
            filesizeBytes: Int64(byteCount),
            filename: WireString(name)
        )
    }
}
