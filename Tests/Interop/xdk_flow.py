"""X's own client of its API, xdk, and X's own engine, chatxdk, with a server that has that API.

Reads one JSON request per line and writes one JSON answer, like peer.py; requests call the methods of Bot below. If the
path of X's OpenAPI document is given, every answer of the server is checked against it.
"""

import base64
import hashlib
import json
import os
import re
import sys
import threading
from urllib.parse import parse_qs, urlparse

import chat_xdk
import jsonschema
import requests
from xdk import Client
from xdk.activity.models import CreateSubscriptionRequest, UpdateSubscriptionRequest
from xdk.chat import models
from xdk.oauth2_auth import OAuth2PKCEAuth
from xdk.streaming import StreamConfig

import peer

SEGMENT = 1024 * 1024

# Without this setting oauthlib refuses http, also for the loopback address.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"


class Document:
    """X's OpenAPI document, and the statuses that each of its operations answered."""

    def __init__(self, path):
        self.answers = {}
        self.document = json.load(open(path)) if path else None
        self.patterns = []
        for template in (self.document or {"paths": {}})["paths"]:
            pattern = re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(template))
            # Paths with fewer parameters are tried first.
            self.patterns.append((template.count("{"), template, re.compile(pattern + "$")))
        self.patterns.sort(key=lambda entry: entry[:2])

    def schema(self, method, path, status, content_type):
        template = next(t for _, t, p in self.patterns if p.match(path))
        operation = self.document["paths"][template][method.lower()]
        response = operation["responses"].get(str(status), operation["responses"]["default"])
        return operation["operationId"], response["content"][content_type]["schema"]

    def validate(self, schema, value):
        root = {"components": self.document["components"], "allOf": [schema]}
        jsonschema.Draft4Validator(root, format_checker=jsonschema.FormatChecker()).validate(value)

    def check(self, response, *args, **kwargs):
        request = response.request
        path = request.path_url.split("?")[0]
        if not self.document:
            return
        content_type = response.headers["Content-Type"]
        operation, schema = self.schema(request.method, path, response.status_code, content_type)
        if content_type != "application/octet-stream" and not path.endswith("/stream"):
            try:
                self.validate(schema, response.json())
            except jsonschema.ValidationError as error:
                raise AssertionError(f"{operation} {response.status_code}: {error.message}") from None
        for name in ("limit", "remaining", "reset"):
            assert response.headers[f"x-rate-limit-{name}"].isdigit(), f"{operation}: x-rate-limit-{name}"
        statuses = self.answers.setdefault(operation, [])
        if response.status_code not in statuses:
            statuses.append(response.status_code)


