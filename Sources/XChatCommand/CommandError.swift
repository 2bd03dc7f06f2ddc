package import XChat

/// An error of the command: an error of the library, whose message is one sentence for a person.
package typealias CommandError = AccountError
