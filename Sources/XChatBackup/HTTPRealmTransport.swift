import AsyncHTTPClient
import Foundation
import LibSodium
import NIOCore
import NIOHTTP1
import NIOPosix
import XChatHTTP

/// Sends requests with the HTTP clients of the process.
///
/// These clients follow no redirects; otherwise a request with its token could be sent to another host.
enum HTTPRealmTransport {
    /// The maximum length of an answer in bytes; all answers of the protocol are under 700 bytes.
    private static let maximumByteCount = 4096
    /// The protocol version of this client; a realm refuses clients below the version that it requires.
    private static let protocolVersion = "0.3.4"

    static func send(_ request: RealmRequest) async throws -> RealmReply {
        let realm = request.realm
        var message = HTTPClientRequest(url: realm.url)
        message.method = .POST
        message.headers.add(name: "accept", value: "*/*")
        message.headers.add(name: "x-juicebox-version", value: protocolVersion)
        message.headers.add(name: "user-agent", value: "swift-xchat")
        if let token = request.bearer {
            message.headers.add(
                name: "authorization",
                value: "Bearer " + token.withBytes { String(decoding: [UInt8](copying: $0), as: UTF8.self) }
            )
        }
        message.body = .bytes(ByteBuffer(bytes: request.body.published))
        do {
            let client = try HTTPClients.clients(
                scheme: realm.scheme,
                host: realm.host,
                port: realm.port ?? (realm.scheme == "https" ? 443 : 80)
            ).calls
            // An operation that stops waiting cancels the task; this deadline is for a task that is not cancelled.
            let response = try await client.execute(message, deadline: .now() + .seconds(60))
            var body: [UInt8] = []
            for try await part in response.body {
                guard body.count + part.readableBytes <= maximumByteCount else {
                    throw RealmFailure.violation("sent an answer of more than \(maximumByteCount) bytes")
                }
                body.append(contentsOf: part.readableBytesView)
            }
            defer { Sodium.wipe(&body) }
            return RealmReply(status: Int(response.status.code), body: try Secret(copying: body))
        } catch let error as RealmFailure {
            throw error
        } catch let error as APIError {
            throw RealmFailure.notProcessed(error.detail)
        } catch is NIOConnectionError {
            throw RealmFailure.notProcessed("refuses connections")
        } catch let error as IOError where isBeforeRequest(error) {
            throw RealmFailure.notProcessed("refuses connections")
        } catch let error as HTTPClientError where isBeforeRequest(error) {
            throw RealmFailure.notProcessed("cannot be reached (\(error.shortDescription))")
        } catch let error as HTTPClientError {
            throw RealmFailure.unclear("did not answer (\(error.shortDescription))")
        } catch {
            throw RealmFailure.unclear("did not answer (\(type(of: error)))")
        }
    }

    /// Whether the error can only occur before the connection is open; the error of an unreachable host can also occur
    /// later.
    private static func isBeforeRequest(_ error: IOError) -> Bool { error.errnoCode == ECONNREFUSED }

    /// Whether the connection was never open, so that the realm cannot have received the request.
    private static func isBeforeRequest(_ error: HTTPClientError) -> Bool {
        switch error {
        case .connectTimeout, .tlsHandshakeTimeout, .httpProxyHandshakeTimeout, .socksHandshakeTimeout,
            .getConnectionFromPoolTimeout:
            true
        default: false
        }
    }
}
