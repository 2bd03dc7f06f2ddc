import XChatEvents

/// Checks of the ids, versions and lists of users in an answer, which are made before anything uses them.
extension Success {
    /// Checks an id or a version of the answer.
    ///
    /// - Parameters:
    ///   - text: The value as the server wrote it.
    ///   - member: The name of the member, for the error.
    /// - Returns: The value.
    /// - Throws: `malformed_response` if it is not 1 to 19 ASCII digits.
    func number<ID: Identifier>(_ text: String, _ member: @autoclosure () -> String) throws(APIError) -> ID {
        guard let id = ID(validating: text) else {
            throw APIError(.malformedResponse, "\(member()) \(quoted(text)) is not \(ID.rule)")
        }
        return id
    }

    /// Like ``number(_:_:)``, for a member that may be absent.
    func number<ID: Identifier>(ifPresent text: String?, _ member: String) throws(APIError) -> ID? {
        guard let text else { return nil }
        return try number(text, member)
    }

    /// Checks a list of user ids of the answer.
    ///
    /// - Throws: `malformed_response` for an id that is not 1 to 19 ASCII digits.
    func people(_ list: PeopleList?, _ member: String) throws(APIError) -> [UserID]? {
        guard let list else { return nil }
        var ids: [UserID] = []
        ids.reserveCapacity(list.ids.count)
        for (index, id) in list.ids.enumerated() {
            ids.append(try number(id, "\(member)[\(index)]"))
        }
        return ids
    }

    /// A value in quotation marks, shortened, and without the token, which a server may echo.
    func quoted(_ text: String) -> String { printable(WireString(token.redacted(from: text)), quotedBy: "\"") }
}

/// A list of at most 10,000 user ids in an answer, not checked yet.
struct PeopleList: Decodable {
    let ids: [String]

    init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        try list.check(limit: EventLimits.people, "a list of people")
        let limit = EventLimits.people
        var ids: [String] = []
        while !list.isAtEnd {
            guard ids.count < limit else { throw APIError(tooLong: "a list of people", limit) }
            ids.append(try list.decode(String.self))
        }
        self.ids = ids
    }
}

extension UnkeyedDecodingContainer {
    /// Rejects a list that is longer than the limit before its elements are decoded.
    func check(limit: Int, _ name: String) throws(APIError) {
        guard let count, count > limit else { return }
        throw APIError(.malformedResponse, "\(name) has \(count) elements, and the limit is \(limit)")
    }
}

extension APIError {
    /// The error of a list whose length is not known before it is decoded.
    init(tooLong name: String, _ limit: Int) {
        self.init(.malformedResponse, "\(name) has more than \(limit) elements")
    }
}
