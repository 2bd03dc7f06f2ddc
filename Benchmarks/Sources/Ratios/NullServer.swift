import Foundation
import XChatEvents

/// A server that answers each sent message with a valid event, checks nothing, and takes next to no time of its own.
///
/// One thread with `poll(2)`: with the few connections of the measurements nothing is quicker.
struct NullServer {
    /// An answered event, and where in its bytes the ids are that are those of the request.
    struct Template {
        private let event: [UInt8]
        private let message: Range<Int>
        private let conversation: Range<Int>

        /// A template made of an event; each of its two ids must appear once in its bytes.
        init?(event: [UInt8], messageID: String, conversationID: String) {
            guard let message = Self.only(messageID, in: event), let conversation = Self.only(conversationID, in: event)
            else { return nil }
            (self.event, self.message, self.conversation) = (event, message, conversation)
        }

        private static func only(_ text: String, in bytes: [UInt8]) -> Range<Int>? {
            let ranges = bytes.ranges(of: Array(text.utf8))
            return ranges.count == 1 ? ranges.first : nil
        }

        /// The answer to a request; nil unless its ids are as long as those of the template.
        func answer(messageID: some Collection<UInt8>, conversationID: some Collection<UInt8>) -> [UInt8]? {
            guard messageID.count == message.count, conversationID.count == conversation.count else { return nil }
            var event = event
            event.replaceSubrange(message, with: messageID)
            event.replaceSubrange(
                conversation,
                with: conversationID.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: ":") : $0 }
            )
            let body = #"{"data":{"encoded_message_event":"\#(Base64.encode(event))"}}"#
            let length = "content-length: \(body.utf8.count)"
            return Array("HTTP/1.1 201 Created\r\ncontent-type: application/json\r\n\(length)\r\n\r\n\(body)".utf8)
        }
    }

    /// Why the server cannot run.
    struct Failure: Error {
        let call: String
        let number = errno
    }

    private let template: Template
    private let listener: Int32
    /// The loopback port.
    let port: UInt16

    init(_ template: Template) throws {
        self.template = template
        #if canImport(Darwin)
            listener = socket(AF_INET, SOCK_STREAM, 0)
        #else
            listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        guard listener >= 0 else { throw Failure(call: "socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let (listener, size) = (listener, length)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                guard bind(listener, pointer, size) == 0, listen(listener, 256) == 0,
                    getsockname(listener, pointer, &length) == 0
                else { throw Failure(call: "bind") }
            }
        }
        port = UInt16(bigEndian: address.sin_port)
    }

    private struct Connection {
        let descriptor: Int32
        var received: [UInt8] = []
    }

    /// Serves until the process ends.
    func run() throws {
        var connections: [Connection] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            var polled = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
            polled += connections.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            guard poll(&polled, nfds_t(polled.count), -1) >= 0 || errno == EINTR else { throw Failure(call: "poll") }
            for index in connections.indices.reversed() where polled[index + 1].revents != 0 {
                if !serve(&connections[index], &buffer) { close(connections.remove(at: index).descriptor) }
            }
            if polled[0].revents != 0 {
                let descriptor = accept(listener, nil, nil)
                var on: Int32 = 1
                setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
                if descriptor >= 0 { connections.append(Connection(descriptor: descriptor)) }
            }
        }
    }

    /// Reads once and answers the requests that are complete.
    ///
    /// - Returns: False at the end of the connection, and after a request that is not one for a message.
    private func serve(_ connection: inout Connection, _ buffer: inout [UInt8]) -> Bool {
        let count = read(connection.descriptor, &buffer, buffer.count)
        guard count > 0 else { return false }
        connection.received += buffer[..<count]
        while let size = Request.size(connection.received) {
            guard let request = Request(connection.received[..<size]),
                let answer = template.answer(messageID: request.messageID, conversationID: request.conversationID),
                // An answer is smaller than the socket's buffer.
                write(connection.descriptor, answer, answer.count) == answer.count
            else { return false }
            connection.received.removeFirst(size)
        }
        return true
    }

    /// The parts of a complete request that matter.
    private struct Request {
        let conversationID: ArraySlice<UInt8>
        let messageID: ArraySlice<UInt8>

        private static let headEnd = Array("\r\n\r\n".utf8)
        /// As the HTTP client writes it.
        private static let length = Array("\r\nContent-Length: ".utf8)
        private static let path = Array("/conversations/".utf8)
        private static let member = Array(#""message_id":""#.utf8)

        /// The size of the first request, once all of it is there; without a length it has no body.
        static func size(_ bytes: [UInt8]) -> Int? {
            guard let end = find(headEnd, in: bytes[...]) else { return nil }
            var size = end + headEnd.count
            if let name = find(length, in: bytes[..<end]) {
                let digits = bytes[(name + length.count)..<end].prefix { (0x30...0x39).contains($0) }
                size += digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
            }
            return bytes.count >= size ? size : nil
        }

        init?(_ bytes: ArraySlice<UInt8>) {
            guard let path = Self.find(Self.path, in: bytes), let member = Self.find(Self.member, in: bytes) else {
                return nil
            }
            conversationID = bytes[(path + Self.path.count)...].prefix { $0 != UInt8(ascii: "/") }
            messageID = bytes[(member + Self.member.count)...].prefix { $0 != UInt8(ascii: "\"") }
        }

        private static func find(_ text: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
            bytes.withUnsafeBytes { bytes -> Int? in
                guard let start = bytes.baseAddress, let first = text.first else { return nil }
                var position = 0
                while bytes.count - position >= text.count,
                    let found = memchr(start + position, Int32(first), bytes.count - position - text.count + 1)
                {
                    position = UnsafeRawPointer(found) - start
                    if memcmp(found, text, text.count) == 0 { return position }
                    position += 1
                }
                return nil
            }.map { bytes.startIndex + $0 }
        }
    }
}
