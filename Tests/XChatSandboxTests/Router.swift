import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Synchronization
import Testing
import XChatEngine
import XChatEvents

@testable import XChatSandbox

/// The sandbox through its router, without a socket if nothing needs one.
///
/// Every answer is compared with X's document, if that is available.
final class Router: Sendable {
    private let client: any TestClientProtocol
    private let faults: SandboxFaults
    /// The statuses of each operation.
    let seen = Mutex<[String: Set<Int>]>([:])

    private init(_ client: any TestClientProtocol, _ faults: SandboxFaults) {
        self.client = client
        self.faults = faults
    }

    /// The routes that act for a user.
    static let userRoutes: [(Verb, String)] = [
        (.get, "/2/users/me"), (.get, "/2/users/1111/public_keys"), (.post, "/2/users/1111/public_keys"),
        (.get, "/2/users/public_keys?ids=1111"), (.get, "/2/chat/conversations"),
        (.get, "/2/chat/conversations/2222"), (.get, "/2/chat/conversations/2222/events"),
        (.post, "/2/chat/conversations/2222/keys"), (.post, "/2/chat/conversations/2222/messages"),
        (.post, "/2/chat/conversations/2222/messages/delete"), (.post, "/2/chat/conversations/2222/read"),
        (.post, "/2/chat/conversations/2222/typing"), (.post, "/2/chat/conversations/g1/members"),
        (.post, "/2/chat/conversations/group"), (.post, "/2/chat/conversations/group/initialize"),
        (.post, "/2/chat/media/upload/initialize"), (.post, "/2/chat/media/upload/1/append"),
        (.post, "/2/chat/media/upload/1/finalize"), (.get, "/2/chat/media/2222/abc"),
    ]
    /// The routes that require the app's token.
    static let appRoutes: [(Verb, String)] = [
        (.get, "/2/activity/stream"), (.put, "/2/activity/subscriptions/1"),
        (.delete, "/2/activity/subscriptions/1"), (.delete, "/2/activity/subscriptions?ids=1"),
    ]
    /// The routes that accept both tokens.
    static let sharedRoutes: [(Verb, String)] = [
        (.get, "/2/activity/subscriptions"), (.post, "/2/activity/subscriptions"),
        (.get, "/2/users?ids=1111"), (.get, "/2/users/by?usernames=alice"), (.get, "/2/users/by/username/alice"),
        (.get, "/2/users/1111"),
    ]

    enum Verb: String, Sendable {
        case get, post, put, delete

        var method: HTTPRequest.Method {
            switch self {
            case .get: .get
            case .post: .post
            case .put: .put
            case .delete: .delete
            }
        }
    }

    struct Answer: Sendable {
        struct Problem: Decodable {
            let type: String
            let title: String
            let detail: String
            let status: Int
            let parameter: String?
            let resource_type: String?
        }

        let status: Int
        let body: Data
        let type: String?
        let headers: HTTPFields

        var json: [String: Any] {
            get throws { try JSONSerialization.jsonObject(with: body) as? [String: Any] ?? [:] }
        }

        func header(_ name: String) -> String? {
            HTTPField.Name(name).flatMap { headers[$0] }
        }

        /// The `data` object.
        var data: [String: Any] {
            get throws { try json["data"] as? [String: Any] ?? [:] }
        }

        /// The problem in the answer; nil if the content type or the members are not those of a problem.
        var problem: Problem? {
            guard type == "application/problem+json" else { return nil }
            let problem = try? JSONDecoder().decode(Problem.self, from: body)
            return problem?.status == status ? problem : nil
        }
    }

    static func test(
        _ sandbox: Sandbox = Sandbox(),
        live: Bool = false,
        _ body: @escaping @Sendable (Router) async throws -> Void
    ) async throws {
        try await sandbox.application { _ in }.test(live ? .live : .router) { client in
            try await body(Router(client, sandbox.faults))
        }
    }

    func ask(
        _ method: Verb,
        _ path: String,
        user: String,
        body: String? = nil
    ) async throws -> Answer {
        try await ask(method, path, authorization: "Bearer sandbox-\(user)", body: body)
    }

    func ask(
        _ method: Verb,
        _ path: String,
        user: String,
        json: [String: Any]
    ) async throws -> Answer {
        let body = try JSONSerialization.data(withJSONObject: json)
        return try await ask(method, path, user: user, body: String(decoding: body, as: UTF8.self))
    }

    func ask(
        _ method: Verb,
        _ path: String,
        authorization: String?,
        body: String? = nil
    ) async throws -> Answer {
        try await ask(method, path, authorization: authorization, bytes: body.map { ByteBuffer(string: $0) })
    }

    func ask(
        _ method: Verb,
        _ path: String,
        authorization: String?,
        type: String = "application/json",
        bytes: ByteBuffer?
    ) async throws -> Answer {
        var headers: HTTPFields = [.contentType: type]
        if let authorization { headers[.authorization] = authorization }
        let body = method == .get ? nil : bytes
        let answer = try await client.execute(uri: path, method: method.method, headers: headers, body: body) {
            Answer(
                status: $0.status.code,
                body: Data($0.body.readableBytesView),
                type: $0.headers[.contentType],
                headers: $0.headers
            )
        }
        if let document = XDocument.shared {
            for violation in document.violations(method.rawValue, path, answer, faults) {
                Issue.record("not as X's document says: \(violation)")
            }
            if let operation = document.operation(method.rawValue, path) {
                seen.withLock { _ = $0[operation.id, default: []].insert(answer.status) }
            }
        }
        return answer
    }
}
