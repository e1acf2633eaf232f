// swift-tools-version: 6.0
import PackageDescription

// Which of the three libraries the package is for: whole, l1 or receiver (docs/swift.md).
let build: String = Context.environment["PUSHCORE_BUILD"] ?? "whole"
let allLayers: [String] = ["L1", "Whole"]
let layers: [String] = build == "whole" ? allLayers : build == "l1" ? ["L1"] : []
let otherLayers: [String] = allLayers.filter { !layers.contains($0) }
let generated: String = "Generated/\(build)"
let otherGenerated: [String] = ["Generated/whole", "Generated/l1", "Generated/receiver"].filter { $0 != generated }

// One by one: the compiler takes minutes for the types of a long list.
// The header and its module map, in a folder of their own: two packages with a map in one folder do not build.
let header: Target = .target(name: "PushcoreFFI", path: "Sources/PushcoreFFI/\(build)")
let library: Target = .target(
    name: "Pushcore",
    dependencies: ["PushcoreFFI"],
    path: "Sources/Pushcore",
    exclude: otherLayers + otherGenerated,
    sources: layers + [generated],
    // Where it lies is said on the command line: -Xlinker -L..., because a package with unsafe flags cannot be depended on.
    linkerSettings: [.linkedLibrary("pushcore_uniffi")]
)
let tests: Target = .testTarget(
    name: "PushcoreTests",
    dependencies: ["Pushcore"],
    path: "Tests/PushcoreTests",
    exclude: otherLayers,
    sources: layers + ["Base"]
)
var targets: [Target] = [header, library, tests]
if build == "whole" {
    targets.append(.executableTarget(name: "First", dependencies: ["Pushcore"], path: "Sources/First"))
}

let package = Package(
    name: "Pushcore",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "Pushcore", targets: ["Pushcore"])],
    targets: targets,
    swiftLanguageModes: [.v6]
)
