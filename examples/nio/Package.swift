// swift-tools-version: 6.2
// A package of its own: SwiftNIO is downloaded only for this example. It is not part of the tests.
//
//   swift run --package-path examples/nio
import PackageDescription

let package = Package(
  name: "nio",
  dependencies: [
    .package(name: "ConnectByList", path: "../.."),
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.80.0"),
  ],
  targets: [
    .executableTarget(
      name: "nio",
      dependencies: [
        .product(name: "ConnectByListAsync", package: "ConnectByList"),
        .product(name: "ConnectByListTesting", package: "ConnectByList"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ])
  ]
)
