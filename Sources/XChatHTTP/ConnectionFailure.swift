import AsyncHTTPClient
import Foundation
import NIOCore
import NIOPosix
import NIOSOCKS
import NIOSSL
import XChatEvents

/// The system's words for an error of a socket, such as "Address already in use"; nil for any other error.
package func systemReason(of error: any Error) -> String? {
    (error as? IOError).map { unsafe String(cString: strerror($0.errnoCode)) }
}

/// Describes in words why a connection failed: the host or proxy, and the reason that the system, TLS or the proxy
/// gives.
///
/// The description repeats nothing that a server sent.
struct ConnectionFailure: Sendable {
    /// Host and port of the API.
    let peer: String
    /// Host and port of the proxy; nil for direct connections, and for the caller's own HTTP client, whose proxy is not
    /// known.
    var proxy: String?

    /// Converts an error of the HTTP client.
    ///
    /// - Parameters:
    ///   - error: The error that the HTTP client threw.
    ///   - timeout: The timeout of the call, which the text of a `timed_out` error names.
    /// - Returns: An error with the code `connection`, `timed_out` or `cancelled`.
    func error(_ error: any Error, timeout: Duration) -> APIError {
        switch error {
        case let error as NIOConnectionError: connecting(error)
        case let error as IOError: system(error)
        case ChannelError.connectTimeout: APIError(.timedOut, "no connection to \(place) in time")
        case let error as NIOSSLError: tls(error)
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            noTLS("its certificate is for another host")
        case is SOCKSError.ConnectionFailed: refused("it refuses the connection to \(peer)")
        case is SOCKSError.NoValidAuthenticationMethod:
            refused("it wants a user name and a password, which this client cannot send to a SOCKS proxy")
        case let error as HTTPClientError: client(error, timeout: timeout)
        default: other(error)
        }
    }

    /// The host and the proxy, as an error text names them.
    private var place: String { proxy.map { "\(peer) through the proxy \($0)" } ?? peer }

    private var proxyName: String { proxy.map { "the proxy \($0)" } ?? "the proxy" }

    private func connecting(_ error: NIOConnectionError) -> APIError {
        let host = error.host.utf8.contains(UInt8(ascii: ":")) ? "[\(error.host)]" : error.host
        let target = "\(host):\(error.port)".display()
        var reasons: [String] = []
        for failure in error.connectionErrors {
            let reason = systemReason(of: failure.error) ?? "no answer in time"
            if !reasons.contains(reason) { reasons.append(reason) }
        }
        if reasons.isEmpty {
            let cause = error.dnsAError ?? error.dnsAAAAError
            let text = (cause as? SocketAddressError.UnknownHost).map { ": \($0.errorDescription)" } ?? ""
            reasons = ["the host name cannot be resolved\(text)"]
        }
        let name = target.lowercased() == peer.lowercased() ? target : "the proxy \(target)"
        return APIError(.connection, "no connection to \(name): \(reasons.joined(separator: ", "))")
    }

    private func system(_ error: IOError) -> APIError {
        let isBroken = [ECONNRESET, ECONNABORTED, EPIPE, ENOTCONN].contains(error.errnoCode)
        let what = isBroken ? "the connection to \(place) broke" : "no connection to \(place)"
        return APIError(.connection, "\(what): \(systemReason(of: error) ?? "")")
    }

    private var closed: APIError {
        APIError(.connection, "\(peer) closed the connection before the answer was complete")
    }

    private func refused(_ reason: String) -> APIError {
        APIError(.connection, "no connection through \(proxyName): \(reason)")
    }

    // MARK: TLS

    private func noTLS(_ reason: String) -> APIError {
        APIError(.connection, "no TLS connection to \(place): \(reason)")
    }

    private func tls(_ error: NIOSSLError) -> APIError {
        switch error {
        case .uncleanShutdown: return closed
        case .handshakeFailed(.sslError(let stack)) where stack.contains(.eofDuringHandshake):
            return noTLS("it closed the connection during the handshake")
        case .handshakeFailed(.sslError(let stack)), .handshakeFailed(.unknownError(let stack)):
            guard let reason = stack.lazy.compactMap(Self.reason).first else { return noTLS("the handshake failed") }
            return noTLS(reason == Self.untrusted ? "its certificate is not trusted: \(reason)" : reason)
        case .unableToValidateCertificate, .noCertificateToValidate: return noTLS("its certificate cannot be verified")
        default: return noTLS("the handshake failed")
        }
    }

    private static let untrusted = "CERTIFICATE_VERIFY_FAILED"

    /// BoringSSL's word for the reason: `REASON` in `error:CODE:LIBRARY:FUNCTION:REASON at FILE:LINE`.
    private static func reason(_ error: BoringSSLInternalError) -> String? {
        let parts = "\(error)".split(separator: ":")
        guard let marker = parts.firstIndex(of: "OPENSSL_internal"), marker + 1 < parts.count else { return nil }
        let word = parts[marker + 1].prefix { $0 != " " }
        return word.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
            ? String(word) : nil
    }

    // MARK: The HTTP client

    private func client(_ error: HTTPClientError, timeout: Duration) -> APIError {
        switch error {
        case .deadlineExceeded:
            APIError(.timedOut, "no complete answer from \(place) within \(timeout.inSeconds)")
        case .connectTimeout:
            APIError(.timedOut, "no connection to \(place) in time")
        case .tlsHandshakeTimeout:
            APIError(.timedOut, "no TLS connection to \(place) in time")
        case .httpProxyHandshakeTimeout, .socksHandshakeTimeout:
            APIError(.timedOut, "\(proxyName) opened no connection to \(peer) in time")
        case .cancelled: .cancelled
        case .remoteConnectionClosed: closed
        case .proxyAuthenticationRequired:
            refused("it wants a valid user name and password; check the proxy settings")
        case .invalidProxyResponse: refused("it refuses the connection to \(peer)")
        case .alreadyShutdown: APIError(.connection, "the HTTP client was shut down")
        default: APIError(.connection, "no connection to \(place): \(error.shortDescription.display())")
        }
    }

    private func other(_ error: any Error) -> APIError {
        #if canImport(Network)
            if error is HTTPClient.NWPOSIXError || error is HTTPClient.NWTLSError {
                return APIError(.connection, "no connection to \(place): \("\(error)".display())")
            }
        #endif
        // Only the type is shown: the description of an unknown error may repeat the token.
        return APIError(.connection, "no connection to \(place): \(type(of: error))")
    }
}

extension Duration {
    /// The duration as text, in seconds and tenths of a second.
    var inSeconds: String {
        let (seconds, attoseconds) = components
        let tenths = attoseconds / 100_000_000_000_000_000
        return tenths == 0 ? "\(seconds) seconds" : "\(seconds).\(abs(tenths)) seconds"
    }
}
