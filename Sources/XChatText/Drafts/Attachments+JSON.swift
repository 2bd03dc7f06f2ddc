package import XChat
import XChatEngine
package import XChatEvents

// The shapes are those of X's SDK: `docs/protocol.md`, "Messages". The SDK ignores unknown members, and so does this:
// attachments are often taken from events, which have more members than a draft needs.
extension JSONLocation {
    func attachments() throws(AccountError) -> [MessageAttachment] {
        var attachments: [MessageAttachment] = []
        for place in try elements() { attachments.append(try place.attachment()) }
        return attachments
    }

    private func attachment() throws(AccountError) -> MessageAttachment {
        let tag = try required("attachment_type")
        switch try tag.string() {
        case "media":
            return .media(
                MediaAttachment(
                    mediaHashKey: try required("media_hash_key").string(),
                    dimensions: MediaDimensions(
                        width: try required("width").integer(Int64.self),
                        height: try required("height").integer(Int64.self)
                    ),
                    type: MediaType(
                        rawValue: try member("media_type")?.integer(Int32.self) ?? MediaType.image.rawValue
                    ),
                    durationMillis: try member("duration_millis")?.integer(Int64.self),
                    filesizeBytes: try required("filesize_bytes").integer(Int64.self),
                    filename: try required("filename").string()
                )
            )
        case "url":
            return .url(
                UrlAttachment(
                    url: try required("url").string(),
                    bannerImageMediaHashKey: try member("banner_image")?.image(),
                    faviconImageMediaHashKey: try member("favicon_image")?.image(),
                    displayTitle: try member("display_title")?.string()
                )
            )
        case "post":
            return .post(
                PostAttachment(
                    restID: try member("rest_id")?.string(),
                    postURL: try member("post_url")?.string()
                )
            )
        default:
            throw tag.error("is not one of the types media, url, post")
        }
    }

    private func image() throws(AccountError) -> UrlAttachmentImage {
        let width = try member("width")?.integer(Int64.self)
        let height = try member("height")?.integer(Int64.self)
        return UrlAttachmentImage(
            mediaHashKey: try required("media_hash_key").string(),
            filesizeBytes: try required("filesize_bytes").integer(Int64.self),
            filename: try required("filename").string(),
            dimensions: width == nil && height == nil ? nil : MediaDimensions(width: width, height: height)
        )
    }

    func quickReply() throws(AccountError) -> QuickReply {
        switch (try member("request"), try member("response")) {
        case (let request?, nil):
            let options = try request.required("options")
            return .request(
                .options(
                    QuickReplyOptionsRequest(
                        id: try options.member("id")?.string(),
                        options: try options.member("options")?.quickReplyOptions()
                    )
                )
            )
        case (nil, let response?):
            let options = try response.required("options")
            return .response(
                .options(
                    QuickReplyOptionsResponse(
                        requestID: try options.member("request_id")?.string(),
                        metadata: try options.member("metadata")?.string(),
                        selectedOptionID: try options.member("selected_option_id")?.string()
                    )
                )
            )
        default:
            throw error("expected exactly one of the members request and response")
        }
    }

    private func quickReplyOptions() throws(AccountError) -> [QuickReplyOption] {
        var options: [QuickReplyOption] = []
        for place in try elements() {
            options.append(
                QuickReplyOption(
                    id: try place.member("id")?.string(),
                    label: try place.member("label")?.string(),
                    metadata: try place.member("metadata")?.string(),
                    description: try place.member("description")?.string()
                )
            )
        }
        return options
    }
}

extension MediaAttachment {
    /// The attachment in the JSON format of drafts.
    package var draftJSON: JSONObject {
        [
            "attachment_type": "media",
            "media_hash_key": .init(mediaHashKey),
            "media_type": .init(type?.rawValue),
            "width": .init(dimensions?.width),
            "height": .init(dimensions?.height),
            "filesize_bytes": .init(filesizeBytes),
            "filename": .init(filename),
        ]
    }
}
