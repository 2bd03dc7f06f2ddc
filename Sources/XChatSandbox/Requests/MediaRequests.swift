import Foundation
import XChatEvents

/// The call `POST /2/chat/media/upload/initialize`.
struct UploadRequest: ClosedRequest {
    static let members: Set = ["conversation_id", "total_bytes"]

    let conversationID: String
    let totalBytes: Int64

    enum CodingKeys: String, CodingKey {
        case conversationID = "conversation_id"
        case totalBytes = "total_bytes"
    }
}

/// The call `POST /2/chat/media/upload/{id}/append`, as JSON or as a form.
struct SegmentRequest: Sendable {
    static let members: Set = ["conversation_id", "media", "media_hash_key", "segment_index"]

    let media: Data
    let index: Int
    let conversationID: String
    let hashKey: String

    init(body: Data, contentType: String?) throws(Problem) {
        if let contentType, contentType.lowercased().hasPrefix("multipart/form-data") {
            self = try SegmentRequest(form: MultipartForm(body, contentType: contentType))
        } else {
            self = try SegmentRequest(SegmentJSON(closed: body))
        }
    }

    private init(_ json: SegmentJSON) throws(Problem) {
        guard let bytes = try? Base64.decode(json.media) else {
            throw .invalidRequest("The media are not base64.", parameter: "media")
        }
        media = Data(bytes)
        index = json.index
        conversationID = json.conversationID
        hashKey = json.hashKey
    }

    private init(form: MultipartForm) throws(Problem) {
        if let unknown = form.parts.keys.first(where: { !Self.members.contains($0) }) {
            throw .invalidRequest("The form has a part that this request does not accept.", parameter: bounded(unknown))
        }
        func text(_ name: String) throws(Problem) -> String {
            guard let part = form.parts[name] else { throw .invalidRequest("A part is missing.", parameter: name) }
            guard let text = String(validating: part, as: UTF8.self) else {
                throw .invalidRequest("A part is not text.", parameter: name)
            }
            return text
        }
        guard let bytes = form.parts["media"] else { throw .invalidRequest("A part is missing.", parameter: "media") }
        media = bytes
        conversationID = try text("conversation_id")
        hashKey = try text("media_hash_key")
        guard let index = WireString(try text("segment_index")).number.flatMap({ Int(exactly: $0) }) else {
            throw .invalidRequest("The index is not a number.", parameter: "segment_index")
        }
        self.index = index
    }
}

private struct SegmentJSON: ClosedRequest {
    static let members = SegmentRequest.members

    let media: String
    /// X's document specifies an integer; X's own programs send text.
    let index: Int
    let conversationID: String
    let hashKey: String

    enum CodingKeys: String, CodingKey {
        case media
        case index = "segment_index"
        case conversationID = "conversation_id"
        case hashKey = "media_hash_key"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        media = try container.decode(String.self, forKey: .media)
        conversationID = try container.decode(String.self, forKey: .conversationID)
        hashKey = try container.decode(String.self, forKey: .hashKey)
        if let text = try? container.decode(String.self, forKey: .index) {
            guard WireString(text).isDigits, let number = WireString(text).number, let index = Int(exactly: number)
            else {
                throw Problem.invalidRequest("The index is not a number.", parameter: "segment_index")
            }
            self.index = index
        } else {
            index = try container.decode(Int.self, forKey: .index)
        }
    }
}

/// The call `POST /2/chat/media/upload/{id}/finalize`.
struct FinalizeRequest: ClosedRequest {
    static let members: Set = ["conversation_id", "media_hash_key", "num_parts", "message_id", "ttl_msec"]

    let conversationID: String
    let hashKey: String
    let numParts: String
    let messageID: String?
    let ttlMsec: String?

    enum CodingKeys: String, CodingKey {
        case conversationID = "conversation_id"
        case hashKey = "media_hash_key"
        case numParts = "num_parts"
        case messageID = "message_id"
        case ttlMsec = "ttl_msec"
    }
}
