"""X's own SDK, chatxdk, measured: one JSON object of nanoseconds an operation on stdout.

The operations are those of `xchat bench` with the same names. What `decrypt_event` is given is what a client has: the
base64 of the event, the conversation key and the signing keys of both participants.

With `sizes SECONDS BYTES …` only sealing and opening are measured, for texts of these lengths: {"seal": {"32": …}, "open": …}.
"""

import base64
import json
import struct
import sys
import time

import chat_xdk

CONVERSATION = "1111:2222"
GATE = 2_070_276_095_283_454_002  # from this sequence id on the SDK verifies key changes


def string(field, text):
    data = text.encode()
    return struct.pack(">bhi", 11, field, len(data)) + data


def event(payload, sequence_id):
    """The MessageEvent in which the server hands out what was posted to it."""
    detail = b"\x0c\x00\x01" + base64.b64decode(payload.encrypted_content) + b"\x00"
    return base64.b64encode(
        string(1, str(sequence_id))
        + string(2, payload.message_id)
        + string(3, "1111")
        + string(4, CONVERSATION)
        + string(6, "1782000000000")
        + b"\x0c\x00\x07" + detail
        + b"\x0c\x00\x09" + base64.b64decode(payload.encoded_event_signature)
        + b"\x00"
    ).decode()


def person(user):
    chat = chat_xdk.Chat()
    keys = chat.generate_keypairs().public_key
    chat.set_identity(user, "1")
    return chat, {
        "user_id": user,
        "public_key_version": "1",
        "public_key": keys.signing_public_key,
        "identity_public_key": keys.public_key,
        "identity_public_key_signature": keys.identity_public_key_signature,
    }


def median_ns(operation, seconds):
    operation()
    samples = []
    end = time.perf_counter() + seconds
    while not samples or time.perf_counter() < end:
        start = time.perf_counter_ns()
        operation()
        samples.append(time.perf_counter_ns() - start)
    samples.sort()
    return samples[len(samples) // 2]


def sizes(seconds, counts):
    alice, alice_keys = person("1111")
    bob, bob_keys = person("2222")
    signing_keys = [alice_keys, bob_keys]
    key = bytes(range(32))
    version = "1001"
    results = {"seal": {}, "open": {}}
    for count in counts:
        text = "x" * count

        def seal():
            return alice.encrypt_message(CONVERSATION, text, conversation_key=key, conversation_key_version=version)

        def open_event():
            return bob.decrypt_event(line, {version: key}, signing_keys)

        line = event(seal(), GATE + 1)
        assert open_event()["verified"]
        results["seal"][str(count)] = median_ns(seal, seconds)
        results["open"][str(count)] = median_ns(open_event, seconds)
    json.dump(results, sys.stdout)


def main():
    if sys.argv[1:2] == ["sizes"]:
        return sizes(float(sys.argv[2]), [int(count) for count in sys.argv[3:]])
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    alice, alice_keys = person("1111")
    bob, bob_keys = person("2222")
    signing_keys = [alice_keys, bob_keys]
    key = bytes(range(32))
    version = "1001"

    def seal(text):
        return alice.encrypt_message(
            CONVERSATION, text, conversation_key=key, conversation_key_version=version
        )

    results = {}
    for name, count in (("seal_text_32", 32), ("seal_text_1k", 1024), ("seal_text_10k", 10_240)):
        text = "x" * count
        results[name] = median_ns(lambda: seal(text), seconds)

    line = event(seal("x" * 1024), GATE + 1)
    opened = bob.decrypt_event(line, {version: key}, signing_keys)
    assert opened["verified"], opened
    results["open_text_1k"] = median_ns(
        lambda: bob.decrypt_event(line, {version: key}, signing_keys), seconds
    )

    members = []
    for number in range(100):
        if number == 0:
            keys = alice_keys
        else:
            keys = person(str(10_000 + number))[1]
        members.append(
            {"user_id": keys["user_id"], "public_key": keys["identity_public_key"], "key_version": "1"}
        )
    results["key_change_100"] = median_ns(
        lambda: alice.prepare_conversation_key_change(members, conversation_id="g1000"), seconds
    )

    # The batch takes its conversation key from the key change in front of it, as its API wants it.
    prepared = alice.prepare_conversation_key_change(
        [
            {"user_id": keys["user_id"], "public_key": keys["identity_public_key"], "key_version": "1"}
            for keys in signing_keys
        ],
        conversation_id=CONVERSATION,
    )
    action = prepared["action_signatures"][0]
    signature = string(1, action["signature"]) + string(2, "1") + string(3, action["signature_version"]) + b"\x00"
    change = base64.b64encode(
        string(1, str(GATE + 1))
        + string(2, action["message_id"])
        + string(3, "1111")
        + string(4, CONVERSATION)
        + b"\x0c\x00\x07" + base64.b64decode(action["encoded_message_event_detail"])
        + b"\x0c\x00\x09" + signature
        + b"\x00"
    ).decode()
    text = "x" * 200
    events = [change]
    for number in range(10_000):
        payload = alice.encrypt_message(
            CONVERSATION,
            text,
            conversation_key=prepared["conversation_key"],
            conversation_key_version=prepared["conversation_key_version"],
        )
        events.append(event(payload, GATE + 2 + number))
    batch = bob.decrypt_events(events, signing_keys)
    assert len(batch["messages"]) == len(events) and not batch["errors"], list(batch["errors"].items())[:1]
    results["batch_open_10k"] = median_ns(lambda: bob.decrypt_events(events, signing_keys), seconds)

    # The same file in the same pushes as `xchat bench`.
    plaintext = b"x" * (1 << 20)
    stream = alice.encrypt_stream(plaintext, key)
    for suffix, push in (("", 1 << 20), ("_64k", 64 << 10), ("_1k", 1 << 10)):
        pieces = [plaintext[start:start + push] for start in range(0, len(plaintext), push)]
        frames = [stream[start:start + push] for start in range(0, len(stream), push)]

        def encrypt():
            encryptor = alice.stream_encryptor(key)
            for piece in pieces:
                encryptor.push(piece)
            encryptor.finish()

        def decrypt():
            decryptor = alice.stream_decryptor(key)
            for piece in frames:
                decryptor.push(piece)
            decryptor.finish()

        results["stream_seal" + suffix] = median_ns(encrypt, seconds)
        results["stream_open" + suffix] = median_ns(decrypt, seconds)
    json.dump(results, sys.stdout)


main()
