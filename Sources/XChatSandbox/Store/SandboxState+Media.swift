import Foundation
import GRDB
import XChatEvents

/// An upload: ciphertext in segments, of which the server knows only the length.
struct Upload: Sendable {
    let session: Int64
    let hashKey: String
    let conversation: ConversationID
    let user: UserID
    let totalBytes: Int64
    /// When the upload session ends, in seconds since 1970.
    let expiresAt: Int64
    /// The number of segments; nil until the upload is complete.
    let parts: Int?

    init(_ row: Row) {
        session = row["session"]
        hashKey = row["hash_key"]
        conversation = ConversationID(canonicalizing: WireString(row["conversation"]))
        user = UserID(row["user"])
        totalBytes = row["total_bytes"]
        expiresAt = row["expires_at"]
        parts = row["parts"]
    }
}

extension SandboxState {
    /// How long an upload may take, in seconds.
    private static let uploadSeconds: Int64 = 24 * 3600
    /// The most segments: their numbers are 0 to 999.
    private static let maximumSegments: Int64 = 1000

    func initializeUpload(_ request: UploadRequest, by user: UserID) async throws -> (session: Int64, hashKey: String) {
        let id = try mediaConversation(request.conversationID, of: user)
        guard (0...Int64(faults.segmentBytes) * Self.maximumSegments).contains(request.totalBytes) else {
            throw Problem.invalidRequest("The upload is larger than this server accepts.", parameter: "total_bytes")
        }
        let session = nextSequenceID()
        let hashKey = Self.newHashKey()
        try await database.write { db in
            _ = try self.conversation(id, for: user, db)
            try db.execute(
                sql: """
                    INSERT INTO upload (session, hash_key, conversation, user, total_bytes, expires_at)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    session, hashKey, id.string, user.string, request.totalBytes,
                    Self.milliseconds() / 1000 + Self.uploadSeconds,
                ]
            )
        }
        return (session, hashKey)
    }

    /// Stores a segment; a repeated segment replaces the first one.
    ///
    /// - Returns: The time when the session ends, in seconds since 1970.
    func append(_ segment: SegmentRequest, to session: String, by user: UserID) async throws -> Int64 {
        let id = try mediaConversation(segment.conversationID, of: user)
        guard (0..<Int(Self.maximumSegments)).contains(segment.index) else {
            throw Problem.invalidRequest("Segments are numbered from 0 to 999.", parameter: "segment_index")
        }
        guard segment.media.count <= faults.segmentBytes else {
            throw Problem.invalidRequest("The segment is larger than this server accepts.", parameter: "media")
        }
        return try await database.write { db in
            let upload = try self.upload(session, segment.hashKey, in: id, by: user, db)
            guard upload.parts == nil else {
                throw Problem.invalidRequest("The upload is complete.", parameter: "id")
            }
            try db.execute(
                sql: "INSERT OR REPLACE INTO segment (session, number, bytes) VALUES (?, ?, ?)",
                arguments: [upload.session, segment.index, segment.media]
            )
            let held = try Int64.fetchOne(
                db,
                sql: "SELECT SUM(LENGTH(bytes)) FROM segment WHERE session = ?",
                arguments: [upload.session]
            )
            guard held ?? 0 <= upload.totalBytes else {
                throw Problem.invalidRequest("The segments have more bytes than total_bytes.", parameter: "media")
            }
            return upload.expiresAt
        }
    }

    func finalize(_ request: FinalizeRequest, session: String, by user: UserID) async throws {
        let id = try mediaConversation(request.conversationID, of: user)
        guard let parts = WireString(request.numParts).number, WireString(request.numParts).isDigits else {
            throw Problem.invalidRequest("num_parts must be a number.", parameter: "num_parts")
        }
        try await database.write { db in
            let upload = try self.upload(session, request.hashKey, in: id, by: user, db)
            let held = try Row.fetchOne(
                db,
                sql: """
                    SELECT COUNT(*) AS parts, MAX(number) AS last, SUM(LENGTH(bytes)) AS bytes
                    FROM segment WHERE session = ?
                    """,
                arguments: [upload.session]
            )
            let count: Int64 = held?["parts"] ?? 0
            let last: Int64? = held?["last"]
            let bytes: Int64? = held?["bytes"]
            guard UInt64(count) == parts, (last ?? -1) + 1 == count else {
                throw Problem.invalidRequest(
                    "The segments that arrived do not match num_parts.",
                    parameter: "num_parts"
                )
            }
            guard bytes ?? 0 == upload.totalBytes else {
                throw Problem.invalidRequest("The segments do not have total_bytes bytes.")
            }
            try db.execute(
                sql: "UPDATE upload SET parts = ? WHERE session = ?",
                arguments: [count, upload.session]
            )
        }
    }

    /// Reads a complete upload of a conversation.
    func media(_ hashKey: String, in id: ConversationID, for user: UserID) async throws -> Upload {
        try await database.read { db in
            _ = try self.conversation(id, for: user, db)
            guard
                let row = try Row.fetchOne(
                    db,
                    sql: "SELECT * FROM upload WHERE hash_key = ? AND conversation = ? AND parts IS NOT NULL",
                    arguments: [hashKey, id.string]
                )
            else { throw Problem.notFound("No such media.", parameter: "media_hash_key", resourceType: "media") }
            return Upload(row)
        }
    }

    /// Reads one segment, so that a large download is never in memory as a whole.
    func segment(_ number: Int, of upload: Upload) async throws -> Data? {
        try await database.read { db in
            try Data.fetchOne(
                db,
                sql: "SELECT bytes FROM segment WHERE session = ? AND number = ?",
                arguments: [upload.session, number]
            )
        }
    }

    /// Deletes media of a conversation.
    ///
    /// If a user is given, only media of this user can be deleted.
    func deleteMedia(_ hashKey: String, in id: ConversationID, by user: UserID?, _ db: Database) throws {
        let row = try Row.fetchOne(
            db,
            sql: "SELECT * FROM upload WHERE hash_key = ? AND conversation = ?",
            arguments: [hashKey, id.string]
        )
        guard let upload = row.map({ Upload($0) }) else {
            throw Problem.notFound("No such media.", parameter: "media_hash_keys", resourceType: "media")
        }
        guard user == nil || upload.user == user else {
            throw Problem.forbidden("These media are not yours.", resourceType: "media")
        }
        try db.execute(sql: "DELETE FROM upload WHERE session = ?", arguments: [upload.session])
    }

    private func upload(
        _ session: String,
        _ hashKey: String,
        in id: ConversationID,
        by user: UserID,
        _ db: Database
    ) throws -> Upload {
        let number = WireString(session)
        let row = try Row.fetchOne(
            db,
            sql: "SELECT * FROM upload WHERE session = ? AND user = ? AND expires_at > ?",
            arguments: [number.isDigits ? number.i64 : nil, user.string, Self.milliseconds() / 1000]
        )
        guard let upload = row.map({ Upload($0) }) else {
            throw Problem.notFound("No such upload.", parameter: "id", resourceType: "media_upload")
        }
        guard WireString(upload.hashKey) == WireString(hashKey) else {
            throw Problem.invalidRequest("This is the key of another upload.", parameter: "media_hash_key")
        }
        guard upload.conversation == id else {
            throw Problem.invalidRequest("The upload is for another conversation.", parameter: "conversation_id")
        }
        return upload
    }

    /// The canonical id of the conversation that a request's body names in any form, including the form with a colon.
    private func mediaConversation(_ text: String, of user: UserID) throws(Problem) -> ConversationID {
        let id = ConversationID(canonicalizing: WireString(text), sender: user)
        guard id.urlPathComponent != nil else {
            throw .invalidRequest("This is not a conversation id.", parameter: "conversation_id")
        }
        return id
    }

    private static func newHashKey() -> String {
        let characters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        return String((0..<24).compactMap { _ in characters.randomElement() })
    }
}
