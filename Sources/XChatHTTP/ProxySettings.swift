import AsyncHTTPClient
import Foundation
import NIOCore
import XChatEvents

/// The proxy variables of the environment, read in the order of curl: `https_proxy` before `HTTPS_PROXY`, then
/// `all_proxy` before `ALL_PROXY`; and `no_proxy` before `NO_PROXY`.
///
/// Plain http never uses a proxy: it is allowed only to this machine, and a proxy would see the token. So `HTTP_PROXY`
/// is not read, and this machine needs no entry in `NO_PROXY`.
struct ProxySettings: Sendable {
    private typealias Variable = (name: String, text: String)

    private let proxy: Variable?
    private let exceptions: Variable?

    init(_ environment: [String: String]) {
        func variable(_ names: [String]) -> Variable? {
            names.lazy.compactMap { name in environment[name].map { (name, $0) } }.first { !$0.1.utf8.isEmpty }
        }
        proxy = variable(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
        exceptions = variable(["no_proxy", "NO_PROXY"])
    }

    /// The proxy for a host.
    ///
    /// - Parameters:
    ///   - scheme: The scheme of the URL, in lower case.
    ///   - host: The host, an IPv6 address with or without brackets.
    ///   - port: The port.
    /// - Returns: The proxy; nil to connect directly.
    /// - Throws: `invalid_argument` for a malformed variable. The text does not repeat the proxy, since it may contain
    ///   a password.
    func proxy(scheme: String, host: String, port: Int) throws(APIError) -> HTTPClient.Configuration.Proxy? {
        guard let proxy, scheme == "https", !Loopback.contains(host) else { return nil }
        if let exceptions {
            let host = Host(host)
            for entry in exceptions.text.utf8.split(whereSeparator: { [0x2C, 0x20, 0x09, 0x0A, 0x0D].contains($0) }) {
                let entry = String(decoding: Array(entry), as: UTF8.self)
                guard let exception = ProxyException(entry) else {
                    throw APIError(
                        .invalidArgument,
                        "the variable \(exceptions.name) has the entry \(quoted(entry)), which is not a host, a domain, an "
                            + "address or a network such as 10.0.0.0/8, with a port if needed; correct or remove it"
                    )
                }
                if exception.contains(host, port: port) { return nil }
            }
        }
        return try Self.parse(proxy)
    }

    private static func parse(_ variable: Variable) throws(APIError) -> HTTPClient.Configuration.Proxy {
        func invalid(_ rule: String) -> APIError {
            APIError(.invalidArgument, "the variable \(variable.name) is not a usable proxy: \(rule)")
        }
        let form = "it must be http://host:port or socks5://host:port"
        // Before any parser reads the URL, reject characters on which parsers disagree about the host.
        let bytes = variable.text.utf8
        guard bytes.allSatisfy({ (0x21...0x7E).contains($0) && !#"\?#"#.utf8.contains($0) }),
            bytes.count(where: { $0 == UInt8(ascii: "@") }) <= 1
        else { throw invalid(form) }
        let text = variable.text.contains("://") ? variable.text : "http://" + variable.text
        guard let components = URLComponents(string: text), let scheme = components.scheme?.lowercased(),
            let host = components.host, !host.isEmpty, (1...65535).contains(components.port ?? 1),
            components.path.isEmpty || components.path == "/", !text.hasSuffix(":"), !text.hasSuffix(":/")
        else { throw invalid(form) }
        let server = Host(host).text
        switch scheme {
        case "http":
            var authorization: HTTPClient.Authorization?
            if let user = components.user {
                let password = components.password ?? ""
                // A colon separates user name and password, and a line break would start another header.
                guard !user.utf8.contains(UInt8(ascii: ":")),
                    (user + password).utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
                else {
                    throw invalid("its user name must have no colon, and user name and password no control characters")
                }
                authorization = .basic(username: user, password: password)
            }
            return .server(host: server, port: components.port ?? 80, authorization: authorization)
        case "socks5", "socks5h":
            guard components.user == nil else {
                throw invalid("a user name for a SOCKS proxy is not supported; remove it, or use an HTTP proxy")
            }
            return .socksServer(host: server, port: components.port ?? 1080)
        case "https":
            throw invalid("a connection to the proxy over TLS is not supported; \(form)")
        default:
            throw invalid(form)
        }
    }
}

/// A host in the form in which proxy settings compare it: its address, or its name in lower case without a dot at the
/// end.
private struct Host {
    let text: String
    let address: [UInt8]?

    init(_ host: some StringProtocol) {
        var bytes = Array(host.utf8)
        if bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]") {
            bytes = Array(bytes.dropFirst().dropLast())
        }
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        text = String(decoding: bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
        address = Self.address(text)
    }

    /// The 4 or 16 bytes of an IP address; nil if the text is not one.
    static func address(_ text: String) -> [UInt8]? {
        switch try? SocketAddress(ipAddress: text, port: 0) {
        case .v4(let address): unsafe withUnsafeBytes(of: address.address.sin_addr) { unsafe Array($0) }
        case .v6(let address): unsafe withUnsafeBytes(of: address.address.sin6_addr) { unsafe Array($0) }
        default: nil
        }
    }
}

/// An entry of `NO_PROXY`: `*`, a host, a domain with or without a leading dot, an address, or a network as an address
/// with a prefix length.
///
/// All except `*` may have a port.
private struct ProxyException {
    private enum Pattern {
        case all
        case domain(String)
        case network([UInt8], prefix: Int)
    }

    private let pattern: Pattern
    private let port: Int?

    init?(_ entry: String) {
        guard entry != "*" else {
            (pattern, port) = (.all, nil)
            return
        }
        var (name, port) = (entry[...], Int?.none)
        // A port ends the entry; the colons of an IPv6 address without brackets are not ports.
        if let colon = entry.lastIndex(of: ":"), entry.utf8.count(where: { $0 == 0x3A }) == 1 || entry.contains("]:") {
            guard let number = Self.number(entry[entry.index(after: colon)...], 1...65535) else { return nil }
            (name, port) = (entry[..<colon], number)
        }
        self.port = port
        let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 {
            guard let address = Host(parts[0]).address, let prefix = Self.number(parts[1], 0...(address.count * 8))
            else {
                return nil
            }
            pattern = .network(address, prefix: prefix)
        } else {
            // Some programs write *.x.com where curl writes .x.com.
            let host = Host(name.utf8.starts(with: "*.".utf8) ? name.dropFirst(2) : name.drop { $0 == "." })
            guard host.address != nil || host.text.utf8.allSatisfy(Self.isNameByte) else { return nil }
            pattern = host.address.map { .network($0, prefix: $0.count * 8) } ?? .domain(host.text)
        }
    }

    private static func number(_ text: Substring, _ range: ClosedRange<Int>) -> Int? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(text), range.contains(number)
        else { return nil }
        return number
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D || byte == 0x2E || byte == 0x5F
            || byte >= 0x80
    }

    /// Whether the entry matches a host and a port.
    func contains(_ host: Host, port: Int) -> Bool {
        guard self.port ?? port == port else { return false }
        switch pattern {
        case .all: return true
        case .domain(let domain):
            guard host.address == nil, !domain.utf8.isEmpty else { return false }
            let (name, domain) = (Array(host.text.utf8), Array(domain.utf8))
            return name == domain
                || name.count > domain.count && name.suffix(domain.count) == domain[...]
                    && name[name.count - domain.count - 1] == UInt8(ascii: ".")
        case .network(let network, let prefix):
            guard let address = host.address, address.count == network.count else { return false }
            let (whole, rest) = prefix.quotientAndRemainder(dividingBy: 8)
            guard address.prefix(whole) == network.prefix(whole) else { return false }
            return rest == 0 || (address[whole] ^ network[whole]) >> (8 - rest) == 0
        }
    }
}
