package import XChat

/// The error type of the command, which is that of the library: its message is one sentence for a person.
package typealias CommandError = AccountError
