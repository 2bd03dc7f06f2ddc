/// Recognizes the host names and addresses of this machine.
package enum Loopback {
    /// Whether the host of a URL is `localhost`, `::1` or in 127.0.0.0/8.
    ///
    /// An IPv4 address must have all four numbers: resolvers disagree on `127.1` and `0x7f000001`.
    package static func contains(_ host: String) -> Bool {
        var host = Array(host.utf8)
        if host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]") {
            host = Array(host.dropFirst().dropLast())
        }
        if host.elementsEqual("::1".utf8) { return true }
        if host.map({ (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }).elementsEqual("localhost".utf8) { return true }
        let octets = host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return octets.count == 4 && octets[0].elementsEqual("127".utf8) && octets.allSatisfy(isOctet)
    }

    /// Whether the digits are a decimal number from 0 to 255 without leading zeros, which some parsers read as octal.
    private static func isOctet(_ digits: ArraySlice<UInt8>) -> Bool {
        guard (1...3).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
        if digits.count > 1, digits.first == 0x30 { return false }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 255
    }
}
