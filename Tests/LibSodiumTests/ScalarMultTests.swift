import LibSodium
import Testing

struct ScalarMultTests {
    // RFC 7748 section 6.1.
    private let aliceSecret = [UInt8](hex: "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    private let alicePublic = [UInt8](hex: "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
    private let bobSecret = [UInt8](hex: "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
    private let bobPublic = [UInt8](hex: "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
    private let shared = [UInt8](hex: "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")

    @Test func `the pairs of RFC 7748 lead to its shared point`() throws {
        #expect(try ScalarMult.multiplyBase(by: aliceSecret.span) == alicePublic)
        #expect(try ScalarMult.multiplyBase(by: bobSecret.span) == bobPublic)
        let alice = try ScalarMult.multiply(bobPublic.span, by: aliceSecret.span)
        let bob = try ScalarMult.multiply(alicePublic.span, by: bobSecret.span)
        #expect([UInt8](alice) == shared)
        #expect([UInt8](bob) == shared)
    }

    @Test func `points of low order are refused`() {
        for point in LowOrder.x25519 {
            let error = refusal { () throws(SodiumError) in
                _ = try ScalarMult.multiply(point.span, by: aliceSecret.span)
            }
            #expect(error?.code == .weakPoint)
        }
    }

    @Test(arguments: lengths(otherThan: 32))
    func `points and scalars of another length are refused`(count: Int) {
        let refusals = [
            refusal { () throws(SodiumError) in _ = try ScalarMult.multiply(zeros(count).span, by: aliceSecret.span) },
            refusal { () throws(SodiumError) in _ = try ScalarMult.multiply(bobPublic.span, by: zeros(count).span) },
            refusal { () throws(SodiumError) in _ = try ScalarMult.multiplyBase(by: zeros(count).span) },
        ]
        #expect(refusals.map { $0?.what } == ["point", "scalar", "scalar"])
        #expect(refusals.allSatisfy { $0?.code == .wrongLength && $0?.expected == 32 && $0?.actual == count })
    }
}