class Bot:
    """A user with keys, made as in X's getting-started guide."""

    def connect(self, url, user, document=None):
        self.url, self.user = url, user
        self.document = document if isinstance(document, Document) else Document(document)
        self.client = Client(base_url=url, access_token=f"sandbox-{user}")
        self.app = Client(base_url=url, bearer_token="sandbox-app")
        for client in (self.client, self.app):
            client.session.hooks["response"].append(self.document.check)
        self.chat = chat_xdk.Chat()
        self.keys = {}
        return self

    # Keys

    def register(self):
        registration = self.chat.generate_keypairs()
        public = registration.public_key
        body = models.AddUserPublicKeyRequest(
            public_key={
                name: getattr(public, name)
                for name in (
                    "public_key",
                    "signing_public_key",
                    "identity_public_key_signature",
                    "signing_public_key_signature",
                    "public_key_fingerprint",
                    "registration_method",
                )
            },
            version=registration.version or "1",
            generate_version=registration.generate_version,
        )
        self.version = self.client.chat.add_user_public_key(self.user, body).data.public_key_version
        self.chat.set_identity(self.user, self.version)
        return self.version

    def served(self, users):
        return {user: self.client.users.get_public_key(user).data for user in users}

    def public_keys(self, users):
        return [
            {"user_id": user, "public_key": key.public_key, "key_version": key.public_key_version}
            for user, keys in self.served(users).items()
            for key in keys
        ]

    def signing_keys(self, users):
        return [
            {
                "user_id": user,
                "public_key_version": key.public_key_version,
                "public_key": key.signing_public_key,
                "identity_public_key": key.public_key,
                "identity_public_key_signature": key.identity_public_key_signature,
            }
            for user, keys in self.served(users).items()
            for key in keys
        ]

    # Conversations

    def actions(self, prepared):
        return [
            {
                "message_id": action["message_id"],
                "encoded_message_event_detail": action["encoded_message_event_detail"],
                "message_event_signature": {
                    name: action[name] for name in ("signature", "signature_version", "public_key_version")
                },
                **({"signature_payload": action["signature_payload"]} if "signature_payload" in action else {}),
            }
            for action in prepared["action_signatures"]
        ]

    def participants(self, prepared):
        return [
            {
                "user_id": key["user_id"],
                "encrypted_conversation_key": key["encrypted_key"],
                "public_key_version": key["public_key_version"],
            }
            for key in prepared["participant_keys"]
        ]

    def keep(self, conversation, prepared):
        self.keys[conversation] = (prepared["conversation_key"], prepared["conversation_key_version"])

    def signed_id(self, conversation):
        """The conversation id in the form that events have, with a colon."""
        return conversation.replace("-", ":")

    def start(self, other):
        """Starts a conversation of two, or changes its key."""
        pair = ":".join(sorted((self.user, other), key=int))
        prepared = self.chat.prepare_conversation_key_change(
            self.public_keys([self.user, other]), conversation_id=pair
        )
        body = models.AddConversationKeysRequest(
            conversation_key_version=prepared["conversation_key_version"],
            conversation_participant_keys=self.participants(prepared),
            action_signatures=self.actions(prepared),
        )
        conversation = self.client.chat.add_conversation_keys(other, body).data.conversation_id
        self.keep(conversation, prepared)
        return conversation

    def send(self, conversation, text, attachments=None):
        key, version = self.keys[conversation]
        payload = self.chat.encrypt_message(
            self.signed_id(conversation),
            text,
            conversation_key=key,
            conversation_key_version=version,
            attachments=attachments,
        )
        body = models.SendMessageRequest(
            message_id=payload.message_id,
            encoded_message_create_event=payload.encrypted_content,
            encoded_message_event_signature=payload.encoded_event_signature,
        )
        first = self.client.chat.send_message(conversation, body).data.encoded_message_event
        # A retry with the same body has the same answer.
        assert self.client.chat.send_message(conversation, body).data.encoded_message_event == first
        return payload.message_id

    def read(self, conversation, people, is_late=False, page=3):
        """All events that can be read, oldest first, with the newest key kept.

        A user who joined a group later (is_late) has no key for the earlier events.
        """
        events, key_events = [], []
        for answer in self.client.chat.get_conversation_events(conversation, max_results=page):
            events += [event.encoded_event for event in answer.data]
            key_events = answer.meta.conversation_key_events or key_events
        result = self.chat.decrypt_events(key_events + events[::-1], self.signing_keys(people))
        assert is_late or not result["errors"], result["errors"]
        keys = result["conversation_keys"]["keys"]
        newest = max(keys, key=int)
        self.keys[conversation] = (keys[newest], newest)
        return [entry["event"] for entry in result["messages"]]

    def texts(self, conversation, people, is_late=False):
        """The verified texts, oldest first."""
        events = [event for event in self.read(conversation, people, is_late) if event["type"] == "Message"]
        assert all(event["verified"] for event in events)
        return [event["content"]["text"] for event in events]

    # Media

    def upload(self, conversation, plaintext):
        key, _ = self.keys[conversation]
        blob = self.chat.encrypt_stream(plaintext, key)
        media = self.client.chat
        begun = media.media_upload_initialize(
            models.MediaUploadInitializeRequest(
                conversation_id=self.signed_id(conversation), total_bytes=len(blob)
            )
        ).data
        parts = [blob[i : i + SEGMENT] for i in range(0, len(blob), SEGMENT)]
        for index, part in enumerate(parts):
            media.media_upload_append(
                begun.session_id,
                models.MediaUploadAppendRequest(
                    conversation_id=conversation,
                    media=base64.b64encode(part).decode(),
                    media_hash_key=begun.media_hash_key,
                    segment_index=index,
                ),
            )
        finished = media.media_upload_finalize(
            begun.session_id,
            models.MediaUploadFinalizeRequest(
                conversation_id=conversation,
                media_hash_key=begun.media_hash_key,
                num_parts=str(len(parts)),
            ),
        )
        assert finished.data.success
        return begun.media_hash_key

    def download(self, conversation, media_hash_key):
        key, _ = self.keys[conversation]
        return self.chat.decrypt_stream(self.client.chat.media_download(conversation, media_hash_key), key)

    # Groups

    def create_group(self, others, title):
        group = self.client.chat.initialize_group().data.conversation_id
        members = [self.user, *others]
        prepared = self.chat.prepare_group_create(
            self.public_keys(members), group, members, [self.user], title=title
        )
        answer = self.client.chat.create_conversation(
            models.CreateConversationRequest(
                conversation_id=group,
                conversation_key_version=prepared["conversation_key_version"],
                conversation_participant_keys=self.participants(prepared),
                group_members=members,
                group_admins=[self.user],
                group_name=title,
                action_signatures=self.actions(prepared),
            )
        )
        assert answer.data.conversation_id == group
        self.keep(group, prepared)
        return group

    def add_members(self, group, new, current, title):
        prepared = self.chat.prepare_group_members_change(
            self.public_keys(current + new), group, new, current, [self.user], [], current_title=title
        )
        self.client.chat.add_group_members(
            group,
            models.AddGroupMembersRequest(
                user_ids=new,
                conversation_key_version=prepared["conversation_key_version"],
                conversation_participant_keys=self.participants(prepared),
                action_signatures=self.actions(prepared),
            ),
        )
        self.keep(group, prepared)

    def delete(self, conversation, sequence_id, for_all=True):
        action = self.chat.prepare_message_delete(self.signed_id(conversation), [sequence_id], for_all)
        answer = self.client.chat.delete_messages(
            conversation,
            models.DeleteMessagesRequest(
                sequence_ids=[sequence_id],
                delete_message_action="delete_for_all" if for_all else "delete_for_self",
                action_signatures=self.actions({"action_signatures": [action]}),
            ),
        )
        assert answer.data.deleted


