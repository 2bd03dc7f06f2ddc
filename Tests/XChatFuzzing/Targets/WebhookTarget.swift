#if TESTABLE
    import Crypto
    import XChatEvents
    @testable import XChatHTTP

    import struct Foundation.Data
    import class Foundation.JSONDecoder

    /// The first byte says where the header or query ends and the body begins.
    enum WebhookTarget: FuzzTargetImplementation {
        private static let secret = "consumer secret"

        static func run(_ input: [UInt8]) throws {
            var input = FuzzInput(input)
            let header = String(decoding: input.bytes(Int(input.byte())), as: UTF8.self)
            let body = Array(input.rest)

            if Webhook.isValid(signature: header, body: body, consumerSecret: secret) {
                try require(isCode(of: body, in: header), "takes a signature that is not the body's")
            }
            let signature = "sha256=" + Base64.encode(code(of: body))
            try require(
                Webhook.isValid(signature: signature, body: body, consumerSecret: secret),
                "rejects the body's own signature"
            )
            try require(
                !Webhook.isValid(signature: signature, body: body + [0x20], consumerSecret: secret)
                    && !Webhook.isValid(signature: signature, body: body, consumerSecret: ""),
                "takes the signature of another body, or any with an empty secret"
            )
            do {
                let answer = try Webhook.crcAnswer(crcToken: header, consumerSecret: secret)
                let tokens = try? JSONDecoder().decode([String: String].self, from: Data(answer.utf8))
                let expected = ["response_token": "sha256=" + Base64.encode(code(of: Array(header.utf8)))]
                try require(tokens == expected, "a CRC answer is not the token's code")
                let isEvent = (try? ActivityEvent(webhookBody: Array(header.utf8))) != nil
                try require(!isEvent, "answers a CRC token that is also the body of an event")
            } catch let error as APIError {
                try AnswersTarget.check(error)
            }
            do throws(APIError) {
                _ = try ActivityEvent(webhookBody: body)
            } catch {
                try AnswersTarget.check(error)
            }
        }

        private static func code(of body: [UInt8]) -> [UInt8] {
            Array(HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: Array(secret.utf8))))
        }

        private static func isCode(of body: [UInt8], in header: String) -> Bool {
            let text = String(decoding: header.utf8.dropFirst("sha256=".utf8.count), as: UTF8.self)
            return (try? Base64.decode(text)) == code(of: body)
        }

        static func seeds() throws -> [String: [UInt8]] {
            let body = Array(
                #"{"data":{"event_type":"chat.received","payload":{"conversation_id":"1:2","sender_id":"1"}}}"#.utf8
            )
            let signature = Array("sha256=\(Base64.encode(code(of: body)))".utf8)
            let token = Array("Y3JjdG9rZW4".utf8)
            return [
                "signed": [UInt8(signature.count)] + signature + body,
                "crc": [UInt8(token.count)] + token,
            ]
        }

        static var words: [String] { ["sha256=", "data", "event_type", "payload", "chat.received"] }
    }
#endif
