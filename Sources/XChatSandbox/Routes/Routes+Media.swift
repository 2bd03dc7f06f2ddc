import Foundation
import Hummingbird
import NIOCore
import XChatEvents

extension Routes {
    func addMedia(to router: Router<SandboxContext>) {
        router.post("/2/chat/media/upload/initialize") { request, _ in
            let user = try request.user()
            let upload = try await UploadRequest(closed: request.wholeBody())
            let (session, hashKey) = try await state.initializeUpload(upload, by: user)
            return try Response.data(
                .object([
                    "session_id": .string(String(session)),
                    "media_hash_key": .string(hashKey),
                    "conversation_id": .string(upload.conversationID),
                ])
            )
        }
        router.post("/2/chat/media/upload/{id}/append") { request, context in
            let user = try request.user()
            // The limit allows for base64 and the JSON around it; the size of the segment itself is checked later.
            let body = try await request.wholeBody(limit: faults.segmentBytes / 3 * 4 + Self.maximumBodyBytes)
            let segment = try SegmentRequest(body: body, contentType: request.headers[.contentType])
            let expiresAt = try await state.append(segment, to: context.parameters.get("id") ?? "", by: user)
            return try Response.data(.object(["expires_at": .integer(expiresAt)]))
        }
        router.post("/2/chat/media/upload/{id}/finalize") { request, context in
            let user = try request.user()
            let finalize = try await FinalizeRequest(closed: request.wholeBody())
            try await state.finalize(finalize, session: context.parameters.get("id") ?? "", by: user)
            return try Response.data(.object(["success": .bool(true)]))
        }
        router.get("/2/chat/media/{id}/{media_hash_key}") { request, context in
            let user = try request.user()
            let id = try context.conversationID(for: user)
            let upload = try await state.media(context.parameters.get("media_hash_key") ?? "", in: id, for: user)
            return Response(
                status: .ok,
                headers: [.contentType: "application/octet-stream"],
                body: ResponseBody(contentLength: Int(upload.totalBytes)) { [state] writer in
                    for number in 0..<(upload.parts ?? 0) {
                        // If the segment was deleted in the meantime, the connection breaks, and the client receives
                        // fewer bytes than the head announced.
                        guard let bytes = try await state.segment(number, of: upload) else { throw CancellationError() }
                        try await writer.write(ByteBuffer(bytes: bytes))
                    }
                    try await writer.finish(nil)
                }
            )
        }
    }
}
