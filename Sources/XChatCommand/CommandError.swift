/// Why a command failed; the program then ends with status 1.
///
/// Wrong use of the arguments is not such an error: it is thrown as `ValidationError` and ends with status 2.
package struct CommandError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What failed and where; never a secret, never input bytes that were not escaped.
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
