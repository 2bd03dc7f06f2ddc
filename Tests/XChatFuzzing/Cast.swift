#if TESTABLE
    import LibSodium
    @testable import XChatEngine
    import XChatEvents

    /// Three users with keys that are the same in every process, so that a corpus stays valid.
    struct Cast: Sendable {
        static let shared = Result { try Cast() }

        static let alice: UserID = "1111"
        static let bob: UserID = "2222"
        static let carol: UserID = "3333"
        /// The version of all users' public keys.
        static let publicKeyVersion: KeyVersion = "5"
        static let keyVersion: KeyVersion = "1001"
        static let conversation = ConversationID.oneToOne(alice, bob)
        static let group = ConversationID(canonicalizing: "g7")

        /// The signer of a fixture, and its cipher suite.
        enum Signer: String, CaseIterable, Sendable {
            /// Ed25519.
            case bob
            /// P-256.
            case carol
        }

        /// An event with a valid signature.
        struct Fixture: Sendable {
            let name: String
            let signer: Signer
            let event: MessageEvent
            /// The signed text, without the conversation key if the text ends with one.
            let text: [UInt8]
            /// The plaintext of a message's contents.
            let contents: MessageEntryHolder?
        }

        let aliceKeys: PrivateKeys
        let bobKeys: PrivateKeys
        let conversationKey: ConversationKey
        let verifiedKeys: [VerifiedPublicKey]
        /// Alice's session: it trusts both signers and has the key of both conversations.
        let session: Session
        let fixtures: [Fixture]

        private init() throws {
            let prefix = SodiumPrivateKeys.blobPrefix
            func halves(_ first: UInt8) -> [UInt8] {
                Array(repeating: first, count: 32) + Array(repeating: first + 1, count: 32)
            }
            aliceKeys = try PrivateKeys(importing: (prefix + halves(1)).span)
            bobKeys = try PrivateKeys(importing: (prefix + halves(3)).span)
            let carolKeys = try PrivateKeys(importing: halves(5).span)
            conversationKey = try ConversationKey(bytes: Array(repeating: UInt8(9), count: 32).span)
            verifiedKeys = [
                try bobKeys.verifiedKey(userID: Self.bob, version: Self.publicKeyVersion),
                try carolKeys.verifiedKey(userID: Self.carol, version: Self.publicKeyVersion),
            ]
            var session = try Session(
                userID: Self.alice,
                privateKeys: aliceKeys,
                signingKeyVersion: Self.publicKeyVersion
            )
            session.clock = { 2000 }
            session.trust(verifiedKeys)
            try session.acceptMembers([Self.alice, Self.bob, Self.carol], of: Self.group)
            for conversation in [Self.conversation, Self.group] {
                try session.addConversationKey(conversationKey, in: conversation, version: Self.keyVersion)
            }
            self.session = session

            let author = Author(alice: aliceKeys, conversationKey: conversationKey)
            fixtures =
                try author.fixtures(by: .bob, Self.bob, bobKeys) + author.fixtures(by: .carol, Self.carol, carolKeys)
        }

        /// Contents of messages, by name.
        static let contents: [(String, MessageEntryHolder)] = [
            ("text", MessageEntryHolder(contents: .message(MessageContents(messageText: "hello, world")))),
            ("edit", MessageEntryHolder(contents: .messageEdit(MessageEdit(messageSequenceID: "9", updatedText: "b")))),
            (
                "reaction",
                MessageEntryHolder(contents: .reactionAdd(MessageReactionAdd(messageSequenceID: "9", emoji: "👍")))
            ),
        ]
    }

    /// Makes the fixtures of one signer.
    private struct Author {
        let alice: PrivateKeys
        let conversationKey: ConversationKey

        func fixtures(by signer: Cast.Signer, _ user: UserID, _ keys: PrivateKeys) throws -> [Cast.Fixture] {
            let other = user == Cast.bob ? Cast.carol : Cast.bob
            var session = try Session(userID: user, privateKeys: keys, signingKeyVersion: Cast.publicKeyVersion)
            try session.acceptMembers([user, other, Cast.alice], of: Cast.group)
            var fixtures: [Cast.Fixture] = []

            func add(
                _ name: String,
                _ detail: MessageEventDetail,
                in conversation: ConversationID,
                version: WireString = "7",
                _ contents: MessageEntryHolder? = nil
            ) throws {
                let id = fixtures.count
                let builder = EventBuilder(
                    messageID: id % 2 == 0 ? "fuzz-a" : "fuzz-b",
                    senderID: user,
                    conversationID: conversation
                )
                var event = try builder.event(detail).signed([], publicKeyVersion: Cast.publicKeyVersion)
                event.messageEventSignature?.signatureVersion = version
                let payload = try SignedPayload(of: event, version: SignatureVersion(version))
                let signature = try payload.withText(conversationKey: conversationKey) { (text) throws(XChatError) in
                    try keys.keys.sign(text)
                }
                event.messageEventSignature?.signature = WireString(Base64.encode(signature, padding: false))
                event.sequenceID = "2070276095283454010"
                event.createdAtMsec = "1700000000000"
                fixtures.append(
                    Cast.Fixture(
                        name: "\(name)-\(signer)",
                        signer: signer,
                        event: event,
                        text: payload.bytes,
                        contents: contents
                    )
                )
            }

            func add(_ name: String, _ action: ConversationAction, in conversation: ConversationID) throws {
                let encoded = try session.sign(action, in: conversation).encodedMessageEventDetail
                try add(name, MessageEventDetail(decoding: Base64.decode(encoded)), in: conversation)
            }

            for (name, contents) in Cast.contents {
                let create = MessageCreateEvent(
                    contents: try encrypted(contents),
                    conversationKeyVersion: Cast.keyVersion,
                    shouldNotify: true
                )
                let conversation = user == Cast.bob ? Cast.conversation : Cast.group
                try add(name, .messageCreateEvent(create), in: conversation, contents)
            }
            for version: WireString in ["7", "5"] {
                try add(
                    "key-\(version)",
                    .conversationKeyChangeEvent(keyChange(for: [user])),
                    in: Cast.group,
                    version: version
                )
            }
            let admins = [user]
            for version: WireString in ["7", "3"] {
                let create = GroupCreate(
                    memberIDs: [user, Cast.alice, other],
                    adminIDs: admins,
                    title: "title",
                    conversationKeyVersion: Cast.keyVersion
                )
                try add("create-\(version)", group(.groupCreate(create)), in: Cast.group, version: version)
            }
            for version: WireString in ["7", "5", "3", "2"] {
                let addition = GroupMemberAddChange(
                    memberIDs: ["4444", "5555"],
                    currentMemberIDs: [user, Cast.alice, other],
                    currentAdminIDs: admins,
                    currentTitle: "title",
                    currentAvatarURL: "https://x/a",
                    conversationKeyVersion: "1002",
                    currentTTLMsec: 5000,
                    currentPendingMemberIDs: ["6666"],
                    screenCaptureBlockingEnabled: false
                )
                try add("add-\(version)", group(.groupMemberAdd(addition)), in: Cast.group, version: version)
            }
            var invitation = GroupMemberAddChange(
                memberIDs: ["4444"],
                currentMemberIDs: [user, Cast.alice],
                currentAdminIDs: [user, Cast.alice],
                conversationKeyVersion: "1002"
            )
            invitation.groupInviteEnable = GroupInviteEnable(
                expiresAtMsec: 9,
                inviteURL: "https://x/i",
                affiliateID: "7"
            )
            try add("add-invite", group(.groupMemberAdd(invitation)), in: Cast.group)

            try add("delete", .deleteMessages(["9", "10"], forAll: true), in: Cast.group)
            try add("clear", .deleteConversation(clearAllMessages: true, sortOrderMsec: 3), in: Cast.group)
            try add("read", .markRead(until: "9", atMillis: 8), in: Cast.group)
            try add("unread", .markUnread(until: "9"), in: Cast.group)
            try add("remove", .removeMembers([other]), in: Cast.group)
            try add("admins", .addAdmins([Cast.alice, other]), in: Cast.group)
            try add("no-admins", .removeAdmins([Cast.alice]), in: Cast.group)
            try add("title", .setTitle("t", keyVersion: Cast.keyVersion), in: Cast.group)
            try add("avatar", .setAvatar(url: "https://x/a", keyVersion: Cast.keyVersion), in: Cast.group)
            try add("invite", .enableInvite(url: "https://x/i", expiresAtMsec: 5, affiliateID: "4"), in: Cast.group)
            try add("no-invite", .disableInvite(by: user), in: Cast.group)
            try add("join", .requestToJoin, in: Cast.group)
            try add("reject", .rejectJoin(["4444", "5555"]), in: Cast.group)
            try add("duration", .setMessageDuration(ttlMsec: 5000, applyToAllMessages: true), in: Cast.group)
            try add("no-duration", .removeMessageDuration(currentTTLMsec: 5000), in: Cast.group)
            try add("mute", .mute([ConversationID(canonicalizing: "g7"), .oneToOne("1111", "2222")]), in: Cast.group)
            try add(
                "unmute",
                .unmute([ConversationID(canonicalizing: "g7"), ConversationID(canonicalizing: "2222")]),
                in: Cast.group
            )
            try add("captures", .setScreenCaptureDetection(true), in: Cast.group)
            try add("no-captures", .setScreenCaptureBlocking(false), in: Cast.group)
            return fixtures
        }

        private func group(_ change: GroupChange) -> MessageEventDetail {
            .groupChangeEvent(GroupChangeEvent(groupChange: change))
        }

        private func keyChange(for users: [UserID]) -> ConversationKeyChangeEvent {
            ConversationKeyChangeEvent(
                conversationKeyVersion: Cast.keyVersion,
                // The wrapped keys are random bytes: the session has the key already.
                conversationParticipantKeys: ([Cast.alice] + users).map { user in
                    ConversationParticipantKey(
                        userID: user,
                        encryptedConversationKey: WireString(Base64.encode(Array(repeating: 3, count: 80))),
                        publicKeyVersion: Cast.publicKeyVersion
                    )
                }
            )
        }

        /// Encrypted under a fixed nonce, so that the signed text is the same in every process.
        private func encrypted(_ contents: MessageEntryHolder) throws -> [UInt8] {
            let nonce = Array(repeating: UInt8(7), count: SecretBox.nonceByteCount)
            return try conversationKey.withBytes { key throws(SodiumError) in
                try SecretBox.seal(contents.encoded().span, nonce: nonce.span, key: key)
            }
        }
    }
#endif
