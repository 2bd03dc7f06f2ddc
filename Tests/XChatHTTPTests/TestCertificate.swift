import AsyncHTTPClient
import NIOCore
import NIOSSL

@testable import XChatHTTP

/// A certificate for `api.x.test` that only these tests trust, valid until 2126.
///
/// Made with `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj
/// /CN=api.x.test -addext subjectAltName=DNS:api.x.test`.
enum TestCertificate {
    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBmTCCAT6gAwIBAgIUPvpmhRyCnSQtAPDmgNp+eqgXJZAwCgYIKoZIzj0EAwIw
        FTETMBEGA1UEAwwKYXBpLngudGVzdDAgFw0yNjExMjcyMDMxMTBaGA8yMTI2MTEw
        MzIwMzExMFowFTETMBEGA1UEAwwKYXBpLngudGVzdDBZMBMGByqGSM49AgEGCCqG
        SM49AwEHA0IABFiTUyrb+pqC7mSM7ovkkQ6kib/NQRYcPLWfCiQG5QZL0dk63MnR
        HSNARAsnWm96d2KC7Prm4vOttaOX9H4hd9ajajBoMB0GA1UdDgQWBBQdfFk0GHz3
        AwMI091W6Vq0E98SQjAfBgNVHSMEGDAWgBQdfFk0GHz3AwMI091W6Vq0E98SQjAV
        BgNVHREEDjAMggphcGkueC50ZXN0MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0E
        AwIDSQAwRgIhAIUIrSjvd4cRwf6YG4XofGM0tAwKdKRxj22suMk1F15xAiEAvH4C
        ho2CyMicLqPtjjXWJxmQJ2+rmA7ePHiFfRJDb3Y=
        -----END CERTIFICATE-----
        """
    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgH5BrTLFsUgxBOI3l
        Q06sR78ofDjVe4OJaP1jsO94x3OhRANCAARYk1Mq2/qagu5kjO6L5JEOpIm/zUEW
        HDy1nwokBuUGS9HZOtzJ0R0jQEQLJ1pvendiguz65uLzrbWjl/R+IXfW
        -----END PRIVATE KEY-----
        """

    private static func parsed() throws -> NIOSSLCertificate {
        try NIOSSLCertificate(bytes: Array(certificate.utf8), format: .pem)
    }

    /// A handler that makes a connection of a server speak TLS.
    @Sendable static func server() throws -> any ChannelHandler {
        let configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(try parsed())],
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem))
        )
        return NIOSSLServerHandler(context: try NIOSSLContext(configuration: configuration))
    }

    /// The configuration of our own clients, which trusts this certificate alone.
    static func trusting(_ proxy: HTTPClient.Configuration.Proxy? = nil) throws -> HTTPClient.Configuration {
        var configuration = HTTPClients.configuration(proxy)
        configuration.tlsConfiguration = .makeClientConfiguration()
        configuration.tlsConfiguration?.trustRoots = .certificates([try parsed()])
        return configuration
    }
}
