import Crypto
import Foundation
import XChatEvents

/// What a server does that X's webhooks talk to, as functions to mount in whatever framework it has.
///
/// Both take the app's consumer secret. Check the signature over the body **as it arrived**, before anything reads it; then
/// ``ActivityEvent/init(webhookBody:)`` reads it. X delivers some events twice.
public enum Webhook {
    /// The header that carries the signature of a delivery.
    public static let signatureHeader = "x-twitter-webhooks-signature"

    /// The answer to `GET {url}?crc_token=…`, by which X checks who holds the URL.
    ///
    /// Anybody may ask, and the answer is the signature of a delivery whose body is the token. So only what cannot be a
    /// body is answered: a token of the characters of base64, which no JSON object is.
    /// - Parameters:
    ///   - crcToken: The value of the query member, percent-decoded.
    ///   - consumerSecret: The app's secret.
    /// - Returns: The body of a 200, `application/json`.
    /// - Throws: ``APIError`` with ``APIError/Code-swift.struct/invalidArgument``: answer 400.
    public static func crcAnswer(crcToken: String, consumerSecret: String) throws(APIError) -> String {
        let isToken = crcToken.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "+/=-_.".utf8.contains(byte)
        }
        guard isToken, (1...512).contains(crcToken.utf8.count), !consumerSecret.utf8.isEmpty else {
            throw APIError(.invalidArgument, "that is no token of a check")
        }
        // Base64 has no character that JSON would escape.
        return #"{"response_token":"\#(signature(of: Array(crcToken.utf8), consumerSecret: consumerSecret))"}"#
    }

    /// Whether X signed a delivery; compared in constant time.
    ///
    /// - Parameters:
    ///   - signature: The value of ``signatureHeader``; nil where it is missing.
    ///   - body: The body as it arrived.
    ///   - consumerSecret: The app's secret; an empty one validates nothing.
    /// - Returns: Whether to go on; if not, answer 401 or 403 and forget the body.
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
