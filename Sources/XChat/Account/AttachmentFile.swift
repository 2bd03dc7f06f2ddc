import XChatEngine
package import XChatEvents
package import XChatFiles

/// A file that is to go with a message: opened once, so that size, type and uploaded bytes are those of one file.
package struct AttachmentFile: Sendable {
    let path: String
    let file: RegularFile
    /// The media type that its first bytes indicate; nil if they indicate none.
    package let mimeType: String?
    private let dimensions: MediaInfo.Dimensions?

    /// How far to look for the dimensions of an image; a photo can have large previews in front of them.
    private static let beginning = 1 << 20

    /// Opens a file, which must be a regular one.
    ///
    /// - Parameter path: The file; the system resolves it, once.
    /// - Throws: ``FileError``.
    package init(_ path: String) throws(FileError) {
        let file = try RegularFile(path)
        let bytes = try file.read(upTo: Self.beginning, at: 0)
        self.path = path
        self.file = file
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
            filesizeBytes: Int64(file.byteCount),
            // Readers do not learn the folder.
            filename: WireString(Files.name(of: path))
        )
    }
}
