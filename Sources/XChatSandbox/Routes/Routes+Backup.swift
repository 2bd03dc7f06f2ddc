import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import XChatBackup
import XChatEvents

extension Routes {
    /// The number of wrong PINs in a row that locks a backup.
    private static let guesses: Int64 = 20

    func addBackup(to router: Router<SandboxContext>) {
        router.post("/realms/{realm}/req") { request, context in
            let name = context.parameters.get("realm") ?? ""
            guard let id = RealmID(name), let realm = state.backupRealms.first(where: { $0.id == id }) else {
                throw Problem.notFound("No such realm.", resourceType: "realm")
            }
            // The oldest versions that Juicebox's own realms accept: 0.2 in software realms, 0.3 in hardware realms.
            guard try Self.speaksProtocol(request.headers, isHardware: realm.publicKey != nil) else {
                return Response(status: .init(code: 426))
            }
            let body = try await Secret(copying: Array(request.wholeBody(limit: 4096)))
            let (status, answer) = try await realm.answer(body, token: request.bearerToken)
            return Response(
                status: .init(code: status),
                headers: [.contentType: "application/octet-stream"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.published))
            )
        }
    }

    private static func speaksProtocol(_ headers: HTTPFields, isHardware: Bool) -> Bool {
        guard let name = HTTPField.Name("x-juicebox-version"), let version = headers[name] else { return false }
        let numbers = version.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .map { Int(String(decoding: $0, as: UTF8.self)) }
        guard numbers.count == 3, let major = numbers[0], let minor = numbers[1] else { return false }
        return (major, minor) >= (0, isHardware ? 3 : 2)
    }

    /// The configuration of the backup for a version of the user's keys, in the format of X's API.
    ///
    /// - Parameters:
    ///   - user: The user. Send the configuration only to this user: it contains tokens.
    ///   - version: The version of the keys.
    ///   - authority: Host and port at which the client reached the server.
    /// - Returns: The member `juicebox_config`.
    /// - Throws: An error if a realm's key cannot be used.
    func backupConfiguration(of user: UserID, version: KeyVersion, authority: String) throws -> JSON {
        let token = BackupToken(user: user, version: version).text
        let realms = try state.backupRealms.map { realm in
            (
                id: realm.id.description,
                address: "http://\(authority)/realms/\(realm.id)/",
                publicKey: try realm.publicKey.map { JSON.string($0.map(Self.hexadecimal).joined()) }
            )
        }
        let inner = JSON.object([
            "realms": .list(
                realms.map {
                    .members(["id": .string($0.id), "address": .string($0.address), "public_key": $0.publicKey])
                }
            ),
            "register_threshold": .integer(Int64(realms.count)),
            "recover_threshold": .integer(Int64(realms.count / 2 + 1)),
            "pin_hashing_mode": "Standard2019",
        ])
        return .object([
            "key_store_token_map_json": .string(String(decoding: try inner.text(), as: UTF8.self)),
            "max_guess_count": .integer(Self.guesses),
            "token_map": .list(
                realms.map {
                    .object([
                        "key": .string($0.id),
                        "value": .members([
                            "address": .string($0.address), "token": .string(token), "public_key": $0.publicKey,
                        ]),
                    ])
                }
            ),
        ])
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
