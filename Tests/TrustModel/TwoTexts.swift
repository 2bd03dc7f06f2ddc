import XChatEvents

/// One XSalsa20-Poly1305 box that decrypts to two messages under two keys.
///
/// The authenticator does not commit to its key. Both plaintexts are Thrift structures that skip the bytes of the other
/// one as an unknown string; one block that neither message uses makes the two tags equal. The box is a constant,
/// because a search for it takes about 2^16 nonces.
enum TwoTexts {
    /// Decrypts the box to ``first``: the bytes 1 to 32.
    static let firstKey = (1...32).map { UInt8($0) }
    /// Decrypts the box to ``second``: the bytes 101 to 132.
    static let secondKey = (101...132).map { UInt8($0) }
    static let first = "the money goes to me"
    static let second = "the money goes to you"
    static let box = """
        wvRxmKUpJkkaHAJGjUi8wFg9AJoHuEMPmg2As3yP90hjpj3uGBvRzuqymOZIyt2pd8L7bl1qnaOPKSLkhKy4lCXxl2LXbr/2tdtQRZmvFlBLXaVxD1addr\
        prUueV6p0yuztaA8ekesDjvjdtPhKx4mok6DiQC6Ig4dtqDS924FVx20jIPHdkXunHsly/I5E0dkxy+vRmjFEGVynVPFSCA69V8S24mY2aMnYtaOQ4JyOH\
        stDe1sRJYzyWo2FZoUDTXEJjKAupV2TjlMj5
        """

    static func bytes() throws -> [UInt8] { try Base64.decode(box) }
}
