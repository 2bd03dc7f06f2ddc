import XChatEngine
package import XChatEvents
package import XChatFiles

/// A file to attach to a message.
///
/// The file is opened once, so that its size, type and uploaded bytes belong to the same file.
package struct AttachmentFile: Sendable {
    let path: String
    let file: RegularFile
    /// The media type that the first bytes indicate; nil if it is unknown.
    package let mimeType: String?
    private let dimensions: MediaInfo.Dimensions?

    /// How many bytes to search for the dimensions of an image: 1 MiB, because large previews may precede them in a
    /// photo.
    private static let beginning = 1 << 20

    /// Opens a regular file.
    ///
    /// - Parameter path: The file; the path is resolved once.
    /// - Throws: ``FileError``.
    package init(_ path: String) throws(FileError) {
        let file = try RegularFile(path)
        let bytes = try file.read(upTo: Self.beginning, at: 0)
        self.path = path
        self.file = file
        mimeType = MediaInfo.mimeType(of: bytes.span)
        dimensions = MediaInfo.dimensions(of: bytes.span)
    }

    /// The type as which apps show the attachment: an image with unknown dimensions is sent as a file.
    private var type: MediaType {
        switch mimeType {
        case "image/gif" where dimensions != nil: .gif
        case let type? where type.hasPrefix("image/") && dimensions != nil: .image
        case let type? where type.hasPrefix("video/"): .video
        case let type? where type.hasPrefix("audio/"): .audio
        default: .file
        }
    }

    /// The attachment for the message, with the media hash key that the server returned for the uploaded file.
    package func attachment(_ mediaHashKey: String) -> MediaAttachment {
        // X's SDK requires a width and a height for every attachment.
        MediaAttachment(
            mediaHashKey: WireString(mediaHashKey),
            dimensions: MediaDimensions(
                width: Int64(dimensions?.width ?? 0),
                height: Int64(dimensions?.height ?? 0)
            ),
            type: type,
            filesizeBytes: Int64(file.byteCount),
            // The path is not sent, only the file name.
            filename: WireString(Files.name(of: path))
        )
    }
}