def listen(bot, count, lines):
    """Puts lines of the activity stream into a list, up to a number of lines."""
    connected = threading.Event()

    def run():
        config = StreamConfig(max_retries=0, chunk_size=1, timeout=20, on_connect=connected.set)
        for line in bot.app.stream.activity(stream_config=config):
            lines.append(line.model_dump(exclude_none=True))
            if len(lines) == count:
                return

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert connected.wait(20)
    return thread


class Flow:
    """The steps of X's getting-started guide, and the calls that it does not use."""

    def run(self, url, document=None):
        alice, bob, carol = (Bot().connect(url, user, document) for user in ("1111", "2222", "3333"))
        for bot in (bob, carol):
            bot.document = alice.document
            for client in (bot.client, bot.app):
                client.session.hooks["response"] = [alice.document.check]
        for bot in (alice, bob, carol):
            bot.register()
        both, all_three = ["1111", "2222"], ["1111", "2222", "3333"]
        assert len(alice.client.users.get_public_keys(ids=all_three).data) == 3

        lines = []
        subscriptions = [
            alice.app.activity.create_subscription(
                CreateSubscriptionRequest(event_type=kind, filter={"user_id": user}, tag="flow")
            ).data.subscription
            for kind, user in (("chat.received", "2222"), ("chat.sent", "1111"))
        ]
        listening = listen(alice, 2, lines)

        # A conversation of two users: start, send, read, decrypt, change the key, and answer.
        pair = alice.start("2222")
        alice.send(pair, "hello from the guide")
        listening.join(20)
        assert bob.texts(pair, both) == ["hello from the guide"]
        bob.send(pair, "hello back")
        bob.start("1111")
        sent = [f"message {number}" for number in range(5)]
        for text in sent:
            bob.send(pair, text)
        assert alice.texts(pair, both) == ["hello from the guide", "hello back", *sent]

        # The stream delivered the message to both users, and the events decrypt.
        assert sorted(line["data"]["event_type"] for line in lines) == ["chat.received", "chat.sent"]
        for line in lines:
            payload = line["data"]["payload"]
            result = bob.chat.decrypt_events(
                [payload["conversation_key_change_event"], payload["encoded_event"]], bob.signing_keys(both)
            )
            texts = [e["event"]["content"]["text"] for e in result["messages"] if e["event"]["type"] == "Message"]
            assert texts == ["hello from the guide"], result
            if alice.document.document:
                schema = {"$ref": "#/components/schemas/ActivityStreamResponse"}
                alice.document.validate(schema, line)

        # Upload and download of media.
        plaintext = bytes(hashlib.sha256(bytes([i])).digest()[0] for i in range(256)) * 6000
        media = alice.upload(pair, plaintext)
        assert bob.download(pair, media) == plaintext

        # A group to which a member is added.
        title = "a group"
        group = alice.create_group(["2222"], title)
        alice.send(group, "welcome")
        assert bob.texts(group, both) == ["welcome"]
        alice.add_members(group, ["3333"], both, title)
        alice.send(group, "welcome, all")
        assert carol.texts(group, all_three, is_late=True) == ["welcome, all"]
        carol.send(group, "thanks")
        assert bob.texts(group, all_three)[-2:] == ["welcome, all", "thanks"]

        # Lists, read marks and deletions.
        listed = [c for page in alice.client.chat.get_conversations(max_results=1) for c in page.data]
        assert [c.id for c in listed] == [group, pair], listed
        assert alice.client.chat.get_conversation(group).data.group_name == title
        newest = next(iter(alice.client.chat.get_conversation_events(group, max_results=1))).data[0].id
        assert alice.client.chat.mark_conversation_read(
            group, models.MarkConversationReadRequest(seen_until_sequence_id=newest)
        ).data.success
        assert alice.client.chat.send_typing_indicator(group).data.success
        carol.delete(group, newest)
        assert bob.texts(group, all_three)[-1:] == ["welcome, all"]

        # Changing and deleting subscriptions.
        ids = [subscription.subscription_id for subscription in subscriptions]
        changed = alice.app.activity.update_subscription(ids[0], UpdateSubscriptionRequest(tag="other"))
        assert changed.data.subscription.tag == "other"
        held = [s for page in alice.app.activity.get_subscriptions() for s in page.data]
        assert {s.subscription_id for s in held} == set(ids)
        assert alice.app.activity.delete_subscription(ids[0]).data.deleted
        rest = alice.app.activity.delete_subscriptions_by_ids(ids=ids)
        assert rest.meta.total_subscriptions == 0, rest

        self.refusals(alice, pair)
        return alice.document.answers

    def refusals(self, bot, pair):
        """Calls each operation twice with an invalid request: without a token, and with one."""
        calls = [
            ("GET", "/2/chat/conversations?max_results=0", bot.client),
            ("GET", "/2/chat/conversations/9999", bot.client),
            ("GET", f"/2/chat/conversations/{pair}/events?pagination_token=x", bot.client),
            ("POST", f"/2/chat/conversations/{pair}/keys", bot.client),
            ("POST", f"/2/chat/conversations/{pair}/messages", bot.client),
            ("POST", f"/2/chat/conversations/{pair}/messages/delete", bot.client),
            ("POST", f"/2/chat/conversations/{pair}/read", bot.client),
            ("POST", "/2/chat/conversations/9999/typing", bot.client),
            ("POST", "/2/chat/conversations/g1/members", bot.client),
            ("POST", "/2/chat/conversations/group/initialize", bot.app),
            ("POST", "/2/chat/conversations/group", bot.client),
            ("POST", "/2/chat/media/upload/initialize", bot.client),
            ("POST", "/2/chat/media/upload/1/append", bot.client),
            ("POST", "/2/chat/media/upload/1/finalize", bot.client),
            ("GET", f"/2/chat/media/{pair}/abc", bot.client),
            ("GET", "/2/users/9999/public_keys", bot.client),
            ("GET", "/2/users/public_keys?ids=x", bot.client),
            ("POST", "/2/users/9999/public_keys", bot.client),
            ("GET", "/2/activity/stream?backfill_minutes=6", bot.app),
            ("POST", "/2/activity/subscriptions", bot.app),
            ("GET", "/2/activity/subscriptions?max_results=1001", bot.app),
            ("PUT", "/2/activity/subscriptions/1", bot.app),
            ("DELETE", "/2/activity/subscriptions/1", bot.app),
            ("DELETE", "/2/activity/subscriptions?ids=", bot.app),
        ]
        for method, path, client in calls:
            token = client.bearer_token or client.access_token
            for authorization in (None, f"Bearer {token}"):
                answer = client.session.request(
                    method,
                    bot.url + path,
                    headers={"Authorization": authorization},
                    data=None if method == "GET" else "{}",
                )
                assert 400 <= answer.status_code < 500, f"{method} {path} {answer.status_code}"


