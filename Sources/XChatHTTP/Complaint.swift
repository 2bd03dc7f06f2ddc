import XChatEvents

/// One complaint of the server in any of its shapes: a problem (RFC 7807), `{"code", "message"}`, or an entry of
/// `errors` that is either.
///
/// Nothing is required, and a member of the wrong type counts as absent: an error must not be lost because its
/// description is odd.
struct Complaint: Decodable {
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
        func member<T: Decodable>(_ key: CodingKeys, _ type: T.Type) -> T? { try? members.decode(type, forKey: key) }
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

    /// `resource-not-found` of `https://api.x.com/2/problems/resource-not-found`.
    ///
    /// X serves the same problems under several hosts, so nothing else of the type is looked at.
    var problem: String? {
        guard let type, let last = type.utf8.split(separator: UInt8(ascii: "/")).last, last.count <= 64,
            last.allSatisfy({ (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ":") })
        else { return nil }
        return String(Substring(last))
    }

    /// The texts on one line, without the token in case the server echoes it.
    func detail(redacting token: Token?) -> String {
        let texts = texts.joined(separator: ": ")
        let text = (token?.redacted(from: texts) ?? texts).display()
        return text.isEmpty ? "the server gives no reason" : text
    }

    /// The code for a complaint that came without a failing HTTP status.
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
        default: return .invalidRequest
        }
    }
}

/// The body of an answer that reports an error: a complaint itself, or `{"errors": [complaint, …]}`.
struct ErrorBody: Decodable {
    /// All complaints, the body's own first.
    let complaints: [Complaint]
    /// Those of `errors`, of its first hundred.
    let listed: [Complaint]

    private enum CodingKeys: CodingKey { case errors }

    init(from decoder: any Decoder) throws {
        var errors = try? decoder.container(keyedBy: CodingKeys.self).nestedUnkeyedContainer(forKey: .errors)
        listed = (0..<100).compactMap { _ in try? errors?.decode(Complaint.self) }.filter { !$0.isEmpty }
        complaints = try [Complaint(from: decoder)].filter { !$0.isEmpty } + listed
    }
}

extension APIError.Code {
    /// The code of a failing status; nil for a status that is none.
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
