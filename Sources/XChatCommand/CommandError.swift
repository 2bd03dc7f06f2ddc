package import XChat

/// Errors of the command have the form of the library's: what a person reads is one sentence.
package typealias CommandError = AccountError
