import Crypto
import LibSodium
import Testing
import XChatEvents

@testable import XChatEngine

/// The known answers of the protocol: identity scalar 1, signing scalar 2, conversation key 3, all big-endian.
enum Known {
    static func scalar(_ value: UInt8) -> [UInt8] { Array(repeating: 0, count: 31) + [value] }

    static func privateKeys() throws -> PrivateKeys {
        try PrivateKeys(importing: (scalar(1) + scalar(2)).span)
    }

    static func conversationKey() throws -> ConversationKey {
        try ConversationKey(bytes: scalar(3).span)
    }

    static let binding: WireString =
        "wobsdyzmeTJ2pZ/CY/MHPozwrbu2GpODq1uhFYJzPYeCQqDcWDK729F1i0VfRgkitJf2oDbnBJsYkRvnIMrPbA=="
    static let wrappedKey: WireString = """
        BFghsALbonclGp0Y63LVxyD07+Ahs4ApwBfYcTQIk757I+wS1npThTTfm2L2P/9YZoacBPEl3tHDG76VQOWfI2OznzVrKd2pDd0NrseEzR4a1/u2\
        iRlaUGEEzH6uNUDscMhOWOLjpfQt2swP8iMxRx8=
        """

    struct Signed: Sendable {
        let payload: String
        let signature: WireString
    }

    static let signatures: [Signed] = [
        Signed(
            payload: "MessageDeleteEvent,m-1,1111,1111:2222,2,5,6",
            signature:
                "XxSLmsqZb/GNubc2XWoUTwDtL90VcP+EB7uvfqfC5dR6MPdIhugTCbGm+blevX+QOeqiaI5rvc9vxtlS+LEKXg"
        ),
        Signed(
            payload: "MarkConversationReadEvent,m-1,1111,1111:2222,9,17",
            signature:
                "caPDSmNMOwXyUjzAdZYE2HN24ZPxjaGg1qjvRlx2E3cetmsC5gZAZciiuPnLhfPDkpcyiuWWa0VAOaTsOs3yng"
        ),
        Signed(
            payload:
                "ConversationKeyChangeEvent,k-1,1111,1111:2222,1001,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAM",
            signature:
                "36q7Q68pPQ2IMsMuJSk6E3odXBDV5Lm35UhJ3WurhD2m3lGo5VL5pTHEyUHiEtgAVElV3JwmFsxK6Xd+crX4zw"
        ),
        Signed(
            payload: "GroupChangeEvent.GroupMemberAddChange,m-1,1111,g9,3,1,2,1,T,null,null,1001",
            signature:
                "eebGuO7DGVsNGwyssLok3EiL/Ip2p6qwVMGZ9IYngeFCocw/I6zABcp3IVpEFqfX0PSQX9I2gtDmmF46A9dSwQ"
        ),
        Signed(
            payload: "GroupChangeEvent.GroupMemberAddChange,m-1,1111,g9,3,1,2,1,8,T,null,null,1001",
            signature:
                "oMVjIkP//Bp62z8IvAY/LpeI4N5m7xgEPT0uT9AHnPXL+QSgQnEsfvEQzbxoPnhGXhLbFNifoMblPpGj0e+NJA"
        ),
        Signed(
            payload: "GroupChangeEvent.GroupMemberAddChange,m-1,1111,g9,3,1,2,1,8,T,null,null,1001,false",
            signature:
                "Y5cFFM9HcVwHRI9U8aj/5ZbezTexvmlt+P/jphkbwHs7RSynag6Lzx2/RcuxQVN37XylydkDoyT2AwHzcLgAsQ"
        ),
        Signed(
            payload:
                "GroupChangeEvent.GroupMemberAddChange,m-1,1111,g9,3,1,2,1,T,null,null,1001,false,u,null,null",
            signature:
                "3n1pE8qusyVcWpkNknDnImhblpwQizTlYEMIuXzVbqdkVg2qMRJ5881tw/1fvw5gbIxCECGCdLZdEhyE+G49BQ"
        ),
        Signed(
            payload: "GroupChangeEvent.GroupCreate,m-1,1111,1001,1,2",
            signature:
                "Wkfelz/+cwXu5h2UNFR4G+1GFroaWL9Y23CzwMHfDkliS/XXRWVDanB8HJDlPTXAK4KnV10eC6acmCcCQlpGPg"
        ),
        Signed(
            payload: "GroupChangeEvent.GroupCreate,m-1,1111,1001,1,2,null,T,null",
            signature:
                "XC4BWf7n2aR5H8Jq/xi8T1oHFVYMy7loDwhqajkm1Sj2/agBCuin6A5UhSZKlbyLRBCPXbZhMCb+1mYzKnPVww"
        ),
        Signed(
            payload: "GroupChangeEvent.GroupTitleChange,m-1,1111,g9,1001,",
            signature:
                "z4Att7a1vlMIvR0MWwJZ5c7oMcVjxoSQcC8s55uCtKMXWkYv2wEoSNCmpR+0U1l1ZaR1WESvX7DZYKSD0IhMTw"
        ),
    ]
}

