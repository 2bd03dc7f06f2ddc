import XChatEvents

/// One error that the server reports, in one of its forms: a problem (RFC 9457), or `{"code", "message"}`.
///
/// Both forms also occur as entries of `errors`.
///
/// No member is required, and a member of the wrong type counts as absent: a malformed description must not hide the
/// error.
struct ErrorObject: Decodable {
    let code: Int?
    let status: Int?
    let type: String?
    let texts: [String]

    private enum CodingKeys: String, CodingKey {
        case code, status, type, title, detail, message, reason, parameter
    }

    init(from decoder: any Decoder) throws {
        guard let members = try? decoder.container(keyedBy: CodingKeys.self) else {
            (code, status, type, texts) = (nil, nil, nil, [])
            return
        }
        // Throwing and dropping an error costs more than decoding, so absent members are not decoded.
        func member<T: Decodable>(_ key: CodingKeys, _ type: T.Type) -> T? {
            members.contains(key) ? try? members.decode(type, forKey: key) : nil
        }
        code = member(.code, Int.self)
        status = member(.status, Int.self)
        type = member(.type, String.self)
        // X repeats the title in the detail of some problems.
        var texts: [String] = []
        for key in [CodingKeys.title, .detail, .message, .reason, .parameter] {
            if let text = member(key, String.self), !text.isEmpty, !texts.contains(text) { texts.append(text) }
        }
        self.texts = texts
    }

    var isEmpty: Bool { code == nil && type == nil && texts.isEmpty }

    /// The last path component of the type: `resource-not-found` for `https://api.x.com/2/problems/resource-not-found`.
    ///
    /// X serves the same problems under several hosts, so the rest of the type is ignored.
    var problem: String? {
        guard let type, let last = type.utf8.split(separator: UInt8(ascii: "/")).last, last.count <= 64,
            last.allSatisfy({ (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ":") })
        else { return nil }
        return String(Substring(last))
    }

    /// The texts on one line, without the token, which the server may echo.
    func detail(redacting token: Token?) -> String {
        let texts = texts.joined(separator: ": ")
        let text = (token?.redacted(from: texts) ?? texts).display()
        return text.isEmpty ? "the server gives no reason" : text
    }

    /// The code of an error that was reported with a successful HTTP status.
    var errorCode: APIError.Code {
        if let status, let code = APIError.Code(status: status) { return code }
        switch problem {
        case "resource-not-found", "resource-unavailable": return .notFound
        case "not-authorized-for-resource", "not-authorized-for-field", "field-unauthorized", "disallowed-resource",
            "client-forbidden":
            return .forbidden
        case "unsupported-authentication": return .unauthorized
        case "rate-limit-exceeded", "usage-capped": return .rateLimited
        case "internal-error", "field-hydration-failure": return .server
        default: break
        }
        switch code {
        case 88: return .rateLimited
        case 32, 89: return .unauthorized
        // X's documents show the errors of look-ups with a title and without a type.
        default: return texts.first == "Not Found Error" ? .notFound : .invalidRequest
        }
    }
}

/// The body of an answer that reports errors: one error, or `{"errors": [error, …]}`.
struct ErrorBody: Decodable {
    /// All errors: first the body itself if it is an error, then the entries of `errors`.
    let objects: [ErrorObject]

    init(from decoder: any Decoder) throws {
        objects = try [ErrorObject(from: decoder)].filter { !$0.isEmpty } + ErrorList(from: decoder).objects
    }
}

/// The member `errors` of a body; empty if it is absent or not a list.
struct ErrorList: Decodable {
    /// The errors among the first hundred elements.
    let objects: [ErrorObject]

    private enum CodingKeys: CodingKey { case errors }

    init(from decoder: any Decoder) throws {
        guard let members = try? decoder.container(keyedBy: CodingKeys.self), members.contains(.errors),
            var list = try? members.nestedUnkeyedContainer(forKey: .errors)
        else {
            objects = []
            return
        }
        objects = (0..<100).compactMap { _ in list.isAtEnd ? nil : try? list.decode(ErrorObject.self) }
            .filter { !$0.isEmpty }
    }
}

extension APIError.Code {
    /// The code for an HTTP status of 400 to 599; nil for others.
    init?(status: Int) {
        switch status {
        case 401: self = .unauthorized
        case 403: self = .forbidden
        case 404: self = .notFound
        case 429: self = .rateLimited
        case 400..<500: self = .invalidRequest
        case 500..<600: self = .server
        default: return nil
        }
    }
}
