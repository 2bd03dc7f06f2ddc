// swift-tools-version: 6.2
import PackageDescription

var settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

// script/fuzz builds our own modules, and only these, for libFuzzer with AddressSanitizer.
if Context.environment["XCHAT_FUZZING"] != nil {
    settings.append(.unsafeFlags(["-sanitize=fuzzer,address", "-O"]))
}

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
// On each product that only the sandbox and the command need: SwiftPM resolves their packages only with this trait.
let server: TargetDependencyCondition? = .when(traits: ["Server"])

// script/docs builds the documentation with this; users of the libraries never fetch it.
let documentation: [Package.Dependency] =
    Context.environment["XCHAT_DOCS"] == nil
    ? [] : [.package(url: "https://github.com/swiftlang/swift-docc-plugin", exact: "1.5.0")]

let package = Package(
    name: "swift-xchat",
    // The first systems with spans of arrays.
    platforms: [.macOS(.v26), .iOS(.v26)],
    products: [
        .library(name: "LibSodium", targets: ["LibSodium"]),
        .library(name: "XChatEvents", targets: ["XChatEvents"]),
        .library(name: "XChatEngine", targets: ["XChatEngine"]),
        .library(name: "XChat", targets: ["XChat"]),
        .library(name: "XChatHTTP", targets: ["XChatHTTP"]),
        .library(name: "XChatBackup", targets: ["XChatBackup"]),
        .library(name: "XChatSandbox", targets: ["XChatSandbox"]),
        .executable(name: "xchat", targets: ["XChatCommand"]),
        // For the package in Fuzz/ alone.
        .library(name: "_XChatFuzzing", targets: ["XChatFuzzing"]),
    ],
    traits: [
        .trait(name: "Server", description: "XChatSandbox and the command xchat, with the packages only they need."),
        .default(enabledTraits: ["Server"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ] + documentation,
    targets: [
        // Lowest first: a module never imports one that is listed after it.
        .systemLibrary(
            name: "CSodium",
            pkgConfig: "libsodium",
            providers: [.apt(["libsodium-dev"]), .brew(["libsodium"])]
        ),
        .target(name: "LibSodium", dependencies: ["CSodium"], swiftSettings: settings),
        .target(name: "ThriftBinary", swiftSettings: settings),
        .target(
            name: "XChatEvents",
            dependencies: ["ThriftBinary"],
            exclude: ["xchat.thrift"],
            swiftSettings: settings
        ),
        .target(
            name: "XChatFiles",
            dependencies: ["XChatEvents", .product(name: "SystemPackage", package: "swift-system")],
            swiftSettings: settings
        ),
        .target(name: "XChatEngine", dependencies: ["LibSodium", "XChatEvents", crypto], swiftSettings: settings),
        .target(
            name: "XChatHTTP",
            dependencies: [
                "XChatEngine", "XChatEvents", "XChatFiles", crypto, logging,
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSOCKS", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: settings
        ),
        .systemLibrary(
            name: "CArgon2",
            pkgConfig: "libargon2",
            providers: [.apt(["libargon2-dev"]), .brew(["argon2"])]
        ),
        .target(
            name: "XChatBackup",
            dependencies: [
                "CArgon2", "LibSodium", "XChatHTTP",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "XChat",
            dependencies: [
                "LibSodium", "XChatEvents", "XChatFiles", "XChatEngine", "XChatHTTP", logging,
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "XChatSandbox",
            dependencies: [
                "LibSodium", "XChatBackup", "XChatEngine", "XChatEvents", "XChatFiles", "XChatHTTP", crypto, logging,
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Hummingbird", package: "hummingbird", condition: server),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "XChatText",
            dependencies: ["XChat", "XChatEngine", "XChatEvents", "XChatHTTP"],
            swiftSettings: settings
        ),
        .target(
            name: "XChatBench",
            dependencies: ["LibSodium", "XChat", "XChatEngine", "XChatEvents", "XChatText", crypto],
            swiftSettings: settings
        ),
        .systemLibrary(name: "CProcess"),
        .executableTarget(
            name: "XChatCommand",
            dependencies: [
                "CProcess", "LibSodium", "XChatEvents", "XChatFiles", "XChatEngine", "XChatHTTP", "XChatBackup",
                "XChat", "XChatSandbox", "XChatText", "XChatBench",
                .product(name: "ArgumentParser", package: "swift-argument-parser", condition: server),
            ],
            swiftSettings: settings
        ),

        .testTarget(
            name: "TrustModel",
            dependencies: ["XChatEngine", "XChatEvents", "LibSodium"],
            path: "Tests/TrustModel",
            swiftSettings: settings
        ),
        .target(
            name: "TestSupport",
            dependencies: [
                "XChatEngine", "XChatEvents", "XChatHTTP", crypto,
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Tests/TestSupport",
            swiftSettings: settings
        ),
        // What script/fuzz runs and XChatFuzzingTests replays. It reaches internal declarations, so that it is empty in
        // an optimized build.
        .target(
            name: "XChatFuzzing",
            dependencies: [
                "LibSodium", "ThriftBinary", "XChatEvents", "XChatEngine", "XChatHTTP", "XChat", "XChatSandbox", crypto,
                logging,
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Hummingbird", package: "hummingbird", condition: server),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            path: "Tests/XChatFuzzing",
            swiftSettings: settings + [.define("TESTABLE", .when(configuration: .debug))]
        ),
        .target(name: "TestVectors", path: "Tests/TestVectors", swiftSettings: settings),
        .testTarget(name: "LibSodiumTests", dependencies: ["LibSodium", "TestVectors"], swiftSettings: settings),
        .testTarget(name: "ThriftBinaryTests", dependencies: ["ThriftBinary"], swiftSettings: settings),
        .testTarget(name: "XChatEventsTests", dependencies: ["XChatEvents", "ThriftBinary"], swiftSettings: settings),
        .testTarget(name: "XChatFilesTests", dependencies: ["XChatFiles", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "XChatEngineTests",
            dependencies: [
                "XChatEngine", "XChatEvents", "ThriftBinary", "LibSodium", "TestSupport", "TestVectors", crypto,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "XChatHTTPTests",
            dependencies: [
                "XChatHTTP", "XChatEngine", "XChatEvents", "XChatFiles", "XChatSandbox", "TestSupport",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "XChatBackupTests",
            dependencies: ["XChatBackup", "XChatSandbox", "LibSodium", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "XChatTests",
            dependencies: [
                "XChat", "XChatEngine", "XChatEvents", "XChatFiles", "XChatHTTP", "XChatSandbox", "LibSodium",
                "TestSupport",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "XChatSandboxTests",
            dependencies: [
                "XChatSandbox", "XChatBackup", "XChatEngine", "XChatEvents", "TestSupport", crypto, logging,
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "XChatFuzzingTests",
            dependencies: ["XChatFuzzing"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "XChatTextTests",
            dependencies: ["XChatText", "XChat", "XChatEngine", "XChatEvents", "XChatHTTP", "TestSupport"],
            exclude: ["Vectors"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "XChatBenchTests",
            dependencies: ["XChatBench", "XChat", "XChatEngine", "XChatEvents"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "XChatCommandTests",
            dependencies: [
                "XChatCommand", "XChat", "XChatText", "LibSodium", "XChatEngine", "XChatEvents", "XChatFiles",
                "TestSupport",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "InteropTests",
            dependencies: [
                "XChatCommand", "XChat", "XChatBackup", "XChatEngine", "XChatEvents", "XChatHTTP", "XChatSandbox",
                "XChatText", "LibSodium", "TestSupport",
            ],
            path: "Tests/Interop",
            exclude: ["browser.py", "command_flow.py", "peer.py", "xdk_flow.py"],
            swiftSettings: settings
        ),
    ]
)
