import XChatEngine
import XChatEvents

import struct Foundation.Data

/// An upload that the server has opened.
struct UploadSession: Hashable, Sendable {
    let id: String
    let mediaHashKey: String
    /// The conversation id that the calls of the upload send.
    let conversationID: String
}

/// The name that the server gives to an encrypted file.
enum MediaHashKey {
    static func isValid(_ text: String) -> Bool {
        (1...50).contains(text.utf8.count) && text.utf8.allSatisfy { $0.isASCIIAlphanumeric }
    }
}

extension UInt8 {
    fileprivate var isASCIIAlphanumeric: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self)
    }
}

extension Call<UploadSession> {
    /// The call `POST /2/chat/media/upload/initialize`.
    static func initializeUpload(
        of totalBytes: Int,
        in conversation: ConversationID,
        limit: Int
    ) throws(APIError) -> Self {
        // X's own clients send the id in the form of events: two ids joined by a colon.
        let id = conversation.string
        return Call(
            request: APIRequest(
                method: .post,
                route: "/2/chat/media/upload/initialize",
                path: "/2/chat/media/upload/initialize",
                body: try InitializeBody(conversationID: id, totalBytes: totalBytes).json()
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            let data = try answer.data(InitializeAnswer.self)
            guard MediaHashKey.isValid(data.mediaHashKey) else {
                throw APIError(.malformedResponse, "data.media_hash_key is not 1 to 50 letters and digits")
            }
            // The id becomes part of a path.
            guard (1...128).contains(data.sessionID.utf8.count),
                data.sessionID.utf8.allSatisfy({ $0.isASCIIAlphanumeric || $0 == 0x2D || $0 == 0x5F })
            else {
                throw APIError(.malformedResponse, "data.session_id is not 1 to 128 letters, digits, - and _")
            }
            return UploadSession(id: data.sessionID, mediaHashKey: data.mediaHashKey, conversationID: id)
        }
    }
}

extension Call<Void> {
    /// The call `POST /2/chat/media/upload/{id}/append`.
    static func append(
        _ segment: ArraySlice<UInt8>,
        number: Int,
        to session: UploadSession,
        limit: Int
    ) throws(APIError) -> Self {
        let names = AppendBody(
            segmentIndex: number,
            conversationID: session.conversationID,
            mediaHashKey: session.mediaHashKey
        )
        return Call(
            request: APIRequest(
                method: .post,
                route: "/2/chat/media/upload/{id}/append",
                path: "/2/chat/media/upload/\(session.id)/append",
                body: try body(segment, names)
            ),
            limit: limit
        ) { (answer) throws(APIError) in
            _ = try answer.dataIfAny(AppendAnswer.self)
        }
    }

    /// Makes the body without an encoder, which would copy the segment several times.
    private static func body(_ segment: ArraySlice<UInt8>, _ names: AppendBody) throws(APIError) -> Data {
        let names = try names.json()
        var text = Array(#"{"media":""#.utf8)
        text.reserveCapacity(text.count + (segment.count + 2) / 3 * 4 + 2 + names.count)
        Base64.append(segment.span, to: &text)
        text += repeatElement(UInt8(ascii: "="), count: (3 - segment.count % 3) % 3)
        text += #"","#.utf8
        text += names.dropFirst()
        return Data(text)
    }

    /// The call `POST /2/chat/media/upload/{id}/finalize`.
    static func finalize(
        _ session: UploadSession,
        segments: Int,
        ttlMsec: Int64?,
        limit: Int
    ) throws(APIError) -> Self {
        let body = FinalizeBody(
            conversationID: session.conversationID,
            mediaHashKey: session.mediaHashKey,
            numParts: String(segments),
            ttlMsec: ttlMsec.map { String($0) }
        )
        return Call(
            request: APIRequest(
                method: .post,
                route: "/2/chat/media/upload/{id}/finalize",
                path: "/2/chat/media/upload/\(session.id)/finalize",
                body: try body.json()
            ),
            limit: limit,
            read: requireSuccess
        )
    }
}

extension APIRequest {
    /// The request `GET /2/chat/media/{id}/{media_hash_key}`.
    static func media(_ hashKey: String, in target: ConversationTarget) throws(APIError) -> APIRequest {
        guard MediaHashKey.isValid(hashKey) else {
            throw APIError(
                .invalidArgument,
                "the media hash key \(printable(WireString(hashKey))) is not 1 to 50 ASCII letters and digits"
            )
        }
        return APIRequest(
            method: .get,
            route: "/2/chat/media/{id}/{media_hash_key}",
            path: "/2/chat/media/\(target.pathComponent)/\(hashKey)",
            accept: "application/octet-stream, application/problem+json"
        )
    }
}

private struct InitializeBody: Encodable {
    let conversationID: String
    let totalBytes: Int

    enum CodingKeys: String, CodingKey {
        case conversationID = "conversation_id"
        case totalBytes = "total_bytes"
    }
}

private struct InitializeAnswer: Decodable {
    let sessionID: String
    let mediaHashKey: String

    enum CodingKeys: String, CodingKey {
        case sessionID = "session_id"
        case mediaHashKey = "media_hash_key"
    }
}

private struct AppendBody: Encodable {
    let segmentIndex: Int
    let conversationID: String
    let mediaHashKey: String

    enum CodingKeys: String, CodingKey {
        case segmentIndex = "segment_index"
        case conversationID = "conversation_id"
        case mediaHashKey = "media_hash_key"
    }
}

/// No member of the answer is used.
private struct AppendAnswer: Decodable {}

private struct FinalizeBody: Encodable {
    let conversationID: String
    let mediaHashKey: String
    let numParts: String
    let ttlMsec: String?

    enum CodingKeys: String, CodingKey {
        case conversationID = "conversation_id"
        case mediaHashKey = "media_hash_key"
        case numParts = "num_parts"
        case ttlMsec = "ttl_msec"
    }
}