def sign_in(url, secret=None):
    """Signs in, from the consent page to the revocation; returns the result of each step."""
    auth = OAuth2PKCEAuth(
        base_url=url,
        authorization_base_url=url + "/i",
        client_id="app",
        client_secret=secret,
        redirect_uri="http://127.0.0.1:8080/callback",
        scope=["dm.read", "dm.write", "users.read", "offline.access"],
    )

    def user():
        answer = requests.get(f"{url}/2/users/me", headers={"Authorization": f"Bearer {auth.access_token}"})
        return answer.json()["data"]["id"] if answer.ok else answer.status_code

    def post(path, **fields):
        return requests.post(
            url + path,
            data=fields if secret else {**fields, "client_id": "app"},
            auth=("app", secret) if secret else None,
        )

    page = requests.get(auth.get_authorization_url(state="the state"))
    ticket = re.search('name="ticket" value="([^"]+)"', page.text).group(1)
    answer = requests.post(
        f"{url}/i/oauth2/authorize",
        data={"ticket": ticket, "user": "other", "other": "1111", "decision": "allow"},
        allow_redirects=False,
    )
    assert answer.status_code == 302
    location = answer.headers["Location"]
    assert parse_qs(urlparse(location).query)["state"] == ["the state"]
    auth.fetch_token(location)
    assert not auth.is_token_expired()
    steps = [f"exchange {user()}"]
    if secret:  # xdk refreshes for confidential apps alone
        first = auth.token["refresh_token"]
        auth.refresh_token()
        assert auth.token["refresh_token"] != first
        steps.append(f"refresh {user()}")
        newest = auth.token["refresh_token"]
        again = post("/2/oauth2/token", grant_type="refresh_token", refresh_token=first)
        steps.append(f"reuse {again.status_code}")
        assert post("/2/oauth2/revoke", token=newest).ok
    else:
        assert post("/2/oauth2/revoke", token=auth.access_token).ok
    return [*steps, f"revoke {user()}"]


class Peer:
    """The object that peer.py makes for each name: a bot, and the flows."""

    def __init__(self):
        self.bot = Bot()

    def __getattr__(self, name):
        return getattr(self.bot, name)

    def connect(self, url, user, document=None):
        self.bot.connect(url, user, document)

    def run(self, url, document=None):
        return Flow().run(url, document)

    def sign_in(self, url):
        return [*sign_in(url), *sign_in(url, "sandbox-secret")]


if __name__ == "__main__":
    peer.main(Peer)
