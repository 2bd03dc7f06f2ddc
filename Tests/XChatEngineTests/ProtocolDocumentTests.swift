import Crypto
import Foundation
import TestSupport
import Testing
import XChatEvents

@testable import XChatEngine

/// The examples and tables of docs/protocol.md are equal to the values of the engine.
///
/// The examples were made by independent code: another Thrift writer, Python's `cryptography` and PyNaCl.
@Suite struct ProtocolDocumentTests {
    private let page: Document

    init() throws {
        page = try Document("docs/protocol.md")
    }

    /// The values of an example under a heading; of two, the first is for `.xchat` and the second for `.sodium`.
    private func example(_ heading: String, _ suite: SuiteName = .xchat) throws -> [String: String] {
        let examples = page.blocks.filter { $0.heading == heading && $0.language == "example" }.map(\.values)
        return try #require(suite == .xchat ? examples.first : examples.dropFirst().first, "\(heading)")
    }

    private func bytes(_ example: [String: String], _ name: String) throws -> [UInt8] {
        try Base64.decode(try #require(example[name]))
    }

    private func privateKeys(of suite: SuiteName) throws -> PrivateKeys {
        let blob = try bytes(example("Keys", suite), "privateKeys")
        return try PrivateKeys(importing: blob.span)
    }

    private func conversationKey() throws -> ConversationKey {
        try ConversationKey(bytes: bytes(example("Key wrap"), "conversationKey"))
    }

    // MARK: Signed texts

    /// The examples of signed events, with their events.
    private func signedEvents() throws -> [(event: MessageEvent, text: String)] {
        try page.blocks.map(\.values).filter { $0["event"] != nil }.map { example in
            let encoded = try #require(example["event"])
            let event = try MessageEvent(base64: encoded)
            #expect(Base64.encode(event.encoded()) == encoded)
            return (event, try #require(example["text"]))
        }
    }

    @Test func `each event has the signed text that the page shows, and its signature covers it`() throws {
        let signer = try privateKeys(of: .xchat).verifiedKey(userID: "1111", version: "1")
        let key = try conversationKey()
        let examples = try signedEvents()
        #expect(examples.count == 30)
        for (event, text) in examples {
            let version = try SignatureVersion(event.messageEventSignature?.signatureVersion)
            let payload = try SignedPayload(of: event, version: version)
            let bytes = try payload.withText(conversationKey: key) { (text) throws(XChatError) in
                text.indices.map { text[$0] }
            }
            #expect(String(decoding: bytes, as: UTF8.self) == text)
            #expect(throws: Never.self, "\(text)") {
                try Verifier.verify(event, keys: [signer], conversationKeys: [key])
            }
        }
    }

    @Test func `every kind of signed text is in the table and has an example`() throws {
        let table = Set(page.firstColumn(titled: "name").filter { $0.contains("Event") })
        let names = try Set(signedEvents().map { String($0.text.prefix { $0 != "," }) })
        #expect(names == table)
        var written: Set<String> = []
        for file in try Document.all(in: "Sources/XChatEvents/Payload") {
            let source = file.text.filter { !$0.isWhitespace }
            let beginnings = [
                ("begin(\"", ""), ("begin(group:\"", "GroupChangeEvent."),
                ("begin(setting:\"", "ConversationMetadataChangeEvent."),
            ]
            for (beginning, kind) in beginnings {
                for rest in source.components(separatedBy: beginning).dropFirst() {
                    let name = rest.prefix { $0 != "\"" }
                    if !name.isEmpty, !name.contains("\\") { written.insert(kind + name) }
                }
            }
        }
        #expect(written == table)
    }

    // MARK: Keys

    @Test(arguments: [SuiteName.xchat, .sodium])
    func `the public keys of the page belong to its private keys, and are bound`(suite: SuiteName) throws {
        let example = try self.example("Keys", suite)
        let keys = try privateKeys(of: suite)
        #expect(keys.suite == suite)
        #expect(keys.identityKey.base64 == example["identityKey"])
        #expect(keys.signingKey?.base64 == example["signingKey"])
        if suite == .xchat { #expect(keys.identityKey.fingerprint == example["fingerprint"]) }
        let registered = RegisteredKey(
            userID: "1111",
            publicKeyVersion: "1",
            publicKey: WireString(try #require(example["signingKey"])),
            identityPublicKey: WireString(try #require(example["identityKey"])),
            identityPublicKeySignature: WireString(try #require(example["binding"])),
            signingPublicKeySignature: example["endorsement"].map { WireString($0) }
        )
        #expect((registered.signingPublicKeySignature != nil) == (suite == .xchat))
        #expect(throws: Never.self) { try VerifiedPublicKey(checking: registered) }
    }

    @Test(arguments: [SuiteName.xchat, .sodium])
    func `the wrapped keys of the page unwrap`(suite: SuiteName) throws {
        let example = try self.example("Key wrap", suite)
        let wrapped = try bytes(example, "wrapped")
        #expect(wrapped.count == (suite == .xchat ? 113 : 80))
        let key = try privateKeys(of: suite).unwrap(wrapped)
        let expected = try ConversationKey(bytes: bytes(example, "conversationKey"))
        #expect(key.isEqual(to: expected))
    }

    @Test func `the wrap of the page follows from its ephemeral key`() throws {
        let example = try self.example("Key wrap")
        let ephemeral = try P256.KeyAgreement.PrivateKey(rawRepresentation: bytes(example, "ephemeral"))
        let recipient = try P256.KeyAgreement.PublicKey(
            x963Representation: privateKeys(of: .xchat).identityKey.spki.suffix(65)
        )
        let wrapped = try ECIES.seal(conversationKey(), to: recipient, ephemeral: ephemeral)
        #expect(wrapped == (try bytes(example, "wrapped")))
    }

    // MARK: Contents and media

    @Test func `the plaintext of the page is a text message, and its box decrypts to it`() throws {
        let plaintext = hex(try #require(example("Thrift encoding")["plaintext"]))
        let holder = MessageEntryHolder(contents: .message(MessageContents(messageText: "hi")))
        #expect(holder.encoded() == plaintext)
        let example = try self.example("Contents")
        #expect(hex(try #require(example["plaintext"])) == plaintext)
        #expect(try conversationKey().open(bytes(example, "box")) == plaintext)
    }

    @Test func `the stream of the page decrypts to its text`() throws {
        let example = try self.example("Media")
        var decryptor = MediaDecryptor(key: try conversationKey())
        var output: [UInt8] = []
        try decryptor.push(bytes(example, "stream"), appendingTo: &output)
        try decryptor.finish(appendingTo: &output)
        #expect(String(decoding: output, as: UTF8.self) == example["text"])
    }

    // MARK: Tables

    @Test func `base64 is read as the table says`() throws {
        let rows = page.rows(ofTableTitled: "text")
        #expect(rows.count == 7)
        for row in rows {
            for text in Document.codeSpans(in: row[0]) {
                if row[1].hasPrefix("refused") {
                    #expect(throws: EventError.self, "\(text)") { try Base64.decode(text) }
                } else {
                    #expect(try Base64.decode(text) == [0x41], "\(text)")
                }
            }
        }
    }

    @Test func `conversation ids have the canonical form of the table`() throws {
        let rows = page.rows(ofTableTitled: "id").map { row in row.flatMap { Document.codeSpans(in: $0) } }
        #expect(rows.count == 9)
        for row in rows {
            let id = ConversationID(canonicalizing: WireString(row[0]), sender: UserID(row[1]))
            #expect(id.text.string == row[2])
        }
    }

    @Test func `the tables have the fields of the schema, and say which events are signed`() throws {
        let tables = page.rows(ofTableTitled: "field")
        let envelope = tables.filter { $0[1].hasPrefix("`") }
        #expect(envelope.count == 11)
        for (row, field) in zip(envelope, MessageEvent.schema.fields) {
            #expect(row[0] == "\(field.id)")
            #expect(row[1] == "`\(field.name)`")
        }
        let details = tables.filter { !$0[1].hasPrefix("`") }
        #expect(details.map { $0[0] } == MessageEventDetail.schema.fields.map { "\($0.id)" })
        for row in details {
            let id = try #require(UInt8(row[0]))
            // A union around an empty struct; a message needs its contents, field 100.
            let contents: [UInt8] = id == 1 ? [11, 0, 100, 0, 0, 0, 0] : []
            let detail = try MessageEventDetail(decoding: [12, 0, id] + contents + [0, 0])
            #expect(MessageEvent(detail: detail).kind.isSigned == (row[2] == "yes"), "\(row)")
        }
    }
}

extension ConversationKey {
    fileprivate convenience init(bytes: [UInt8]) throws {
        try self.init(bytes: bytes.span)
    }
}
