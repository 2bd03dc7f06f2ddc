import LibSodium
import Testing

struct KeyPairTests {
    @Test func `a pair can be taken apart, and its secret key outlives it`() throws {
        let pair = try SealedBox.keyPair()
        let publicKey = pair.publicKey
        let secretKey = pair.secretKey
        let again = try secretKey.withBytes { (secretKey) throws(SodiumError) in
            try ScalarMult.multiplyBase(by: secretKey)
        }
        #expect(again == publicKey)
    }
}
