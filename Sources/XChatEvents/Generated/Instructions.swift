// generated from xchat.thrift by script/generate-events; change the IDL, not this file

package import ThriftBinary

/// The server asks for events to be fetched.
package struct PullMessagesInstruction: Hashable, Sendable {
    /// Field 1, `sequence_start`.
    package var sequenceStart: SequenceID?
    /// Field 2, `sender_id`.
    package var senderID: UserID?
    /// Field 6, `is_batched_pull`.
    package var isBatchedPull: Bool?

    /// Makes a value; fields that are nil are absent on the wire.
    package init(sequenceStart: SequenceID? = nil, senderID: UserID? = nil, isBatchedPull: Bool? = nil) {
        self.sequenceStart = sequenceStart
        self.senderID = senderID
        self.isBatchedPull = isBatchedPull
    }
}

extension PullMessagesInstruction: WireStruct {
    package static let schema = StructSchema(
        struct: "PullMessagesInstruction",
        [
            FieldSchema(1, "sequence_start", .string),
            FieldSchema(2, "sender_id", .string),
            FieldSchema(6, "is_batched_pull", .bool),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: sequenceStart = try reader.read(SequenceID.self, field)
                case 2: senderID = try reader.read(UserID.self, field)
                case 6: isBatchedPull = try reader.read(Bool.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(sequenceStart, as: SequenceID.self, id: 1)
        writer.write(senderID, as: UserID.self, id: 2)
        writer.write(isBatchedPull, as: Bool.self, id: 6)
        writer.stop()
    }
}

/// The server keeps the connection open.
package struct KeepAliveInstruction: Hashable, Sendable {
    /// Makes a value.
    package init() {}
}

extension KeepAliveInstruction: WireStruct {
    package static let schema = StructSchema(struct: "KeepAliveInstruction", [])

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                try reader.skip(field)
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.stop()
    }
}

/// The bounds of a page of fetched events.
package struct PullMessagePageDetails: Hashable, Sendable {
    /// Field 3, `min_sequence_id`.
    package var minSequenceID: SequenceID?
    /// Field 4, `max_sequence_id`.
    package var maxSequenceID: SequenceID?
    /// Field 7, `is_batched_pull`.
    package var isBatchedPull: Bool?

    /// Makes a value; fields that are nil are absent on the wire.
    package init(minSequenceID: SequenceID? = nil, maxSequenceID: SequenceID? = nil, isBatchedPull: Bool? = nil) {
        self.minSequenceID = minSequenceID
        self.maxSequenceID = maxSequenceID
        self.isBatchedPull = isBatchedPull
    }
}

extension PullMessagePageDetails: WireStruct {
    package static let schema = StructSchema(
        struct: "PullMessagePageDetails",
        [
            FieldSchema(3, "min_sequence_id", .string),
            FieldSchema(4, "max_sequence_id", .string),
            FieldSchema(7, "is_batched_pull", .bool),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 3: minSequenceID = try reader.read(SequenceID.self, field)
                case 4: maxSequenceID = try reader.read(SequenceID.self, field)
                case 7: isBatchedPull = try reader.read(Bool.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(minSequenceID, as: SequenceID.self, id: 3)
        writer.write(maxSequenceID, as: SequenceID.self, id: 4)
        writer.write(isBatchedPull, as: Bool.self, id: 7)
        writer.stop()
    }
}

/// A fetch of events has ended.
package struct PullMessagesFinishedInstruction: Hashable, Sendable {
    /// Field 1, `finished_pull`.
    package var finishedPull: Bool?
    /// Field 2, `sequence_continue`.
    package var sequenceContinue: SequenceID?
    /// Field 3, `pull_message_page_details`.
    package var pullMessagePageDetails: PullMessagePageDetails?

    /// Makes a value; fields that are nil are absent on the wire.
    package init(
        finishedPull: Bool? = nil,
        sequenceContinue: SequenceID? = nil,
        pullMessagePageDetails: PullMessagePageDetails? = nil
    ) {
        self.finishedPull = finishedPull
        self.sequenceContinue = sequenceContinue
        self.pullMessagePageDetails = pullMessagePageDetails
    }
}

extension PullMessagesFinishedInstruction: WireStruct {
    package static let schema = StructSchema(
        struct: "PullMessagesFinishedInstruction",
        [
            FieldSchema(1, "finished_pull", .bool),
            FieldSchema(2, "sequence_continue", .string),
            FieldSchema(3, "pull_message_page_details", .structure(PullMessagePageDetails.self)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: finishedPull = try reader.read(Bool.self, field)
                case 2: sequenceContinue = try reader.read(SequenceID.self, field)
                case 3: pullMessagePageDetails = try reader.read(PullMessagePageDetails.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(finishedPull, as: Bool.self, id: 1)
        writer.write(sequenceContinue, as: SequenceID.self, id: 2)
        writer.write(pullMessagePageDetails, as: PullMessagePageDetails.self, id: 3)
        writer.stop()
    }
}

/// The server asks for the PIN to be entered again.
package struct PinReminderInstruction: Hashable, Sendable {
    /// Field 1, `should_register`.
    package var shouldRegister: Bool?
    /// Field 2, `should_generate`.
    package var shouldGenerate: Bool?
    /// Field 3, `is_required`.
    package var isRequired: Bool?

    /// Makes a value; fields that are nil are absent on the wire.
    package init(shouldRegister: Bool? = nil, shouldGenerate: Bool? = nil, isRequired: Bool? = nil) {
        self.shouldRegister = shouldRegister
        self.shouldGenerate = shouldGenerate
        self.isRequired = isRequired
    }
}

extension PinReminderInstruction: WireStruct {
    package static let schema = StructSchema(
        struct: "PinReminderInstruction",
        [
            FieldSchema(1, "should_register", .bool),
            FieldSchema(2, "should_generate", .bool),
            FieldSchema(3, "is_required", .bool),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: shouldRegister = try reader.read(Bool.self, field)
                case 2: shouldGenerate = try reader.read(Bool.self, field)
                case 3: isRequired = try reader.read(Bool.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(shouldRegister, as: Bool.self, id: 1)
        writer.write(shouldGenerate, as: Bool.self, id: 2)
        writer.write(isRequired, as: Bool.self, id: 3)
        writer.stop()
    }
}

/// The server asks for events to be fetched another way.
package struct SwitchToHybridPullInstruction: Hashable, Sendable {
    /// Field 1, `requesting_user_agent`.
    package var requestingUserAgent: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    package init(requestingUserAgent: WireString? = nil) {
        self.requestingUserAgent = requestingUserAgent
    }
}

extension SwitchToHybridPullInstruction: WireStruct {
    package static let schema = StructSchema(
        struct: "SwitchToHybridPullInstruction",
        [
            FieldSchema(1, "requesting_user_agent", .string)
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: requestingUserAgent = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(requestingUserAgent, as: WireString.self, id: 1)
        writer.stop()
    }
}

/// The server asks for a temporary passcode to be shown.
package struct DisplayTemporaryPasscodeInstruction: Hashable, Sendable {
    /// Field 1, `token`.
    package var token: WireString?
    /// Field 2, `latest_public_key_version`.
    package var latestPublicKeyVersion: KeyVersion?

    /// Makes a value; fields that are nil are absent on the wire.
    package init(token: WireString? = nil, latestPublicKeyVersion: KeyVersion? = nil) {
        self.token = token
        self.latestPublicKeyVersion = latestPublicKeyVersion
    }
}

extension DisplayTemporaryPasscodeInstruction: WireStruct {
    package static let schema = StructSchema(
        struct: "DisplayTemporaryPasscodeInstruction",
        [
            FieldSchema(1, "token", .string),
            FieldSchema(2, "latest_public_key_version", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: token = try reader.read(WireString.self, field)
                case 2: latestPublicKeyVersion = try reader.read(KeyVersion.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(token, as: WireString.self, id: 1)
        writer.write(latestPublicKeyVersion, as: KeyVersion.self, id: 2)
        writer.stop()
    }
}

/// A device's description of itself.
package struct DeviceDescriptor: Hashable, Sendable {
    /// Field 1, `device_type`.
    package var deviceType: WireString?
    /// Field 2, `device_model`.
    package var deviceModel: WireString?
    /// Field 3, `app_version`.
    package var appVersion: WireString?
    /// Field 4, `app_name`.
    package var appName: WireString?

    /// Makes a value; fields that are nil are absent on the wire.
    package init(
        deviceType: WireString? = nil,
        deviceModel: WireString? = nil,
        appVersion: WireString? = nil,
        appName: WireString? = nil
    ) {
        self.deviceType = deviceType
        self.deviceModel = deviceModel
        self.appVersion = appVersion
        self.appName = appName
    }
}

extension DeviceDescriptor: WireStruct {
    package static let schema = StructSchema(
        struct: "DeviceDescriptor",
        [
            FieldSchema(1, "device_type", .string),
            FieldSchema(2, "device_model", .string),
            FieldSchema(3, "app_version", .string),
            FieldSchema(4, "app_name", .string),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: deviceType = try reader.read(WireString.self, field)
                case 2: deviceModel = try reader.read(WireString.self, field)
                case 3: appVersion = try reader.read(WireString.self, field)
                case 4: appName = try reader.read(WireString.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(deviceType, as: WireString.self, id: 1)
        writer.write(deviceModel, as: WireString.self, id: 2)
        writer.write(appVersion, as: WireString.self, id: 3)
        writer.write(appName, as: WireString.self, id: 4)
        writer.stop()
    }
}

/// A step of the enrolment of a device.
package struct DeviceEnrollmentInstruction: Hashable, Sendable {
    /// Field 1, `enrollment_id`.
    package var enrollmentID: WireString?
    /// Field 2, `status`.
    package var status: DeviceEnrollmentStatus?
    /// Field 3, `enrolled_device_public_key`: with `ACCEPTED`.
    package var enrolledDevicePublicKey: WireString?
    /// Field 4, `new_device_public_key`: with `KEY_EXCHANGED`.
    package var newDevicePublicKey: WireString?
    /// Field 5, `encrypted_key_material`: with `KEYS_SENT`.
    package var encryptedKeyMaterial: WireString?
    /// Field 6, `public_key_hash`: with `PENDING_ACCEPTANCE`.
    package var publicKeyHash: WireString?
    /// Field 7, `user_agent`: superseded by `device_descriptor`.
    package var userAgent: WireString?
    /// Field 8, `device_descriptor`.
    package var deviceDescriptor: DeviceDescriptor?

    /// Makes a value; fields that are nil are absent on the wire.
    package init(
        enrollmentID: WireString? = nil,
        status: DeviceEnrollmentStatus? = nil,
        enrolledDevicePublicKey: WireString? = nil,
        newDevicePublicKey: WireString? = nil,
        encryptedKeyMaterial: WireString? = nil,
        publicKeyHash: WireString? = nil,
        userAgent: WireString? = nil,
        deviceDescriptor: DeviceDescriptor? = nil
    ) {
        self.enrollmentID = enrollmentID
        self.status = status
        self.enrolledDevicePublicKey = enrolledDevicePublicKey
        self.newDevicePublicKey = newDevicePublicKey
        self.encryptedKeyMaterial = encryptedKeyMaterial
        self.publicKeyHash = publicKeyHash
        self.userAgent = userAgent
        self.deviceDescriptor = deviceDescriptor
    }
}

extension DeviceEnrollmentInstruction: WireStruct {
    package static let schema = StructSchema(
        struct: "DeviceEnrollmentInstruction",
        [
            FieldSchema(1, "enrollment_id", .string),
            FieldSchema(2, "status", .enumeration(DeviceEnrollmentStatus.self)),
            FieldSchema(3, "enrolled_device_public_key", .string),
            FieldSchema(4, "new_device_public_key", .string),
            FieldSchema(5, "encrypted_key_material", .string),
            FieldSchema(6, "public_key_hash", .string),
            FieldSchema(7, "user_agent", .string),
            FieldSchema(8, "device_descriptor", .structure(DeviceDescriptor.self)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: enrollmentID = try reader.read(WireString.self, field)
                case 2: status = try reader.read(DeviceEnrollmentStatus.self, field)
                case 3: enrolledDevicePublicKey = try reader.read(WireString.self, field)
                case 4: newDevicePublicKey = try reader.read(WireString.self, field)
                case 5: encryptedKeyMaterial = try reader.read(WireString.self, field)
                case 6: publicKeyHash = try reader.read(WireString.self, field)
                case 7: userAgent = try reader.read(WireString.self, field)
                case 8: deviceDescriptor = try reader.read(DeviceDescriptor.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(enrollmentID, as: WireString.self, id: 1)
        writer.write(status, as: DeviceEnrollmentStatus.self, id: 2)
        writer.write(enrolledDevicePublicKey, as: WireString.self, id: 3)
        writer.write(newDevicePublicKey, as: WireString.self, id: 4)
        writer.write(encryptedKeyMaterial, as: WireString.self, id: 5)
        writer.write(publicKeyHash, as: WireString.self, id: 6)
        writer.write(userAgent, as: WireString.self, id: 7)
        writer.write(deviceDescriptor, as: DeviceDescriptor.self, id: 8)
        writer.stop()
    }
}

/// What the server asks of a client on the live connection.
package enum MessageInstruction: Hashable, Sendable {
    /// Field 1, `pullMessagesInstruction`.
    case pullMessagesInstruction(PullMessagesInstruction)
    /// Field 2, `keepAliveInstruction`.
    case keepAliveInstruction(KeepAliveInstruction)
    /// Field 3, `pullMessagesFinishedInstruction`.
    case pullMessagesFinishedInstruction(PullMessagesFinishedInstruction)
    /// Field 4, `pinReminderInstruction`.
    case pinReminderInstruction(PinReminderInstruction)
    /// Field 5, `switchToHybridPullInstruction`.
    case switchToHybridPullInstruction(SwitchToHybridPullInstruction)
    /// Field 6, `displayTemporaryPasscodeInstruction`.
    case displayTemporaryPasscodeInstruction(DisplayTemporaryPasscodeInstruction)
    /// Field 7, `deviceEnrollmentInstruction`.
    case deviceEnrollmentInstruction(DeviceEnrollmentInstruction)
    /// A variant that is unknown to this version.
    case unknown(UnknownField)
}

extension MessageInstruction: WireStruct {
    package static let schema = StructSchema(
        union: "MessageInstruction",
        [
            FieldSchema(1, "pullMessagesInstruction", .structure(PullMessagesInstruction.self)),
            FieldSchema(2, "keepAliveInstruction", .structure(KeepAliveInstruction.self)),
            FieldSchema(3, "pullMessagesFinishedInstruction", .structure(PullMessagesFinishedInstruction.self)),
            FieldSchema(4, "pinReminderInstruction", .structure(PinReminderInstruction.self)),
            FieldSchema(5, "switchToHybridPullInstruction", .structure(SwitchToHybridPullInstruction.self)),
            FieldSchema(6, "displayTemporaryPasscodeInstruction", .structure(DisplayTemporaryPasscodeInstruction.self)),
            FieldSchema(7, "deviceEnrollmentInstruction", .structure(DeviceEnrollmentInstruction.self)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var choice = UnionChoice<Self>(at: reader.offset)
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: try choice.take(.pullMessagesInstruction(reader.read(field)), field)
                case 2: try choice.take(.keepAliveInstruction(reader.read(field)), field)
                case 3: try choice.take(.pullMessagesFinishedInstruction(reader.read(field)), field)
                case 4: try choice.take(.pinReminderInstruction(reader.read(field)), field)
                case 5: try choice.take(.switchToHybridPullInstruction(reader.read(field)), field)
                case 6: try choice.take(.displayTemporaryPasscodeInstruction(reader.read(field)), field)
                case 7: try choice.take(.deviceEnrollmentInstruction(reader.read(field)), field)
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
        case .pullMessagesInstruction(let value): writer.write(value, id: 1)
        case .keepAliveInstruction(let value): writer.write(value, id: 2)
        case .pullMessagesFinishedInstruction(let value): writer.write(value, id: 3)
        case .pinReminderInstruction(let value): writer.write(value, id: 4)
        case .switchToHybridPullInstruction(let value): writer.write(value, id: 5)
        case .displayTemporaryPasscodeInstruction(let value): writer.write(value, id: 6)
        case .deviceEnrollmentInstruction(let value): writer.write(value, id: 7)
        case .unknown(let field): writer.write(field)
        }
        writer.stop()
    }
}

/// Several events at once.
package struct BatchedMessageEvents: Hashable, Sendable {
    /// Field 1, `message_events`.
    package var messageEvents: [MessageEvent]?

    /// Makes a value; fields that are nil are absent on the wire.
    package init(messageEvents: [MessageEvent]? = nil) {
        self.messageEvents = messageEvents
    }
}

extension BatchedMessageEvents: WireStruct {
    package static let schema = StructSchema(
        struct: "BatchedMessageEvents",
        [
            FieldSchema(1, "message_events", .list(.structure(MessageEvent.self)))
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: messageEvents = try reader.read(ListOf<MessageEvent>.self, field)
                default: try reader.skip(field)
                }
            } catch {
                throw error.inside(Self.schema, field)
            }
        }
        reader.endStruct()
    }

    package func write(to writer: inout ThriftWriter) {
        writer.write(messageEvents, as: ListOf<MessageEvent>.self, id: 1)
        writer.stop()
    }
}

/// A frame of the live connection.
package enum Message: Hashable, Sendable {
    /// Field 1, `messageEvent`.
    case messageEvent(MessageEvent)
    /// Field 2, `messageInstruction`.
    case messageInstruction(MessageInstruction)
    /// Field 3, `batchedMessageEvents`.
    case batchedMessageEvents(BatchedMessageEvents)
    /// A variant that is unknown to this version.
    case unknown(UnknownField)
}

extension Message: WireStruct {
    package static let schema = StructSchema(
        union: "Message",
        [
            FieldSchema(1, "messageEvent", .structure(MessageEvent.self)),
            FieldSchema(2, "messageInstruction", .structure(MessageInstruction.self)),
            FieldSchema(3, "batchedMessageEvents", .structure(BatchedMessageEvents.self)),
        ]
    )

    package init(from reader: inout ThriftReader) throws(ThriftError) {
        var choice = UnionChoice<Self>(at: reader.offset)
        var fields = try reader.beginStruct()
        while let field = try reader.nextField() {
            do throws(ThriftError) {
                try fields.claim(field)
                switch field.id {
                case 1: try choice.take(.messageEvent(reader.read(field)), field)
                case 2: try choice.take(.messageInstruction(reader.read(field)), field)
                case 3: try choice.take(.batchedMessageEvents(reader.read(field)), field)
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
        case .messageEvent(let value): writer.write(value, id: 1)
        case .messageInstruction(let value): writer.write(value, id: 2)
        case .batchedMessageEvents(let value): writer.write(value, id: 3)
        case .unknown(let field): writer.write(field)
        }
        writer.stop()
    }
}
