import TestSupport
import Testing
import XChatEvents

@testable import XChatEngine

@Suite struct ActionTests {
    static let group = ConversationID(canonicalizing: "g9")

    static let actions: [(ConversationAction, ConversationID, String)] = [
        (.deleteMessages(["5", "6"], forAll: true), Pair.conversation, "MessageDeleteEvent,ID,1111,1111:2222,2,5,6"),
        (.deleteMessages(["5"], forAll: false), Pair.conversation, "MessageDeleteEvent,ID,1111,1111:2222,1,5"),
        (
            .deleteConversation(clearAllMessages: true, sortOrderMsec: 7), Pair.conversation,
            "ConversationDeleteEvent,ID,1111,1111:2222,true,7"
        ),
        (
            .deleteConversation(clearAllMessages: nil, sortOrderMsec: nil), Pair.conversation,
            "ConversationDeleteEvent,ID,1111,1111:2222"
        ),
        (.markRead(until: "9", atMillis: 17), Pair.conversation, "MarkConversationReadEvent,ID,1111,1111:2222,9,17"),
        (.markUnread(until: nil), Pair.conversation, "MarkConversationUnreadEvent,ID,1111,1111:2222"),
        (.removeMembers(["3", "4"]), group, "GroupChangeEvent.GroupMemberRemoveChange,ID,1111,g9,3,4"),
        (.addAdmins(["3"]), group, "GroupChangeEvent.GroupAdminAddChange,ID,1111,g9,3"),
        (.removeAdmins(["3"]), group, "GroupChangeEvent.GroupAdminRemoveChange,ID,1111,g9,3"),
        (.setTitle("T", keyVersion: "1001"), group, "GroupChangeEvent.GroupTitleChange,ID,1111,g9,1001,T"),
        (
            .setAvatar(url: "u", keyVersion: "1001"), group,
            "GroupChangeEvent.GroupAvatarUrlChange,ID,1111,g9,1001,u"
        ),
        (
            .enableInvite(url: "u", expiresAtMsec: 5, affiliateID: nil), group,
            "GroupChangeEvent.GroupInviteEnable,ID,1111,g9,u,5,null"
        ),
        (.disableInvite(by: "1111"), group, "GroupChangeEvent.GroupInviteDisable,ID,1111,g9,1111"),
        (.requestToJoin, group, "GroupChangeEvent.GroupJoinRequest,ID,1111,g9,1111"),
        (.rejectJoin(["3"]), group, "GroupChangeEvent.GroupJoinReject,ID,1111,g9,3"),
        (
            .setMessageDuration(ttlMsec: 60, applyToAllMessages: true), Pair.conversation,
            "ConversationMetadataChangeEvent.MessageDurationChange,ID,1111,1111:2222,60"
        ),
        (
            .removeMessageDuration(currentTTLMsec: nil), Pair.conversation,
            "ConversationMetadataChangeEvent.MessageDurationRemove,ID,1111,1111:2222"
        ),
        (
            .mute([ConversationID(canonicalizing: "g9")]), Pair.conversation,
            "ConversationMetadataChangeEvent.MuteConversation,ID,1111,1111:2222,g9"
        ),
        (
            .unmute([ConversationID(canonicalizing: "g9")]), Pair.conversation,
            "ConversationMetadataChangeEvent.UnmuteConversation,ID,1111,1111:2222,g9"
        ),
        (
            .setScreenCaptureDetection(true), Pair.conversation,
            "ConversationMetadataChangeEvent.EnableScreenCaptureDetection,ID,1111,1111:2222"
        ),
        (
            .setScreenCaptureBlocking(false), Pair.conversation,
            "ConversationMetadataChangeEvent.DisableScreenCaptureBlocking,ID,1111,1111:2222"
        ),
    ]

