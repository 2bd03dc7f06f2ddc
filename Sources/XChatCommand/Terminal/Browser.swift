import Foundation

/// The browser of the user.
enum Browser {
    /// Opens an address, and does not wait for the browser; does nothing if there is no browser.
    ///
    /// The browser does not inherit the `XCHAT_` variables, which can contain secrets, nor the standard streams.
    static func open(_ address: String) {
        #if os(macOS)
            let opener = "open"
        #else
            let opener = "xdg-open"
        #endif
        #if os(macOS) || os(Linux)
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = [opener, address]
            process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("XCHAT_") }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try? process.run()
        #endif
    }
}
