import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import XChat
import XChatEvents

/// Ties X's paths to the state: reads requests, writes answers, decides nothing.
struct Routes {
    let state: SandboxState

    /// The largest body of a request, in bytes.
    static let maximumBodyBytes = 4 << 20

    func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.add(middleware: ProblemMiddleware())
        router.get("/2/users/{id}/public_keys") { request, context in
            _ = try User(request)
            let keys = try await state.publicKeys(of: try context.userID())
            return try Response.json(Envelope(data: keys.map(PublicKeyItem.init)))
        }
        router.post("/2/users/{id}/public_keys") { request, context in
            let user = try User(request)
            guard try context.userID() == user.id else {
                throw Problem.forbidden("You can register keys for yourself only.", resourceType: "user")
            }
            let version = try await state.register(RegistrationRequest(body: request.wholeBody()), user: user.id)
            return try Response.json(Envelope(data: ["public_key_version": version.string]))
        }
        router.get("/2/chat/conversations/{id}/events") { request, context in
            let user = try User(request)
            let query = try PageQuery(
                maxResults: request.uri.queryParameters.get("max_results"),
                paginationToken: request.uri.queryParameters.get("pagination_token")
            )
            let id = try context.conversationID(for: user)
            return try Response.json(try await state.page(of: id, for: user.id, query: query))
        }
        router.post("/2/chat/conversations/{id}/keys") { request, context in
            let user = try User(request)
            let id = try context.conversationID(for: user)
            let event = try await state.addKeys(KeysRequest(body: request.wholeBody()), to: id, from: user.id)
            return try Response.json(
                Envelope(data: [
                    "conversation_id": id.urlPathComponent ?? id.value.string,
                    "sequence_id": event.sequenceID?.string ?? "",
                ])
            )
        }
        router.post("/2/chat/conversations/{id}/messages") { request, context in
            let user = try User(request)
            let id = try context.conversationID(for: user)
            let event = try await state.send(SendRequest(body: request.wholeBody()), to: id, from: user.id)
            return try Response.json(
                Envelope(data: ["encoded_message_event": Base64.encode(event.encoded())]),
                status: .created
            )
        }
        return router
    }
}

/// The user whose token a request carries.
private struct User {
    let id: UserID

    init(_ request: Request) throws(Problem) {
        guard let header = request.headers[.authorization] else { throw .unauthorized }
        let prefix = "Bearer sandbox-".utf8
        guard header.utf8.starts(with: prefix) else { throw .unauthorized }
        let name = WireString(String(decoding: header.utf8.dropFirst(prefix.count), as: UTF8.self))
        if name == "app" { throw .appToken }
        guard name.isUserID else { throw .unauthorized }
        id = name
    }
}

extension WireString {
    /// Whether it matches `^[0-9]{1,19}$`.
    fileprivate var isUserID: Bool { isDigits && utf8.count <= 19 }
}

extension RequestContext {
    fileprivate func userID() throws(Problem) -> UserID {
        let id = WireString(parameters.get("id") ?? "")
        guard id.isUserID else { throw .invalidRequest("A user id has 1 to 19 digits.", parameter: "id") }
        return id
    }

    /// The canonical id of the conversation that a path names in one of its three forms.
    fileprivate func conversationID(for user: User) throws(Problem) -> ConversationID {
        let text = WireString(parameters.get("id") ?? "")
        let id = ConversationID(canonicalizing: text, sender: user.id)
        // The colon is the form inside events. No path takes it.
        guard id.urlPathComponent != nil, !text.utf8.contains(UInt8(ascii: ":")) else {
            throw .invalidRequest("A conversation is a user id, two joined by '-', or a group id.", parameter: "id")
        }
        return id
    }
}

extension Request {
    fileprivate func wholeBody() async throws -> Data {
        do {
            return Data(try await body.collect(upTo: Routes.maximumBodyBytes).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw Problem.tooLarge
        }
    }
}

private struct Envelope<Payload: Encodable>: Encodable {
    let data: Payload
}

private struct PublicKeyItem: Encodable {
    let publicKey: String
    let signingPublicKey: String
    let identityPublicKeySignature: String
    let publicKeyVersion: String

    init(_ key: BoundKey) {
        publicKey = key.registered.identityPublicKey.string
        signingPublicKey = key.registered.publicKey.string
        identityPublicKeySignature = key.registered.identityPublicKeySignature.string
        publicKeyVersion = key.registered.publicKeyVersion.string
    }

    enum CodingKeys: String, CodingKey {
        case publicKey = "public_key"
        case signingPublicKey = "signing_public_key"
        case identityPublicKeySignature = "identity_public_key_signature"
        case publicKeyVersion = "public_key_version"
    }
}

extension Response {
    fileprivate static func json(
        _ value: some Encodable,
        status: HTTPResponse.Status = .ok,
        type: String = "application/json"
    ) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body = ByteBuffer(bytes: try encoder.encode(value))
        return Response(status: status, headers: [.contentType: type], body: ResponseBody(byteBuffer: body))
    }
}

/// Turns every error into a problem; only what this server says about itself reaches the client.
private struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    @concurrent
    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let problem: Problem
        do {
            return try await next(request, context)
        } catch let error as Problem {
            problem = error
        } catch let error as HTTPError where error.status == .notFound {
            problem = .notFound("No such route.", resourceType: "route")
        } catch let error as any HTTPResponseError {
            problem = .invalidRequest("The request cannot be read: \(error.status).")
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            context.logger.error("unexpected error", metadata: ["type": "\(type(of: error))"])
            problem = .internalError
        }
        return try .json(problem, status: .init(code: problem.status), type: "application/problem+json")
    }
}
