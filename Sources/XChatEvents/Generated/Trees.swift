// generated from xchat.thrift by script/generate-events; change the IDL, not this file

package import ThriftBinary

/// A member of a ratchet tree.
public struct Member: Hashable, Sendable {
    /// Field 1, `userId`.
    public var userID: Int64
    /// Field 2, `keyVersion`.
    public var keyVersion: Int64

    /// Makes a value.
    public init(userID: Int64, keyVersion: Int64) {
        self.userID = userID
        self.keyVersion = keyVersion
    }
}

extension Member: WireStruct {
    package static let schema = StructSchema(
        struct: "Member",
        [
            FieldSchema(1, "userId", .i64, isRequired: true),
            FieldSchema(2, "keyVersion", .i64, isRequired: true),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        let start = reader.offset
        var userID: Int64?
        var keyVersion: Int64?
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: userID = try reader.read(Int64.self, field)
                case 2: keyVersion = try reader.read(Int64.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
        guard let userID else {
            throw ThriftError(.missingField, path: "userId", offset: start)
        }
        guard let keyVersion else {
            throw ThriftError(.missingField, path: "keyVersion", offset: start)
        }
        self.init(userID: userID, keyVersion: keyVersion)
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(userID, as: Int64.self, id: 1)
        writer.write(keyVersion, as: Int64.self, id: 2)
        writer.stop()
    }
}

/// A public key of a ratchet tree.
public struct PubKeyBytes: Hashable, Sendable {
    /// Field 1, `pubKeyBytes`.
    public var pubKeyBytes: [UInt8]

    /// Makes a value.
    public init(pubKeyBytes: [UInt8]) {
        self.pubKeyBytes = pubKeyBytes
    }
}

extension PubKeyBytes: WireStruct {
    package static let schema = StructSchema(
        struct: "PubKeyBytes",
        [
            FieldSchema(1, "pubKeyBytes", .binary, isRequired: true)
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        let start = reader.offset
        var pubKeyBytes: [UInt8]?
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: pubKeyBytes = try reader.read(Binary.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
        guard let pubKeyBytes else {
            throw ThriftError(.missingField, path: "pubKeyBytes", offset: start)
        }
        self.init(pubKeyBytes: pubKeyBytes)
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(pubKeyBytes, as: Binary.self, id: 1)
        writer.stop()
    }
}

/// The public keys of a member of a ratchet tree.
public struct MemberKeyInfo: Hashable, Sendable {
    /// Field 1, `identityPublicKey`.
    public var identityPublicKey: [UInt8]?
    /// Field 2, `signingPublicKey`.
    public var signingPublicKey: [UInt8]?
    /// Field 3, `identityKeySignature`.
    public var identityKeySignature: [UInt8]?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        identityPublicKey: [UInt8]? = nil,
        signingPublicKey: [UInt8]? = nil,
        identityKeySignature: [UInt8]? = nil
    ) {
        self.identityPublicKey = identityPublicKey
        self.signingPublicKey = signingPublicKey
        self.identityKeySignature = identityKeySignature
    }
}

extension MemberKeyInfo: WireStruct {
    package static let schema = StructSchema(
        struct: "MemberKeyInfo",
        [
            FieldSchema(1, "identityPublicKey", .binary),
            FieldSchema(2, "signingPublicKey", .binary),
            FieldSchema(3, "identityKeySignature", .binary),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: identityPublicKey = try reader.read(Binary.self, field)
                case 2: signingPublicKey = try reader.read(Binary.self, field)
                case 3: identityKeySignature = try reader.read(Binary.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(identityPublicKey, as: Binary.self, id: 1)
        writer.write(signingPublicKey, as: Binary.self, id: 2)
        writer.write(identityKeySignature, as: Binary.self, id: 3)
        writer.stop()
    }
}

/// The key of a node of a ratchet tree.
public struct TreeKeyData: Hashable, Sendable {
    /// Field 1, `publicKey`.
    public var publicKey: PubKeyBytes
    /// Field 2, `subTreeHash`.
    public var subTreeHash: [UInt8]

    /// Makes a value.
    public init(publicKey: PubKeyBytes, subTreeHash: [UInt8]) {
        self.publicKey = publicKey
        self.subTreeHash = subTreeHash
    }
}

extension TreeKeyData: WireStruct {
    package static let schema = StructSchema(
        struct: "TreeKeyData",
        [
            FieldSchema(1, "publicKey", .structure(PubKeyBytes.self), isRequired: true),
            FieldSchema(2, "subTreeHash", .binary, isRequired: true),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        let start = reader.offset
        var publicKey: PubKeyBytes?
        var subTreeHash: [UInt8]?
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: publicKey = try reader.read(PubKeyBytes.self, field)
                case 2: subTreeHash = try reader.read(Binary.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
        guard let publicKey else {
            throw ThriftError(.missingField, path: "publicKey", offset: start)
        }
        guard let subTreeHash else {
            throw ThriftError(.missingField, path: "subTreeHash", offset: start)
        }
        self.init(publicKey: publicKey, subTreeHash: subTreeHash)
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(publicKey, as: PubKeyBytes.self, id: 1)
        writer.write(subTreeHash, as: Binary.self, id: 2)
        writer.stop()
    }
}

/// A node of a ratchet tree.
public struct TreeNode: Hashable, Sendable {
    /// Field 1, `member`.
    public var member: Member?
    /// Field 2, `keyData`.
    public var keyData: TreeKeyData?
    /// Field 3, `nodeSecretKeyEncryptions`.
    public var nodeSecretKeyEncryptions: [[UInt8]: [UInt8]]?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        member: Member? = nil,
        keyData: TreeKeyData? = nil,
        nodeSecretKeyEncryptions: [[UInt8]: [UInt8]]? = nil
    ) {
        self.member = member
        self.keyData = keyData
        self.nodeSecretKeyEncryptions = nodeSecretKeyEncryptions
    }
}

extension TreeNode: WireStruct {
    package static let schema = StructSchema(
        struct: "TreeNode",
        [
            FieldSchema(1, "member", .structure(Member.self)),
            FieldSchema(2, "keyData", .structure(TreeKeyData.self)),
            FieldSchema(3, "nodeSecretKeyEncryptions", .map(.binary, .binary)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: member = try reader.read(Member.self, field)
                case 2: keyData = try reader.read(TreeKeyData.self, field)
                case 3: nodeSecretKeyEncryptions = try reader.read(MapOf<Binary, Binary>.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(member, as: Member.self, id: 1)
        writer.write(keyData, as: TreeKeyData.self, id: 2)
        writer.write(nodeSecretKeyEncryptions, as: MapOf<Binary, Binary>.self, id: 3)
        writer.stop()
    }
}

/// A node of a ratchet tree, or the gap where one was.
public struct MaybeTreeNode: Hashable, Sendable {
    /// Field 1, `node`.
    public var node: TreeNode?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(node: TreeNode? = nil) {
        self.node = node
    }
}

extension MaybeTreeNode: WireStruct {
    package static let schema = StructSchema(
        struct: "MaybeTreeNode",
        [
            FieldSchema(1, "node", .structure(TreeNode.self))
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: node = try reader.read(TreeNode.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(node, as: TreeNode.self, id: 1)
        writer.stop()
    }
}

/// The creation of a ratchet tree.
public struct GenGroupOpData: Hashable, Sendable {
    /// Field 1, `updateMap`.
    public var updateMap: [Int32: [[UInt8]: [UInt8]]]?
    /// Field 2, `newPathPks`.
    public var newPathPks: [Int32: [UInt8]]?
    /// Field 3, `initialMembers`.
    public var initialMembers: [Member]?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        updateMap: [Int32: [[UInt8]: [UInt8]]]? = nil,
        newPathPks: [Int32: [UInt8]]? = nil,
        initialMembers: [Member]? = nil
    ) {
        self.updateMap = updateMap
        self.newPathPks = newPathPks
        self.initialMembers = initialMembers
    }
}

extension GenGroupOpData: WireStruct {
    package static let schema = StructSchema(
        struct: "GenGroupOpData",
        [
            FieldSchema(1, "updateMap", .map(.i32, .map(.binary, .binary))),
            FieldSchema(2, "newPathPks", .map(.i32, .binary)),
            FieldSchema(3, "initialMembers", .list(.structure(Member.self))),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: updateMap = try reader.read(MapOf<Int32, MapOf<Binary, Binary>>.self, field)
                case 2: newPathPks = try reader.read(MapOf<Int32, Binary>.self, field)
                case 3: initialMembers = try reader.read(ListOf<Member>.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(updateMap, as: MapOf<Int32, MapOf<Binary, Binary>>.self, id: 1)
        writer.write(newPathPks, as: MapOf<Int32, Binary>.self, id: 2)
        writer.write(initialMembers, as: ListOf<Member>.self, id: 3)
        writer.stop()
    }
}

/// A change of a ratchet tree.
public struct EditOpData: Hashable, Sendable {
    /// Field 1, `updateMap`.
    public var updateMap: [Int32: [[UInt8]: [UInt8]]]?
    /// Field 2, `newPathPks`.
    public var newPathPks: [Int32: [UInt8]]?
    /// Field 3, `membersLeft`.
    public var membersLeft: [Member]?
    /// Field 4, `membersToAdd`.
    public var membersToAdd: [Member]?
    /// Field 5, `membersUpdated`.
    public var membersUpdated: [Member]?
    /// Field 6, `fullTreeList`.
    public var fullTreeList: [MaybeTreeNode]?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        updateMap: [Int32: [[UInt8]: [UInt8]]]? = nil,
        newPathPks: [Int32: [UInt8]]? = nil,
        membersLeft: [Member]? = nil,
        membersToAdd: [Member]? = nil,
        membersUpdated: [Member]? = nil,
        fullTreeList: [MaybeTreeNode]? = nil
    ) {
        self.updateMap = updateMap
        self.newPathPks = newPathPks
        self.membersLeft = membersLeft
        self.membersToAdd = membersToAdd
        self.membersUpdated = membersUpdated
        self.fullTreeList = fullTreeList
    }
}

extension EditOpData: WireStruct {
    package static let schema = StructSchema(
        struct: "EditOpData",
        [
            FieldSchema(1, "updateMap", .map(.i32, .map(.binary, .binary))),
            FieldSchema(2, "newPathPks", .map(.i32, .binary)),
            FieldSchema(3, "membersLeft", .list(.structure(Member.self))),
            FieldSchema(4, "membersToAdd", .list(.structure(Member.self))),
            FieldSchema(5, "membersUpdated", .list(.structure(Member.self))),
            FieldSchema(6, "fullTreeList", .list(.structure(MaybeTreeNode.self))),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: updateMap = try reader.read(MapOf<Int32, MapOf<Binary, Binary>>.self, field)
                case 2: newPathPks = try reader.read(MapOf<Int32, Binary>.self, field)
                case 3: membersLeft = try reader.read(ListOf<Member>.self, field)
                case 4: membersToAdd = try reader.read(ListOf<Member>.self, field)
                case 5: membersUpdated = try reader.read(ListOf<Member>.self, field)
                case 6: fullTreeList = try reader.read(ListOf<MaybeTreeNode>.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(updateMap, as: MapOf<Int32, MapOf<Binary, Binary>>.self, id: 1)
        writer.write(newPathPks, as: MapOf<Int32, Binary>.self, id: 2)
        writer.write(membersLeft, as: ListOf<Member>.self, id: 3)
        writer.write(membersToAdd, as: ListOf<Member>.self, id: 4)
        writer.write(membersUpdated, as: ListOf<Member>.self, id: 5)
        writer.write(fullTreeList, as: ListOf<MaybeTreeNode>.self, id: 6)
        writer.stop()
    }
}

/// One operation on a ratchet tree.
public enum TypeData: Hashable, Sendable {
    /// Field 1, `genGroup`.
    case genGroup(GenGroupOpData)
    /// Field 6, `edit`.
    case edit(EditOpData)
    /// A variant that is unknown to this version.
    case unknown(UnknownField)
}

extension TypeData: WireStruct {
    package static let schema = StructSchema(
        union: "TypeData",
        [
            FieldSchema(1, "genGroup", .structure(GenGroupOpData.self)),
            FieldSchema(6, "edit", .structure(EditOpData.self)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var choice = UnionChoice<Self>(at: reader.offset)
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: try choice.take(.genGroup(reader.read(field)), field)
                case 6: try choice.take(.edit(reader.read(field)), field)
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
        case .genGroup(let value): writer.write(value, id: 1)
        case .edit(let value): writer.write(value, id: 6)
        case .unknown(let field): writer.write(field)
        }
        writer.stop()
    }
}

/// The ratchet tree that a key change event may contain.
public struct GroupOpData: Hashable, Sendable {
    /// Field 1, `groupId`.
    public var groupID: WireString?
    /// Field 2, `treeVersion`.
    public var treeVersion: Int64?
    /// Field 3, `actionBy`.
    public var actionBy: Member?
    /// Field 4, `typeData`.
    public var typeData: TypeData?
    /// Field 6, `memberKeyInfo`.
    public var memberKeyInfo: [Int64: MemberKeyInfo]?

    /// Makes a value; fields that are nil are absent on the wire.
    public init(
        groupID: WireString? = nil,
        treeVersion: Int64? = nil,
        actionBy: Member? = nil,
        typeData: TypeData? = nil,
        memberKeyInfo: [Int64: MemberKeyInfo]? = nil
    ) {
        self.groupID = groupID
        self.treeVersion = treeVersion
        self.actionBy = actionBy
        self.typeData = typeData
        self.memberKeyInfo = memberKeyInfo
    }
}

extension GroupOpData: WireStruct {
    package static let schema = StructSchema(
        struct: "GroupOpData",
        [
            FieldSchema(1, "groupId", .string),
            FieldSchema(2, "treeVersion", .i64),
            FieldSchema(3, "actionBy", .structure(Member.self)),
            FieldSchema(4, "typeData", .structure(TypeData.self)),
            FieldSchema(6, "memberKeyInfo", .map(.i64, .structure(MemberKeyInfo.self))),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: groupID = try reader.read(WireString.self, field)
                case 2: treeVersion = try reader.read(Int64.self, field)
                case 3: actionBy = try reader.read(Member.self, field)
                case 4: typeData = try reader.read(TypeData.self, field)
                case 6: memberKeyInfo = try reader.read(MapOf<Int64, MemberKeyInfo>.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(groupID, as: WireString.self, id: 1)
        writer.write(treeVersion, as: Int64.self, id: 2)
        writer.write(actionBy, as: Member.self, id: 3)
        writer.write(typeData, as: TypeData.self, id: 4)
        writer.write(memberKeyInfo, as: MapOf<Int64, MemberKeyInfo>.self, id: 6)
        writer.stop()
    }
}
