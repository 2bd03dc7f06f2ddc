import Foundation

/// The person's browser.
enum Browser {
    /// Opens an address, and does not wait for the browser; a machine without one is left as it is.
    ///
    /// The browser does not get our variables, which can be secrets, nor our terminal.
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
