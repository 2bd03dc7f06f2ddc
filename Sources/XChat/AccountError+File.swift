package import XChatFiles

extension AccountError {
    /// A file error: `exists` for a name that is taken, `too_large`, otherwise `file`.
    package init(_ error: FileError) {
        let code: Code =
            switch error.reason {
            case .system where error.isNameTaken: .exists
            case .tooLarge: .tooLarge
            default: .file
            }
        self.init(code, error.description)
    }
}

/// Runs operations on files, and throws ``AccountError`` where they throw ``FileError``.
package func withAccountErrors<Value: ~Copyable>(_ body: () throws -> Value) throws -> Value {
    do {
        return try body()
    } catch let error as FileError {
        throw AccountError(error)
    }
}

/// As the other form, for a body that throws nothing else.
package func withAccountErrors<Value: ~Copyable>(
    _ body: () throws(FileError) -> Value
) throws(AccountError) -> Value {
    do {
        return try body()
    } catch {
        throw AccountError(error)
    }
}
