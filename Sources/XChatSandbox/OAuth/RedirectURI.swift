import XChatEvents
import XChatHTTP

/// The URI to which the browser takes the answer to an authorization request.
///
/// X accepts only the URIs that an app has registered. The sandbox has no registered apps, so every app may use any
/// URI on this machine.
struct RedirectURI: Hashable, Sendable {
    let text: WireString
    /// The scheme in lower case.
    let scheme: String

    private static let maximumBytes = 2000
    private static let webSchemes: Set = ["http", "https"]
    /// Schemes that a browser handles itself, instead of passing the URI to an app.
    private static let forbidden: Set = ["about", "blob", "data", "file", "filesystem", "javascript", "vbscript"]

    /// Checks a URI.
    ///
    /// - Returns: Nil unless the URI is printable ASCII without a fragment, and is http or https with a loopback host
    ///   or has another scheme that is not forbidden.
    init?(_ text: WireString) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.maximumBytes,
            bytes.allSatisfy({ (0x21...0x7E).contains($0) && !#"#"<>\^`{|}"#.utf8.contains($0) }),
            let colon = bytes.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        let scheme = String(
            decoding: bytes[..<colon].map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 },
            as: UTF8.self
        )
        guard let first = scheme.utf8.first, (0x61...0x7A).contains(first),
            scheme.utf8.allSatisfy({
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || "+-.".utf8.contains($0)
            }),
            !Self.forbidden.contains(scheme)
        else { return nil }
        if Self.webSchemes.contains(scheme) {
            guard bytes[colon...].starts(with: "://".utf8) else { return nil }
            let authority = bytes[(colon + 3)...].prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
            guard Loopback.containsHost(ofAuthority: authority) else { return nil }
        }
        self.text = text
        self.scheme = scheme
    }

    /// Whether the URI is http or https, and so on this machine; any other one starts a program that handles its
    /// scheme.
    var isLoopback: Bool { Self.webSchemes.contains(scheme) }

    /// The URI with parameters added to its query.
    func adding(_ parameters: [(name: String, value: WireString)]) -> String {
        let query = parameters.map { "\($0.name)=\(Form.encoded($0.value))" }.joined(separator: "&")
        return text.string + (text.utf8.contains(UInt8(ascii: "?")) ? "&" : "?") + query
    }
}

extension Loopback {
    /// Whether an authority is a loopback host with or without a port.
    ///
    /// False if it contains a user name.
    static func containsHost(ofAuthority authority: some Collection<UInt8>) -> Bool {
        var host = Array(authority)
        let digits = host.reversed().prefix { (0x30...0x39).contains($0) }
        if digits.count < host.count, host[host.count - digits.count - 1] == UInt8(ascii: ":"),
            host.last != UInt8(ascii: ":"),
            host.first != UInt8(ascii: "[") || host.dropLast(digits.count + 1).last == UInt8(ascii: "]")
        {
            guard let port = Int(String(decoding: digits.reversed(), as: UTF8.self)), (1...65535).contains(port) else {
                return false
            }
            host.removeLast(digits.count + 1)
        }
        // An IPv6 address needs brackets: otherwise its colons could mark a port.
        guard host.first == UInt8(ascii: "[") || !host.contains(UInt8(ascii: ":")) else { return false }
        return contains(String(decoding: host, as: UTF8.self))
    }
}
