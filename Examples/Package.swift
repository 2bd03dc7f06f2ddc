// swift-tools-version: 6.2
import PackageDescription

// Programs that use the library as any other package does. The echo bot, the file sender and the group bot need only
// `XChat`; the webhook bot also uses Hummingbird to receive requests.
let package = Package(
    name: "Examples",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "swift-xchat", path: "..", traits: []),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    ],
    targets: [
        .executableTarget(name: "EchoBot", dependencies: [.product(name: "XChat", package: "swift-xchat")]),
        .executableTarget(name: "SendFile", dependencies: [.product(name: "XChat", package: "swift-xchat")]),
        .executableTarget(name: "GroupBot", dependencies: [.product(name: "XChat", package: "swift-xchat")]),
        .executableTarget(
            name: "WebhookBot",
            dependencies: [
                .product(name: "XChat", package: "swift-xchat"),
                .product(name: "XChatHTTP", package: "swift-xchat"),
                .product(name: "Hummingbird", package: "hummingbird"),
            ]
        ),
    ]
)
