package import XChatFiles

extension AccountError {
    /// Converts a file error.
    ///
    /// The code is `exists` if the name is taken, `too_large` if the file is too large, otherwise `file`.
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

/// Runs operations on files, and converts each ``FileError`` that they throw to an ``AccountError``.
package func withAccountErrors<Value: ~Copyable>(_ body: () throws -> Value) throws -> Value {
    do {
        return try body()
    } catch let error as FileError {
        throw AccountError(error)
    }
}

/// As the other overload, for a body that only throws ``FileError``.
package func withAccountErrors<Value: ~Copyable>(
    _ body: () throws(FileError) -> Value
) throws(AccountError) -> Value {
    do {
        return try body()
    } catch {
        throw AccountError(error)
    }
}