    @Test("a signed action has the text of the protocol and verifies", arguments: actions.indices)
    func action(_ index: Int) throws {
        let (action, conversation, expected) = Self.actions[index]
        let session = try person("1111")
        let signed = try session.sign(action, in: conversation)
        let id = signed.messageID.string
        #expect(signed.signaturePayload == expected.split(separator: "ID").joined(separator: id))
        let event = MessageEvent(
            messageID: signed.messageID,
            senderID: "1111",
            conversationID: conversation.text,
            detail: try MessageEventDetail(decoding: Base64.decode(signed.encodedMessageEventDetail)),
            messageEventSignature: MessageEventSignature(
                signature: signed.signature,
                publicKeyVersion: signed.publicKeyVersion,
                signatureVersion: signed.signatureVersion
            )
        )
        try session.verify(event)
    }

    @Test func `an invalid action is refused by the name of its member`() throws {
        let session = try person("1111")
        func refusal(_ action: ConversationAction, _ conversation: ConversationID) -> XChatError? {
            do {
                _ = try session.sign(action, in: conversation)
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal(.deleteMessages([], forAll: true), Pair.conversation)?.message.contains("sequence_ids") == true)
        #expect(refusal(.deleteMessages([""], forAll: true), Pair.conversation)?.code == .invalidArgument)
        #expect(refusal(.deleteMessages(["5", "5"], forAll: true), Pair.conversation)?.code == .invalidArgument)
        #expect(refusal(.deleteMessages(["x"], forAll: true), Pair.conversation)?.code == .invalidArgument)
        #expect(refusal(.addAdmins(["3"]), Pair.conversation)?.code == .invalidArgument)
        #expect(refusal(.removeMembers([]), Self.group)?.code == .invalidArgument)
        for action in [ConversationAction.mute([]), .unmute([])] {
            #expect(refusal(action, Pair.conversation)?.message.contains("name at least one conversation") == true)
        }
        let title = refusal(.setTitle("a, b", keyVersion: "1"), Self.group)
        #expect(title?.code == .notRepresentable)
        #expect(title?.message.contains("title") == true)
        #expect(
            refusal(.setMessageDuration(ttlMsec: -1, applyToAllMessages: nil), Self.group)?.code == .invalidArgument
        )
        #expect(
            refusal(.markRead(until: "1", atMillis: nil), ConversationID(canonicalizing: "2222:3333"))?.code
                == .notAParticipant
        )
    }

    @Test func `a group is made with its key, both signed, and its members read in it`() throws {
        var alice = try person("1111")
        var bob = try person("2222")
        alice.trust(bob.pins["2222"])
        bob.trust(alice.pins["1111"])
        let people = alice.pins["1111"] + alice.pins["2222"]
        var draft = GroupDraft(members: ["1111", "2222"], admins: ["1111"])
        draft.title = "Title"
        let created = try alice.prepareGroupCreate(draft, in: Self.group, participants: people)
        #expect(created.actionSignatures.count == 2)
        #expect(created.actionSignatures[0].signaturePayload == nil)
        try alice.addConversationKey(created.keyChange.key, in: Self.group, version: created.keyChange.version)
        let message = try alice.seal(.text("hi all"), in: Self.group).event
        let results = bob.open([created.keyChange.event, created.event, message].map { .success($0) })
        for result in results { #expect(try result.get().isVerified) }

        let carol = try person("3333")
        alice.trust(carol.pins["3333"])
        bob.trust(carol.pins["3333"])
        let addition = MemberAddDraft(newMembers: ["3333"], currentMembers: ["1111", "2222"], currentAdmins: ["1111"])
        let added = try alice.prepareMemberAdd(
            addition,
            in: Self.group,
            participants: people + alice.pins["3333"]
        )
        #expect(added.keyChange.participantKeys.map(\.userID) == ["1111", "2222", "3333"])
        #expect(try bob.open(added.event).isVerified)
        #expect(try bob.open(added.keyChange.event).isVerified)
    }

    @Test func `groups that contradict themselves are refused before anything is signed`() throws {
        var alice = try person("1111")
        let bob = try person("2222")
        let people = alice.pins["1111"] + bob.pins["2222"]
        func refusal(_ members: [UserID], _ admins: [UserID], title: String? = nil) -> XChatError.Code? {
            var draft = GroupDraft(members: members, admins: admins)
            draft.title = title
            return code { _ = try alice.prepareGroupCreate(draft, in: Self.group, participants: people) }
        }
        #expect(refusal(["1111", "2222"], ["1111"]) == nil)
        #expect(refusal([], ["1111"]) == .invalidArgument)
        #expect(refusal(["1111", "1111"], ["1111"]) == .invalidArgument)
        #expect(refusal(["2222"], ["2222"]) == .invalidArgument)
        #expect(refusal(["1111", "2222"], ["3333"]) == .invalidArgument)
        // The keys of a member who is not pinned.
        #expect(refusal(["1111", "2222", "3333"], ["1111"]) == .notAParticipant)
        #expect(refusal(["1111"], ["1111"]) == nil)
        #expect(refusal(["1111", "alice"], ["1111"]) == .invalidArgument)
        #expect(refusal(["1111", "2222"], ["1111"], title: "a,b") == .notRepresentable)
        #expect(refusal(["1111", "2222"], ["1111"], title: "null") == .invalidArgument)
        let draft = GroupDraft(members: ["1111", "2222"], admins: ["1111"])
        #expect(
            code { _ = try alice.prepareGroupCreate(draft, in: Pair.conversation, participants: people) }
                == .invalidArgument
        )
    }

    @Test func `metadata is encrypted under the conversation key and opens under no other`() throws {
        var pair = try Pair()
        _ = try pair.bob.open(pair.change.event)
        let sealed = try pair.alice.encrypt("Название, группы", in: Pair.conversation)
        #expect(try pair.bob.decrypt(sealed, in: Pair.conversation) == "Название, группы")
        #expect(try pair.bob.decrypt(pair.alice.encrypt("", in: Pair.conversation), in: Pair.conversation).isEmpty)
        #expect(code { _ = try pair.bob.decrypt("AAAA", in: Pair.conversation) } == .authenticationFailed)
        #expect(code { _ = try pair.bob.decrypt("!", in: Pair.conversation) } == .malformed)
        #expect(code { _ = try pair.bob.decrypt(sealed, in: Self.group) } == .keyMissing)
        let bytes = WireString(Base64.encode(try pair.change.key.seal([0xff])))
        #expect(code { _ = try pair.bob.decrypt(bytes, in: Pair.conversation) } == .malformed)
    }

    @Test func `drafts that exceed the limits of receivers are refused`() throws {
        let pair = try Pair()
        func refusal(_ draft: Draft) -> XChatError.Code? {
            code { _ = try pair.alice.seal(draft, in: Pair.conversation) }
        }
        let photo = ReplyTests.photo
        let file = MessageAttachment.media(
            MediaAttachment(
                mediaHashKey: "h",
                dimensions: MediaDimensions(width: 0, height: 0),
                type: .file,
                filesizeBytes: 1,
                filename: "f"
            )
        )
        func message(_ attachments: [MessageAttachment]) -> Draft {
            .message(MessageDraft("", attachments: attachments))
        }
        #expect(refusal(message(Array(repeating: photo, count: 10))) == nil)
        #expect(refusal(message(Array(repeating: photo, count: 11))) == .invalidArgument)
        #expect(refusal(message([file])) == nil)
        #expect(refusal(message([photo, file])) == .invalidArgument)
        #expect(refusal(message([.post(PostAttachment(restID: "1"))])) == nil)
        #expect(refusal(message([.post(PostAttachment(restID: "1")), photo])) == .invalidArgument)
        #expect(refusal(message([.media(MediaAttachment())])) == .invalidArgument)
        #expect(refusal(message([.url(UrlAttachment())])) == .invalidArgument)
        #expect(
            refusal(message([.url(UrlAttachment(url: "u", faviconImageMediaHashKey: UrlAttachmentImage()))]))
                == .invalidArgument
        )
        #expect(refusal(.addReaction(ReactionDraft("👍", to: ""))) == .invalidArgument)
        #expect(refusal(.removeReaction(ReactionDraft("👍", to: "5"))) == nil)
        #expect(refusal(.edit(EditDraft(of: "", text: "x"))) == .invalidArgument)
        #expect(
            refusal(.edit(EditDraft(of: "1", text: "x", entities: [RichTextEntity(startIndex: 0, endIndex: 9)])))
                == .invalidArgument
        )
    }

    @Test func `an attachment needs each member that recipients need`() throws {
        let pair = try Pair()
        let complete = MediaAttachment(
            mediaHashKey: "h",
            dimensions: MediaDimensions(width: 1, height: 1),
            type: .file,
            filesizeBytes: 1,
            filename: "f"
        )
        let removals: [(member: String, remove: (inout MediaAttachment) -> Void)] = [
            ("media_hash_key", { $0.mediaHashKey = nil }), ("width", { $0.dimensions?.width = nil }),
            ("height", { $0.dimensions?.height = nil }), ("filesize_bytes", { $0.filesizeBytes = nil }),
            ("filename", { $0.filename = nil }),
        ]
        for (member, remove) in removals {
            var media = complete
            remove(&media)
            let draft = Draft.message(MessageDraft("", attachments: [.media(media)]))
            let error = #expect(throws: XChatError.self) { _ = try pair.alice.seal(draft, in: Pair.conversation) }
            #expect(error?.code == .invalidArgument && error?.message.contains(member) == true)
        }
    }

    @Test func `the own entry of a key change is that of the registered version`() throws {
        var pair = try Pair()
        let keys = try #require(pair.alice.privateKeys)
        let unregistered = try keys.verifiedKey(userID: "1111", version: "1795377536405")
        let change = try pair.alice.prepareKeyChange(
            in: Pair.conversation,
            participants: [unregistered] + pair.alice.pins["1111"] + pair.alice.pins["2222"]
        )
        #expect(change.participantKeys.map(\.publicKeyVersion) == ["1", "1"])
    }

    @Test func `an unsigned version does not choose the version of the next key`() throws {
        for version: KeyVersion in ["9223372036854775807", "9999999999999999999", "9999999999999999"] {
            var pair = try Pair()
            var forged = try forge(
                try keyChangeDetail(try ConversationKey.generate(), version: version, to: [pair.alice, pair.bob]),
                by: pair.bob,
                key: try ConversationKey.generate()
            )
            #expect(code { _ = try pair.alice.open(forged) } == .wrongSignature)
            forged.messageEventSignature = nil
            #expect(code { _ = try pair.alice.open(forged) } == .noSignature)
            #expect(!pair.alice.keyRing.others(in: Pair.conversation, version: version).isEmpty)
            let now = try #require(pair.change.version.number) + 5
            pair.alice.clock = { now }
            let change = try pair.alice.prepareKeyChange(
                in: Pair.conversation,
                participants: pair.alice.pins["1111"] + pair.alice.pins["2222"]
            )
            #expect(change.version.number == now)
        }
    }

    @Test func `the sender of an addition is first among the present members, however they were listed`() throws {
        var alice = try person("1111")
        for user: UserID in ["2222", "3333", "4444"] { alice.trust(try person(user).pins[user]) }
        let added = try alice.prepareMemberAdd(
            MemberAddDraft(
                newMembers: ["4444"],
                currentMembers: ["3333", "2222", "1111"],
                currentAdmins: ["2222"]
            ),
            in: Self.group,
            participants: alice.pins.users.flatMap { alice.pins[$0] }
        )
        guard case .groupChangeEvent(let change) = added.event.detail,
            case .groupMemberAdd(var addition) = change.groupChange
        else {
            Issue.record("no addition")
            return
        }
        #expect(addition.currentMemberIDs == ["1111", "3333", "2222"])
        // In the order of the draft, a relay could present the first present member as a new one.
        addition.memberIDs = ["4444", "1111"]
        addition.currentMemberIDs = ["3333", "2222"]
        var forged = added.event
        forged.detail = .groupChangeEvent(
            GroupChangeEvent(groupChange: .groupMemberAdd(addition), forKeyRotation: false)
        )
        #expect(code { try alice.verify(forged) } == .inconsistent)
    }
}
