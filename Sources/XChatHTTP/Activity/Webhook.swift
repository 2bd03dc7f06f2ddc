import Crypto
import Foundation
import XChatEvents

/// The cryptography of a webhook server, as functions for any web framework.
///
/// Both functions take the app's consumer secret. Check the signature over the bytes of the body **as received**,
/// because the same JSON written again can have other bytes. Then decode the body with
/// ``ActivityEvent/init(webhookBody:)``. X delivers some events twice; the ``ActivityEvent/uuid`` is then the same.
public enum Webhook {
    /// The header that carries the signature of a delivery.
    public static let signatureHeader = "x-twitter-webhooks-signature"

    /// Makes the answer to `GET {url}?crc_token=…`, with which X checks that the server knows the secret.
    ///
    /// Anyone can send this request, and the answer is also a valid signature for a body equal to the token. An
    /// attacker could therefore have a forged event signed. So a token gets an answer only if it cannot be a JSON
    /// object: it must consist of letters, digits and `+/=-_.`.
    /// - Parameters:
    ///   - crcToken: The value of `crc_token`, percent-decoded: 1 to 512 characters.
    ///   - consumerSecret: The app's consumer secret; must not be empty.
    /// - Returns: The body to answer with status 200, of type `application/json`.
    /// - Throws: ``APIError`` with ``APIError/Code-swift.struct/invalidArgument`` for any other token, and for an empty
    ///   secret; then answer with status 400.
    public static func crcAnswer(crcToken: String, consumerSecret: String) throws(APIError) -> String {
        let isToken = crcToken.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "+/=-_.".utf8.contains(byte)
        }
        guard isToken, (1...512).contains(crcToken.utf8.count), !consumerSecret.utf8.isEmpty else {
            throw APIError(
                .invalidArgument,
                "crc_token must be 1 to 512 characters (letters, digits, +/=-_.), and the consumer secret must not be empty"
            )
        }
        // Base64 has no character that JSON would escape.
        return #"{"response_token":"\#(signature(of: Array(crcToken.utf8), consumerSecret: consumerSecret))"}"#
    }

    /// Whether the signature of a delivery is X's; compares in constant time.
    ///
    /// - Parameters:
    ///   - signature: The value of ``signatureHeader``; nil if it is missing.
    ///   - body: The bytes of the body as received.
    ///   - consumerSecret: The app's consumer secret. With an empty one no signature is valid, because anyone could
    ///     compute it.
    /// - Returns: Whether the signature is valid. If not, answer 401 or 403 and drop the body.
    public static func isValid(
        signature: String?,
        body: some Collection<UInt8>,
        consumerSecret: String
    ) -> Bool {
        let prefix = "sha256="
        guard let signature, signature.utf8.starts(with: prefix.utf8), !consumerSecret.utf8.isEmpty,
            let code = try? Base64.decode(String(decoding: signature.utf8.dropFirst(prefix.utf8.count), as: UTF8.self))
        else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Array(body), using: key(consumerSecret))
    }

    private static func signature(of message: [UInt8], consumerSecret: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: message, using: key(consumerSecret))
        return "sha256=" + Base64.encode(Array(code))
    }

    private static func key(_ consumerSecret: String) -> SymmetricKey {
        SymmetricKey(data: Array(consumerSecret.utf8))
    }
}
