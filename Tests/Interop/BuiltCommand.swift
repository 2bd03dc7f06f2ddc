import Foundation

/// The command that was built with the tests.
enum BuiltCommand {
    /// The executable, in the folder of the test bundle.
    static let executable = CommandLine.arguments.lazy.compactMap { argument -> URL? in
        let parts = URL(filePath: argument).pathComponents
        guard let bundle = parts.firstIndex(where: { $0.hasSuffix(".xctest") }) else { return nil }
        return URL(filePath: NSString.path(withComponents: Array(parts[..<bundle]) + ["xchat"]))
    }.first
}
