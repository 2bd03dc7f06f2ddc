package import XChat
package import XChatEngine
import XChatEvents

extension Registration {
    /// The registration payload in X's field names; members that are absent are left out.
    package var json: JSONValue {
        var keys: JSONObject = [
            "identity_public_key_signature": .string(publicKey.identityPublicKeySignature),
            "public_key": .string(publicKey.publicKey),
            "public_key_fingerprint": .string(publicKey.publicKeyFingerprint),
            "registration_method": .string(publicKey.registrationMethod),
            "signing_public_key": .string(publicKey.signingPublicKey),
        ]
        keys["signing_public_key_signature"] = publicKey.signingPublicKeySignature.map(JSONValue.string)
        return ["public_key": .object(keys), "version": .string(version), "generate_version": .bool(generateVersion)]
    }
}

extension SealedMessage {
    /// The body of the request that sends the message.
    package var requestBody: JSONValue {
        [
            "message_id": .string(messageID),
            "encoded_message_create_event": .string(encodedMessageCreateEvent),
            "encoded_message_event_signature": .string(encodedMessageEventSignature),
        ]
    }
}

extension ActionSignature {
    /// One entry of `action_signatures` in the bodies of X's API.
    package var requestMember: JSONValue {
        [
            "message_id": .string(messageID),
            "encoded_message_event_detail": .string(encodedMessageEventDetail),
            "message_event_signature": [
                "signature": .string(signature),
                "public_key_version": .string(publicKeyVersion),
                "signature_version": .string(signatureVersion),
                "signing_public_key": .string(signingPublicKey),
            ],
            "signature_payload": signaturePayload.map { .string($0) } ?? .null,
        ]
    }
}
