import LibSodium
import Testing

struct SHA512Tests {
    // FIPS 180-4 examples of NIST: one block, no bytes, two blocks.
    @Test(arguments: [
        (
            "abc",
            """
            ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e\
            2a9ac94fa54ca49f
            """
        ),
        (
            "",
            """
            cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81\
            a538327af927da3e
            """
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            """
            8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd2654\
            5e96e55b874be909
            """
        ),
    ])
    func `the examples of FIPS 180 come out`(message: String, digest: String) throws {
        let hash = try SHA512.hash(Array(message.utf8).span)
        #expect([UInt8](hash) == [UInt8](hex: digest))
    }
}
