// swift-tools-version: 6.0
import PackageDescription

// Which of the three libraries the package is for: whole, l1 or receiver (docs/swift.md).
let build = Context.environment["PUSHCORE_BUILD"] ?? "whole"
let layers = ["receiver": [], "l1": ["L1"], "whole": ["L1", "Whole"]]

let package = Package(
    name: "Pushcore",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "Pushcore", targets: ["Pushcore"])],
    targets: [
        // The header and its module map, in a folder of their own: two packages with a map in one folder do not build.
        .target(name: "PushcoreFFI", path: "Sources/PushcoreFFI/\(build)"),
        .target(
            name: "Pushcore",
            dependencies: ["PushcoreFFI"],
            path: "Sources/Pushcore",
            exclude: layers.keys.filter { $0 != build }.map { "Generated/\($0)" },
            sources: ["Generated/\(build)"] + layers[build, default: []],
            // Where it lies is said on the command line: -Xlinker -L..., because a package with unsafe flags cannot be depended on.
            linkerSettings: [.linkedLibrary("pushcore_uniffi")]
        ),
        .executableTarget(name: "First", dependencies: ["Pushcore"], path: "Sources/First"),
        .testTarget(name: "PushcoreTests", dependencies: ["Pushcore"], path: "Tests/PushcoreTests"),
    ],
    swiftLanguageModes: [.v6]
)
