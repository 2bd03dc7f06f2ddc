import Foundation
import XChatFiles
import XChatSandbox

/// The browser of the user.
enum Browser {
    /// Opens an address, and does not wait for the browser; does nothing if there is no browser.
    ///
    /// Other users of the machine can read the arguments of a program. So the program that opens the browser gets the
    /// path of a private page, which leads to the address. The browser does not inherit the `XCHAT_` variables, which
    /// can contain secrets, nor the standard streams.
    ///
    /// - Parameter address: The address.
    /// - Returns: The page, to be deleted when the browser has had time to read it; nil if it cannot be written.
    static func open(_ address: String) -> PrivatePage? {
        #if os(macOS)
            let opener = "open"
        #else
            let opener = "xdg-open"
        #endif
        #if os(macOS) || os(Linux)
            guard let page = try? PrivatePage(leadingTo: address) else { return nil }
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = [opener, page.path]
            process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("XCHAT_") }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try? process.run()
            return page
        #else
            return nil
        #endif
    }
}

/// A page in a folder of its own that only its owner can read, and that leads a browser to an address.
struct PrivatePage {
    private let folder: String
    var path: String { "\(folder)/sign-in.html" }

    /// Writes the page into the folder for temporary files.
    init(leadingTo address: String) throws(FileError) {
        // The name cannot be guessed, so no other user can make the folder first.
        folder = FileManager.default.temporaryDirectory.appending(path: "xchat-\(UUID().uuidString)").path
        try Files.makeFolder(folder)
        try Files.create(path, Array(Self.page(address).text.utf8))
    }

    /// Deletes the page and its folder.
    func delete() {
        try? FileManager.default.removeItem(atPath: folder)
    }

    private static func page(_ address: String) -> HTML {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="referrer" content="no-referrer">
        <meta http-equiv="refresh" content="0; url=\(address)">
        <title>Sign in</title>
        </head>
        <body>
        <p><a href="\(address)">Continue to the sign-in</a></p>
        </body>
        </html>

        """
    }
}
