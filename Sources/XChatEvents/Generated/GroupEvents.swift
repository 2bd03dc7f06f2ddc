// generated from xchat.thrift by script/generate-events; change the IDL, not this file

package import ThriftBinary

/// The creation of a group, or the upgrade of a group of the old kind.
public struct GroupCreate: Hashable, Sendable {
    /// Field 1, `member_ids`.
    public var memberIDs: [UserID]?
    /// Field 2, `admin_ids`.
    public var adminIDs: [UserID]?
    /// Field 3, `title`.
    public var title: WireString?
    /// Field 4, `avatar_url`.
    public var avatarURL: WireString?
    /// Field 5, `conversation_key_version`.
    public var conversationKeyVersion: KeyVersion?
    /// Field 6, `is_legacy_group_upgrade`.
    public var isLegacyGroupUpgrade: Bool?
    /// Field 7, `ttl_msec`.
    public var ttlMsec: Int64?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        memberIDs: [UserID]? = nil,
        adminIDs: [UserID]? = nil,
        title: WireString? = nil,
        avatarURL: WireString? = nil,
        conversationKeyVersion: KeyVersion? = nil,
        isLegacyGroupUpgrade: Bool? = nil,
        ttlMsec: Int64? = nil
    ) {
        self.memberIDs = memberIDs
        self.adminIDs = adminIDs
        self.title = title
        self.avatarURL = avatarURL
        self.conversationKeyVersion = conversationKeyVersion
        self.isLegacyGroupUpgrade = isLegacyGroupUpgrade
        self.ttlMsec = ttlMsec
    }
}

