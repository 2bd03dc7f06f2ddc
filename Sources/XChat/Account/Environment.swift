package import XChatHTTP

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Environment variables.
package enum Environment {
    /// The bytes of a variable; nil if it is not set.
    package static func bytes(_ name: String) -> [UInt8]? {
        guard let start = unsafe getenv(name) else { return nil }
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: strlen(start)))
    }

    /// A variable as text; nil if it is not set or empty.
    ///
    /// - Throws: `malformed` if it is not UTF-8.
    package static func text(_ name: String) throws(AccountError) -> String? {
        guard let bytes = bytes(name), !bytes.isEmpty else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw AccountError("the environment variable \(name) is not UTF-8; set it to valid text")
        }
        return text
    }

    /// A variable as a token, or as another secret of an app; nil if it is not set or empty.
    ///
    /// - Throws: `invalid_argument` if it cannot be a token, `malformed` if it is not UTF-8.
    package static func token(_ name: String) throws(AccountError) -> Token? {
        guard let text = try text(name) else { return nil }
        do {
            return try Token(text)
        } catch {
            throw AccountError(.invalidArgument, "the environment variable \(name): \(error.detail)")
        }
    }

    /// The user's access token, `XCHAT_TOKEN`, for an API.
    ///
    /// - Parameter api: The base URL to which the token would be sent.
    /// - Returns: The token; nil if the variable is not set.
    /// - Throws: ``AccountError`` with `invalid_argument` for a malformed token, and for a token of the sandbox if the
    ///   API is X's: its refusal would not tell that only the URL is missing.
    package static func userToken(for api: String) throws(AccountError) -> Token? {
        let token = try token("XCHAT_TOKEN")
        if let token, token.isOfSandbox, api.utf8.elementsEqual("https://api.x.com".utf8) {
            throw AccountError(
                .invalidArgument,
                "XCHAT_TOKEN is a token of the sandbox, and it would be sent to X: set XCHAT_API_URL to the sandbox's URL"
            )
        }
        return token
    }
}