@Suite struct KnownAnswerTests {
    @Test func `the fingerprint of scalar 1`() throws {
        let keys = try Known.privateKeys()
        #expect(keys.identityKey.fingerprint == "XNJS-wzokyQ2-vjM0QQJgbie5K1rn-niorfnGqyyfNM")
    }

    @Test func `the binding signature of scalar 2 over the SPKI of scalar 1`() throws {
        let keys = try Known.privateKeys()
        let signingKey = try #require(keys.signingKey)
        var registered = RegisteredKey(
            userID: "1111",
            publicKeyVersion: "1",
            publicKey: WireString(signingKey.base64),
            identityPublicKey: WireString(keys.identityKey.base64),
            identityPublicKeySignature: Known.binding
        )
        #expect(try VerifiedPublicKey(checking: registered).identityKey == keys.identityKey)
        registered.identityPublicKey = WireString(signingKey.base64)
        #expect { try VerifiedPublicKey(checking: registered) } throws: {
            ($0 as? XChatError)?.code == .invalidKey
        }
    }

    @Test func `the wrapped key with ephemeral scalar 77, in both directions`() throws {
        let keys = try Known.privateKeys()
        let wrapped = try Base64.decode(Known.wrappedKey)
        let key = try keys.keys.unwrap(wrapped)
        #expect(key.isEqual(to: try Known.conversationKey()))

        let ephemeral = try P256.KeyAgreement.PrivateKey(rawRepresentation: Known.scalar(77))
        let recipient = try P256.KeyAgreement.PublicKey(
            x963Representation: keys.identityKey.spki.suffix(65)
        )
        #expect(try ECIES.seal(Known.conversationKey(), to: recipient, ephemeral: ephemeral) == wrapped)
    }

    @Test("a known signature verifies, and only over its own payload", arguments: Known.signatures)
    func signature(_ known: Known.Signed) throws {
        let signingKey = try #require(try Known.privateKeys().signingKey)
        let signature = try Base64.decode(known.signature)
        #expect(signingKey.isValid(signature, over: Array(known.payload.utf8)))
        #expect(!signingKey.isValid(signature, over: Array((known.payload + ",").utf8)))
    }

    @Test func `the signed text of a key change is the payload of the known answer`() throws {
        let event = MessageEvent(
            messageID: "k-1",
            senderID: "1111",
            conversationID: "1111:2222",
            detail: .conversationKeyChangeEvent(
                ConversationKeyChangeEvent(conversationKeyVersion: "1001", conversationParticipantKeys: [])
            )
        )
        let payload = try SignedPayload(of: event, version: .current)
        let text = try payload.withText(conversationKey: Known.conversationKey()) {
            (text) throws(XChatError) in
            text.indices.map { text[$0] }
        }
        #expect(String(decoding: text, as: UTF8.self) == Known.signatures[2].payload)
    }

    @Test func `the sealed text of the known answer opens to the known plaintext`() throws {
        let box = try Base64.decode(
            "JCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQklAiz7xMKVx88Ro3H3F+Jj/QWw/ahba7DJvfniAXFQKqSvQ=="
                as WireString
        )
        let plaintext = try Known.conversationKey().withBytes { key throws(SodiumError) in
            try SecretBox.open(box.span, key: key)
        }
        #expect(plaintext == hex("0c00010c00010b0001000000026869000000"))
        let holder = try MessageEntryHolder(decoding: plaintext)
        #expect(holder.contents == .message(MessageContents(messageText: "hi")))
    }
}