extension GroupCreate: WireStruct {
    package static let schema = StructSchema(
        struct: "GroupCreate",
        [
            FieldSchema(1, "member_ids", .list(.string)),
            FieldSchema(2, "admin_ids", .list(.string)),
            FieldSchema(3, "title", .string),
            FieldSchema(4, "avatar_url", .string),
            FieldSchema(5, "conversation_key_version", .string),
            FieldSchema(6, "is_legacy_group_upgrade", .bool),
            FieldSchema(7, "ttl_msec", .i64),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: memberIDs = try reader.read(ListOf<UserID>.self, field)
                case 2: adminIDs = try reader.read(ListOf<UserID>.self, field)
                case 3: title = try reader.read(WireString.self, field)
                case 4: avatarURL = try reader.read(WireString.self, field)
                case 5: conversationKeyVersion = try reader.read(KeyVersion.self, field)
                case 6: isLegacyGroupUpgrade = try reader.read(Bool.self, field)
                case 7: ttlMsec = try reader.read(Int64.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(memberIDs, as: ListOf<UserID>.self, id: 1)
        writer.write(adminIDs, as: ListOf<UserID>.self, id: 2)
        writer.write(title, as: WireString.self, id: 3)
        writer.write(avatarURL, as: WireString.self, id: 4)
        writer.write(conversationKeyVersion, as: KeyVersion.self, id: 5)
        writer.write(isLegacyGroupUpgrade, as: Bool.self, id: 6)
        writer.write(ttlMsec, as: Int64.self, id: 7)
        writer.stop()
    }
}

/// A new title of a group.
public struct GroupTitleChange: Hashable, Sendable {
    /// Field 1, `custom_title`.
    public var customTitle: WireString?
    /// Field 2, `conversation_key_version`.
    public var conversationKeyVersion: KeyVersion?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(customTitle: WireString? = nil, conversationKeyVersion: KeyVersion? = nil) {
        self.customTitle = customTitle
        self.conversationKeyVersion = conversationKeyVersion
    }
}

extension GroupTitleChange: WireStruct {
    package static let schema = StructSchema(
        struct: "GroupTitleChange",
        [
            FieldSchema(1, "custom_title", .string),
            FieldSchema(2, "conversation_key_version", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: customTitle = try reader.read(WireString.self, field)
                case 2: conversationKeyVersion = try reader.read(KeyVersion.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(customTitle, as: WireString.self, id: 1)
        writer.write(conversationKeyVersion, as: KeyVersion.self, id: 2)
        writer.stop()
    }
}

/// A new picture of a group.
public struct GroupAvatarUrlChange: Hashable, Sendable {
    /// Field 1, `custom_avatar_url`.
    public var customAvatarURL: WireString?
    /// Field 2, `conversation_key_version`.
    public var conversationKeyVersion: KeyVersion?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(customAvatarURL: WireString? = nil, conversationKeyVersion: KeyVersion? = nil) {
        self.customAvatarURL = customAvatarURL
        self.conversationKeyVersion = conversationKeyVersion
    }
}

extension GroupAvatarUrlChange: WireStruct {
    package static let schema = StructSchema(
        struct: "GroupAvatarUrlChange",
        [
            FieldSchema(1, "custom_avatar_url", .string),
            FieldSchema(2, "conversation_key_version", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: customAvatarURL = try reader.read(WireString.self, field)
                case 2: conversationKeyVersion = try reader.read(KeyVersion.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(customAvatarURL, as: WireString.self, id: 1)
        writer.write(conversationKeyVersion, as: KeyVersion.self, id: 2)
        writer.stop()
    }
}

/// Members made administrators.
public struct GroupAdminAddChange: Hashable, Sendable {
    /// Field 1, `admin_ids`.
    public var adminIDs: [UserID]?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(adminIDs: [UserID]? = nil) {
        self.adminIDs = adminIDs
    }
}

extension GroupAdminAddChange: WireStruct {
    package static let schema = StructSchema(
        struct: "GroupAdminAddChange",
        [
            FieldSchema(1, "admin_ids", .list(.string))
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: adminIDs = try reader.read(ListOf<UserID>.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(adminIDs, as: ListOf<UserID>.self, id: 1)
        writer.stop()
    }
}

/// Administrators made ordinary members.
public struct GroupAdminRemoveChange: Hashable, Sendable {
    /// Field 1, `admin_ids`.
    public var adminIDs: [UserID]?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(adminIDs: [UserID]? = nil) {
        self.adminIDs = adminIDs
    }
}

extension GroupAdminRemoveChange: WireStruct {
    package static let schema = StructSchema(
        struct: "GroupAdminRemoveChange",
        [
            FieldSchema(1, "admin_ids", .list(.string))
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: adminIDs = try reader.read(ListOf<UserID>.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(adminIDs, as: ListOf<UserID>.self, id: 1)
        writer.stop()
    }
}

/// Members removed from a group.
public struct GroupMemberRemoveChange: Hashable, Sendable {
    /// Field 1, `member_ids`.
    public var memberIDs: [UserID]?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(memberIDs: [UserID]? = nil) {
        self.memberIDs = memberIDs
    }
}

extension GroupMemberRemoveChange: WireStruct {
    package static let schema = StructSchema(
        struct: "GroupMemberRemoveChange",
        [
            FieldSchema(1, "member_ids", .list(.string))
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: memberIDs = try reader.read(ListOf<UserID>.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(memberIDs, as: ListOf<UserID>.self, id: 1)
        writer.stop()
    }
}

/// A link by which people may join a group.
public struct GroupInviteEnable: Hashable, Sendable {
    /// Field 1, `expires_at_msec`.
    public var expiresAtMsec: Int64?
    /// Field 2, `invite_url`.
    public var inviteURL: WireString?
    /// Field 3, `affiliate_id`.
    public var affiliateID: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(expiresAtMsec: Int64? = nil, inviteURL: WireString? = nil, affiliateID: WireString? = nil) {
        self.expiresAtMsec = expiresAtMsec
        self.inviteURL = inviteURL
        self.affiliateID = affiliateID
    }
}

extension GroupInviteEnable: WireStruct {
    package static let schema = StructSchema(
        struct: "GroupInviteEnable",
        [
            FieldSchema(1, "expires_at_msec", .i64),
            FieldSchema(2, "invite_url", .string),
            FieldSchema(3, "affiliate_id", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: expiresAtMsec = try reader.read(Int64.self, field)
                case 2: inviteURL = try reader.read(WireString.self, field)
                case 3: affiliateID = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(expiresAtMsec, as: Int64.self, id: 1)
        writer.write(inviteURL, as: WireString.self, id: 2)
        writer.write(affiliateID, as: WireString.self, id: 3)
        writer.stop()
    }
}

/// The removal of a group's invitation link.
public struct GroupInviteDisable: Hashable, Sendable {
    /// Field 1, `disabled_by_member_id`.
    public var disabledByMemberID: UserID?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(disabledByMemberID: UserID? = nil) {
        self.disabledByMemberID = disabledByMemberID
    }
}

extension GroupInviteDisable: WireStruct {
    package static let schema = StructSchema(
        struct: "GroupInviteDisable",
        [
            FieldSchema(1, "disabled_by_member_id", .string)
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: disabledByMemberID = try reader.read(UserID.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(disabledByMemberID, as: UserID.self, id: 1)
        writer.stop()
    }
}

/// A user's request to join a group.
public struct GroupJoinRequest: Hashable, Sendable {
    /// Field 1, `requesting_user_id`.
    public var requestingUserID: UserID?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(requestingUserID: UserID? = nil) {
        self.requestingUserID = requestingUserID
    }
}

extension GroupJoinRequest: WireStruct {
    package static let schema = StructSchema(
        struct: "GroupJoinRequest",
        [
            FieldSchema(1, "requesting_user_id", .string)
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: requestingUserID = try reader.read(UserID.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(requestingUserID, as: UserID.self, id: 1)
        writer.stop()
    }
}

/// Rejected requests to join a group.
public struct GroupJoinReject: Hashable, Sendable {
    /// Field 1, `rejected_user_ids`.
    public var rejectedUserIDs: [UserID]?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(rejectedUserIDs: [UserID]? = nil) {
        self.rejectedUserIDs = rejectedUserIDs
    }
}

extension GroupJoinReject: WireStruct {
    package static let schema = StructSchema(
        struct: "GroupJoinReject",
        [
            FieldSchema(1, "rejected_user_ids", .list(.string))
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: rejectedUserIDs = try reader.read(ListOf<UserID>.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(rejectedUserIDs, as: ListOf<UserID>.self, id: 1)
        writer.stop()
    }
}

/// The actions that only a group's administrators may take.
public struct GroupAdminSettings: Hashable, Sendable {
    /// Field 1, `edit_group_info`.
    public var editGroupInfo: Bool?
    /// Field 2, `edit_message_ttl`.
    public var editMessageTTL: Bool?
    /// Field 3, `block_screen_capture`.
    public var blockScreenCapture: Bool?
    /// Field 4, `add_member`.
    public var addMember: Bool?
    /// Field 5, `send_message`.
    public var sendMessage: Bool?
    /// Field 6, `start_call`.
    public var startCall: Bool?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        editGroupInfo: Bool? = nil,
        editMessageTTL: Bool? = nil,
        blockScreenCapture: Bool? = nil,
        addMember: Bool? = nil,
        sendMessage: Bool? = nil,
        startCall: Bool? = nil
    ) {
        self.editGroupInfo = editGroupInfo
        self.editMessageTTL = editMessageTTL
        self.blockScreenCapture = blockScreenCapture
        self.addMember = addMember
        self.sendMessage = sendMessage
        self.startCall = startCall
    }
}

extension GroupAdminSettings: WireStruct {
    package static let schema = StructSchema(
        struct: "GroupAdminSettings",
        [
            FieldSchema(1, "edit_group_info", .bool),
            FieldSchema(2, "edit_message_ttl", .bool),
            FieldSchema(3, "block_screen_capture", .bool),
            FieldSchema(4, "add_member", .bool),
            FieldSchema(5, "send_message", .bool),
            FieldSchema(6, "start_call", .bool),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: editGroupInfo = try reader.read(Bool.self, field)
                case 2: editMessageTTL = try reader.read(Bool.self, field)
                case 3: blockScreenCapture = try reader.read(Bool.self, field)
                case 4: addMember = try reader.read(Bool.self, field)
                case 5: sendMessage = try reader.read(Bool.self, field)
                case 6: startCall = try reader.read(Bool.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(editGroupInfo, as: Bool.self, id: 1)
        writer.write(editMessageTTL, as: Bool.self, id: 2)
        writer.write(blockScreenCapture, as: Bool.self, id: 3)
        writer.write(addMember, as: Bool.self, id: 4)
        writer.write(sendMessage, as: Bool.self, id: 5)
        writer.write(startCall, as: Bool.self, id: 6)
        writer.stop()
    }
}

/// A change of the actions that only a group's administrators may take.
public struct GroupAdminSettingsChange: Hashable, Sendable {
    /// Field 1, `edit_group_info`.
    public var editGroupInfo: Bool?
    /// Field 2, `edit_message_ttl`.
    public var editMessageTTL: Bool?
    /// Field 3, `block_screen_capture`.
    public var blockScreenCapture: Bool?
    /// Field 4, `add_member`.
    public var addMember: Bool?
    /// Field 5, `send_message`.
    public var sendMessage: Bool?
    /// Field 6, `start_call`.
    public var startCall: Bool?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        editGroupInfo: Bool? = nil,
        editMessageTTL: Bool? = nil,
        blockScreenCapture: Bool? = nil,
        addMember: Bool? = nil,
        sendMessage: Bool? = nil,
        startCall: Bool? = nil
    ) {
        self.editGroupInfo = editGroupInfo
        self.editMessageTTL = editMessageTTL
        self.blockScreenCapture = blockScreenCapture
        self.addMember = addMember
        self.sendMessage = sendMessage
        self.startCall = startCall
    }
}

extension GroupAdminSettingsChange: WireStruct {
    package static let schema = StructSchema(
        struct: "GroupAdminSettingsChange",
        [
            FieldSchema(1, "edit_group_info", .bool),
            FieldSchema(2, "edit_message_ttl", .bool),
            FieldSchema(3, "block_screen_capture", .bool),
            FieldSchema(4, "add_member", .bool),
            FieldSchema(5, "send_message", .bool),
            FieldSchema(6, "start_call", .bool),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: editGroupInfo = try reader.read(Bool.self, field)
                case 2: editMessageTTL = try reader.read(Bool.self, field)
                case 3: blockScreenCapture = try reader.read(Bool.self, field)
                case 4: addMember = try reader.read(Bool.self, field)
                case 5: sendMessage = try reader.read(Bool.self, field)
                case 6: startCall = try reader.read(Bool.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(editGroupInfo, as: Bool.self, id: 1)
        writer.write(editMessageTTL, as: Bool.self, id: 2)
        writer.write(blockScreenCapture, as: Bool.self, id: 3)
        writer.write(addMember, as: Bool.self, id: 4)
        writer.write(sendMessage, as: Bool.self, id: 5)
        writer.write(startCall, as: Bool.self, id: 6)
        writer.stop()
    }
}

/// Members added to a group, with the state of the group.
public struct GroupMemberAddChange: Hashable, Sendable {
    /// Field 1, `member_ids`: the new members.
    public var memberIDs: [UserID]?
    /// Field 2, `current_member_ids`: the members before the addition.
    public var currentMemberIDs: [UserID]?
    /// Field 3, `current_admin_ids`.
    public var currentAdminIDs: [UserID]?
    /// Field 4, `current_title`.
    public var currentTitle: WireString?
    /// Field 5, `current_avatar_url`.
    public var currentAvatarURL: WireString?
    /// Field 6, `conversation_key_version`.
    public var conversationKeyVersion: KeyVersion?
    /// Field 7, `current_ttl_msec`.
    public var currentTTLMsec: Int64?
    /// Field 8, `current_pending_member_ids`.
    public var currentPendingMemberIDs: [UserID]?
    /// Field 9, `screen_capture_blocking_enabled`.
    public var screenCaptureBlockingEnabled: Bool?
    /// Field 11, `group_invite_enable`.
    public var groupInviteEnable: GroupInviteEnable?
    /// Field 12, `admin_settings`.
    public var adminSettings: GroupAdminSettings?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        memberIDs: [UserID]? = nil,
        currentMemberIDs: [UserID]? = nil,
        currentAdminIDs: [UserID]? = nil,
        currentTitle: WireString? = nil,
        currentAvatarURL: WireString? = nil,
        conversationKeyVersion: KeyVersion? = nil,
        currentTTLMsec: Int64? = nil,
        currentPendingMemberIDs: [UserID]? = nil,
        screenCaptureBlockingEnabled: Bool? = nil,
        groupInviteEnable: GroupInviteEnable? = nil,
        adminSettings: GroupAdminSettings? = nil
    ) {
        self.memberIDs = memberIDs
        self.currentMemberIDs = currentMemberIDs
        self.currentAdminIDs = currentAdminIDs
        self.currentTitle = currentTitle
        self.currentAvatarURL = currentAvatarURL
        self.conversationKeyVersion = conversationKeyVersion
        self.currentTTLMsec = currentTTLMsec
        self.currentPendingMemberIDs = currentPendingMemberIDs
        self.screenCaptureBlockingEnabled = screenCaptureBlockingEnabled
        self.groupInviteEnable = groupInviteEnable
        self.adminSettings = adminSettings
    }
}

extension GroupMemberAddChange: WireStruct {
    package static let schema = StructSchema(
        struct: "GroupMemberAddChange",
        [
            FieldSchema(1, "member_ids", .list(.string)),
            FieldSchema(2, "current_member_ids", .list(.string)),
            FieldSchema(3, "current_admin_ids", .list(.string)),
            FieldSchema(4, "current_title", .string),
            FieldSchema(5, "current_avatar_url", .string),
            FieldSchema(6, "conversation_key_version", .string),
            FieldSchema(7, "current_ttl_msec", .i64),
            FieldSchema(8, "current_pending_member_ids", .list(.string)),
            FieldSchema(9, "screen_capture_blocking_enabled", .bool),
            FieldSchema(11, "group_invite_enable", .structure(GroupInviteEnable.self)),
            FieldSchema(12, "admin_settings", .structure(GroupAdminSettings.self)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: memberIDs = try reader.read(ListOf<UserID>.self, field)
                case 2: currentMemberIDs = try reader.read(ListOf<UserID>.self, field)
                case 3: currentAdminIDs = try reader.read(ListOf<UserID>.self, field)
                case 4: currentTitle = try reader.read(WireString.self, field)
                case 5: currentAvatarURL = try reader.read(WireString.self, field)
                case 6: conversationKeyVersion = try reader.read(KeyVersion.self, field)
                case 7: currentTTLMsec = try reader.read(Int64.self, field)
                case 8: currentPendingMemberIDs = try reader.read(ListOf<UserID>.self, field)
                case 9: screenCaptureBlockingEnabled = try reader.read(Bool.self, field)
                case 11: groupInviteEnable = try reader.read(GroupInviteEnable.self, field)
                case 12: adminSettings = try reader.read(GroupAdminSettings.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(memberIDs, as: ListOf<UserID>.self, id: 1)
        writer.write(currentMemberIDs, as: ListOf<UserID>.self, id: 2)
        writer.write(currentAdminIDs, as: ListOf<UserID>.self, id: 3)
        writer.write(currentTitle, as: WireString.self, id: 4)
        writer.write(currentAvatarURL, as: WireString.self, id: 5)
        writer.write(conversationKeyVersion, as: KeyVersion.self, id: 6)
        writer.write(currentTTLMsec, as: Int64.self, id: 7)
        writer.write(currentPendingMemberIDs, as: ListOf<UserID>.self, id: 8)
        writer.write(screenCaptureBlockingEnabled, as: Bool.self, id: 9)
        writer.write(groupInviteEnable, as: GroupInviteEnable.self, id: 11)
        writer.write(adminSettings, as: GroupAdminSettings.self, id: 12)
        writer.stop()
    }
}

/// One change of a group.
public enum GroupChange: Hashable, Sendable {
    /// Field 1, `group_create`.
    case groupCreate(GroupCreate)
    /// Field 2, `group_title_change`.
    case groupTitleChange(GroupTitleChange)
    /// Field 3, `group_avatar_change`.
    case groupAvatarChange(GroupAvatarUrlChange)
    /// Field 4, `group_admin_add`.
    case groupAdminAdd(GroupAdminAddChange)
    /// Field 5, `group_member_add`.
    case groupMemberAdd(GroupMemberAddChange)
    /// Field 6, `group_admin_remove`.
    case groupAdminRemove(GroupAdminRemoveChange)
    /// Field 7, `group_member_remove`.
    case groupMemberRemove(GroupMemberRemoveChange)
    /// Field 8, `group_invite_enable`.
    case groupInviteEnable(GroupInviteEnable)
    /// Field 9, `group_invite_disable`.
    case groupInviteDisable(GroupInviteDisable)
    /// Field 10, `group_join_request`.
    case groupJoinRequest(GroupJoinRequest)
    /// Field 11, `group_join_reject`.
    case groupJoinReject(GroupJoinReject)
    /// Field 12, `group_admin_settings_change`.
    case groupAdminSettingsChange(GroupAdminSettingsChange)
    /// A variant that is unknown to this version.
    case unknown(UnknownField)
}

extension GroupChange: WireStruct {
    package static let schema = StructSchema(
        union: "GroupChange",
        [
            FieldSchema(1, "group_create", .structure(GroupCreate.self)),
            FieldSchema(2, "group_title_change", .structure(GroupTitleChange.self)),
            FieldSchema(3, "group_avatar_change", .structure(GroupAvatarUrlChange.self)),
            FieldSchema(4, "group_admin_add", .structure(GroupAdminAddChange.self)),
            FieldSchema(5, "group_member_add", .structure(GroupMemberAddChange.self)),
            FieldSchema(6, "group_admin_remove", .structure(GroupAdminRemoveChange.self)),
            FieldSchema(7, "group_member_remove", .structure(GroupMemberRemoveChange.self)),
            FieldSchema(8, "group_invite_enable", .structure(GroupInviteEnable.self)),
            FieldSchema(9, "group_invite_disable", .structure(GroupInviteDisable.self)),
            FieldSchema(10, "group_join_request", .structure(GroupJoinRequest.self)),
            FieldSchema(11, "group_join_reject", .structure(GroupJoinReject.self)),
            FieldSchema(12, "group_admin_settings_change", .structure(GroupAdminSettingsChange.self)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var choice = UnionChoice<Self>(at: reader.offset)
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: try choice.take(.groupCreate(reader.read(field)), field)
                case 2: try choice.take(.groupTitleChange(reader.read(field)), field)
                case 3: try choice.take(.groupAvatarChange(reader.read(field)), field)
                case 4: try choice.take(.groupAdminAdd(reader.read(field)), field)
                case 5: try choice.take(.groupMemberAdd(reader.read(field)), field)
                case 6: try choice.take(.groupAdminRemove(reader.read(field)), field)
                case 7: try choice.take(.groupMemberRemove(reader.read(field)), field)
                case 8: try choice.take(.groupInviteEnable(reader.read(field)), field)
                case 9: try choice.take(.groupInviteDisable(reader.read(field)), field)
                case 10: try choice.take(.groupJoinRequest(reader.read(field)), field)
                case 11: try choice.take(.groupJoinReject(reader.read(field)), field)
                case 12: try choice.take(.groupAdminSettingsChange(reader.read(field)), field)
                default: try choice.keep(field, from: &reader)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
        self = try choice.resolved(orUnknown: Self.unknown)
    }

    package func write(to writer: inout ThriftWriter) {
        switch self {
        case .groupCreate(let value): writer.write(value, id: 1)
        case .groupTitleChange(let value): writer.write(value, id: 2)
        case .groupAvatarChange(let value): writer.write(value, id: 3)
        case .groupAdminAdd(let value): writer.write(value, id: 4)
        case .groupMemberAdd(let value): writer.write(value, id: 5)
        case .groupAdminRemove(let value): writer.write(value, id: 6)
        case .groupMemberRemove(let value): writer.write(value, id: 7)
        case .groupInviteEnable(let value): writer.write(value, id: 8)
        case .groupInviteDisable(let value): writer.write(value, id: 9)
        case .groupJoinRequest(let value): writer.write(value, id: 10)
        case .groupJoinReject(let value): writer.write(value, id: 11)
        case .groupAdminSettingsChange(let value): writer.write(value, id: 12)
        case .unknown(let field): writer.write(field)
        }
        writer.stop()
    }
}

/// A change of a group.
public struct GroupChangeEvent: Hashable, Sendable {
    /// Field 1, `group_change`.
    public var groupChange: GroupChange?
    /// Field 2, `for_key_rotation`.
    public var forKeyRotation: Bool?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(groupChange: GroupChange? = nil, forKeyRotation: Bool? = nil) {
        self.groupChange = groupChange
        self.forKeyRotation = forKeyRotation
    }
}

extension GroupChangeEvent: WireStruct {
    package static let schema = StructSchema(
        struct: "GroupChangeEvent",
        [
            FieldSchema(1, "group_change", .structure(GroupChange.self)),
            FieldSchema(2, "for_key_rotation", .bool),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: groupChange = try reader.read(GroupChange.self, field)
                case 2: forKeyRotation = try reader.read(Bool.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(groupChange, as: GroupChange.self, id: 1)
        writer.write(forKeyRotation, as: Bool.self, id: 2)
        writer.stop()
    }
}
