// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let benchmark: Target.Dependency = .product(name: "Benchmark", package: "benchmark")
let events: Target.Dependency = .product(name: "XChatEvents", package: "swift-xchat")
let engine: Target.Dependency = .product(name: "XChatEngine", package: "swift-xchat")
let sodium: Target.Dependency = .product(name: "LibSodium", package: "swift-xchat")

// A package of its own, so that users of the libraries do not resolve its dependencies.
let package = Package(
    name: "benchmarks",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "swift-xchat", path: ".."),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        // Without its traits it needs no other allocator; its own counts of allocations then read 0.
        .package(url: "https://github.com/ordo-one/benchmark", exact: "1.38.1", traits: []),
    ],
    targets: [
        .target(name: "Fixtures", dependencies: [events, engine], swiftSettings: settings),
        // What `allocations` and `scale` run.
        .executableTarget(
            name: "Operations",
            dependencies: [
                "Fixtures", events, engine, sodium,
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: settings
        ),
        // What `ratios` and `scale` run.
        .executableTarget(
            name: "Ratios",
            dependencies: [
                "Fixtures", events, engine, sodium,
                .product(name: "XChat", package: "swift-xchat"),
                .product(name: "XChatHTTP", package: "swift-xchat"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "Engine",
            dependencies: ["Fixtures", benchmark, events, engine, sodium],
            path: "Benchmarks/Engine",
            swiftSettings: settings,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
        ),
        .executableTarget(
            name: "Loopback",
            dependencies: [
                "Fixtures", benchmark, events, engine,
                .product(name: "XChatHTTP", package: "swift-xchat"),
                .product(name: "XChatSandbox", package: "swift-xchat"),
            ],
            path: "Benchmarks/Loopback",
            swiftSettings: settings,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]
        ),
    ]
)
