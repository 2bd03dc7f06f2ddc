import XChat
import XChatEvents

/// The attachments inside a content, one object with one member for each; unknown variants are left out.
func attachmentsJSON(_ attachments: [MessageAttachment]) -> JSONValue {
    .array(attachments.compactMap(attachmentJSON))
}

private func attachmentJSON(_ attachment: MessageAttachment) -> JSONValue? {
    switch attachment {
    case .media(let media):
        let type: JSONValue? = media.type.map { $0.name.map(JSONValue.string) ?? .number($0.rawValue) }
        var json = mediaJSON(media, typeMember: "type", type: type ?? nil)
        json["grok_tag"] = media.grokTag.map(JSONValue.string)
        return ["media": .object(json)]
    case .post(let post):
        return ["post": .object(postJSON(post))]
    case .url(let url):
        return [
            "url": [
                "url": .init(url.url),
                "banner_image_media_hash_key": url.bannerImageMediaHashKey.map(imageJSON) ?? nil,
                "favicon_image_media_hash_key": url.faviconImageMediaHashKey.map(imageJSON) ?? nil,
                "display_title": .init(url.displayTitle),
                "attachment_id": .init(url.attachmentID),
            ]
        ]
    case .unifiedCard(let card):
        return ["unified_card": .object(cardJSON(card))]
    case .money(let money):
        let payload = money.payload.map { JSONValue.string(Base64.encode($0, padding: false)) }
        return ["money": ["fallback_text": .init(money.fallbackText), "payload": payload ?? nil]]
    case .jetfuel(let jetfuel):
        // X's SDK calls it money, so another member names the real kind.
        return [
            "money": ["fallback_text": "Payment attachment", "payload": nil],
            "kind": "jetfuel",
            "jetfuel": [
                "height": .init(jetfuel.height),
                "url": .init(jetfuel.url),
                "attachment_id": .init(jetfuel.attachmentID),
            ],
        ]
    case .unknown:
        return nil
    }
}

/// An attachment in the flat list of a message, distinguished by `attachment_type`.
func flatAttachmentJSON(_ attachment: MessageAttachment) -> JSONValue? {
    switch attachment {
    case .media(let media):
        let types = ["image", "gif", "video", "audio", "file", "svg"]
        let number = media.type.map { Int($0.rawValue) } ?? 0
        let type: JSONValue = (1...types.count).contains(number) ? .string(types[number - 1]) : nil
        return tagged("Media", mediaJSON(media, typeMember: "media_type", type: type))
    case .post(let post):
        return tagged("Post", postJSON(post))
    case .url(let url):
        return tagged(
            "Url",
            [
                "url": .init(url.url),
                "banner_image_media_hash_key": .init(url.bannerImageMediaHashKey?.mediaHashKey),
                "favicon_image_media_hash_key": .init(url.faviconImageMediaHashKey?.mediaHashKey),
                "display_title": .init(url.displayTitle),
                "attachment_id": .init(url.attachmentID),
            ]
        )
    case .unifiedCard(let card):
        return tagged("UnifiedCard", cardJSON(card))
    case .money(let money):
        return tagged("Money", ["fallback_text": .init(money.fallbackText)])
    case .jetfuel, .unknown:
        return nil
    }
}

/// The uploaded files of an attachment: the use and the hash key of each.
func mediaHashes(_ attachment: MessageAttachment) -> [JSONValue] {
    let found: [(source: String, key: WireString?)] =
        switch attachment {
        case .media(let media): [("media", media.mediaHashKey)]
        case .url(let url):
            [
                ("url_banner", url.bannerImageMediaHashKey?.mediaHashKey),
                ("url_favicon", url.faviconImageMediaHashKey?.mediaHashKey),
            ]
        case .post, .unifiedCard, .money, .jetfuel, .unknown: []
        }
    return found.compactMap { source, key in
        key.map { ["source": .string(source), "media_hash_key": .string($0)] }
    }
}

private func tagged(_ type: String, _ members: JSONObject) -> JSONValue {
    var json: JSONObject = ["attachment_type": .string(type)]
    for member in members.members {
        json[member.key] = member.value
    }
    return .object(json)
}

private func mediaJSON(_ media: MediaAttachment, typeMember: WireString, type: JSONValue) -> JSONObject {
    [
        "media_hash_key": .init(media.mediaHashKey),
        "dimensions": media.dimensions.map(dimensionsJSON) ?? nil,
        typeMember: type,
        "duration_millis": .init(media.durationMillis),
        "filesize_bytes": .init(media.filesizeBytes),
        "filename": .init(media.filename),
        "attachment_id": .init(media.attachmentID),
        "legacy_media_url_https": .init(media.legacyMediaURLHTTPS),
        "legacy_media_preview_url": .init(media.legacyMediaPreviewURL),
    ]
}

private func postJSON(_ post: PostAttachment) -> JSONObject {
    ["rest_id": .init(post.restID), "post_url": .init(post.postURL), "attachment_id": .init(post.attachmentID)]
}

private func cardJSON(_ card: UnifiedCardAttachment) -> JSONObject {
    ["url": .init(card.url), "attachment_id": .init(card.attachmentID)]
}

private func imageJSON(_ image: UrlAttachmentImage) -> JSONValue {
    [
        "media_hash_key": .init(image.mediaHashKey),
        "filesize_bytes": .init(image.filesizeBytes),
        "filename": .init(image.filename),
        "dimensions": image.dimensions.map(dimensionsJSON) ?? nil,
    ]
}

private func dimensionsJSON(_ dimensions: MediaDimensions) -> JSONValue {
    ["width": .init(dimensions.width), "height": .init(dimensions.height)]
}
