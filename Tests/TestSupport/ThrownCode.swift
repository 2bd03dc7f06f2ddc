package import XChatHTTP

/// The code of the error that the body throws, if it does.
package func thrownCode(_ body: () throws -> Void) -> APIError.Code? {
    do {
        try body()
        return nil
    } catch {
        return (error as? APIError)?.code
    }
}

/// Why a body fails, in words.
package func thrownReason(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch {
        return (error as? APIError)?.detail
    }
}

/// The code of the error that the body throws, if it does.
package func thrownCode(_ body: () async throws -> Void) async -> APIError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? APIError)?.code
    }
}
