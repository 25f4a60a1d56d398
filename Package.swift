// swift-tools-version: 6.2
// The package, and its two builds (README.md, "The module for stock Lua"):
//   swift build                                   the host binary and everything that is tested
//   CONNECTBYLIST_MODULE=1 swift build -c release --scratch-path .build/module
//                                                 the loadable Lua module and the C library, as
//                                                 Embedded Swift
// Only the second declares the Embedded feature and unsafe flags: with those in its manifest a package
// cannot be depended on by version.
import PackageDescription

let isModule = Context.environment["CONNECTBYLIST_MODULE"] == "1"

let swiftSettings: [SwiftSetting] =
  isModule
  ? [
    .enableExperimentalFeature("Embedded"),
    .unsafeFlags(["-wmo", "-Osize", "-Xfrontend", "-function-sections"]),
  ] : []

let cSettings: [CSetting] =
  isModule
  ? [.unsafeFlags(["-ffunction-sections", "-fdata-sections", "-fvisibility=hidden"])] : []

/// For the target at the root of a shared object: exports what its exports.map names.
func sharedObject(of target: String) -> [LinkerSetting] {
  guard isModule else { return [] }
  return [
    .unsafeFlags([
      "-Xlinker", "--version-script=\(Context.packageDirectory)/Sources/\(target)/exports.map",
      "-Xlinker", "--gc-sections", "-Xlinker", "-s", "-Xlinker", "-z", "-Xlinker", "nodelete",
      "-Xlinker", "-z", "-Xlinker", "now",
    ])
  ]
}

let soname: [LinkerSetting] =
  isModule ? [.unsafeFlags(["-Xlinker", "-soname=libconnectbylist.so"])] : []

let library: [Target] = [
  // Constants and non-variadic system calls for Embedded Swift, which has no Glibc module.
  .target(name: "CPosix", cSettings: cSettings),
  // Planning and racing, pure: imports nothing, knows neither clock nor descriptor.
  .target(name: "ConnectCore", swiftSettings: swiftSettings),
  // The driver and the socket.
  .target(
    name: "ConnectByList", dependencies: ["ConnectCore", "CPosix"], swiftSettings: swiftSettings),
  // Finds lua.h; links nothing.
  .target(name: "CLua"),
  // The C half of the Lua border: knows Lua and nothing of sockets.
  .target(name: "CLuaBorder", dependencies: ["CLua"], cSettings: cSettings),
  // The Swift half: the functions behind the border.
  .target(
    name: "LuaModule", dependencies: ["ConnectCore", "ConnectByList", "CLuaBorder", "CPosix"],
    exclude: ["exports.map"],
    swiftSettings: swiftSettings, linkerSettings: sharedObject(of: "LuaModule")),
  // The header of the C entry, and what a packager needs beside it.
  .target(
    name: "CConnectByList", exclude: ["connectbylist.pc.in", "make-archive"], cSettings: cSettings),
  // The C entry.
  .target(
    name: "CEntry", dependencies: ["ConnectCore", "ConnectByList", "CPosix", "CConnectByList"],
    exclude: ["exports.map"],
    swiftSettings: swiftSettings, linkerSettings: sharedObject(of: "CEntry") + soname),
]

/// One of the programs in `examples`. SwiftPM wants to be told of every file there that is not its own.
func example(_ name: String, _ source: String, _ dependencies: [Target.Dependency]) -> Target {
  let files = [
    "connect.c", "connect.lua", "connect.swift", "order.txt", "quickstart.lua", "race.txt",
  ]
  return .executableTarget(
    name: name, dependencies: dependencies, path: "examples", exclude: files.filter { $0 != source },
    sources: [source])
}

let hostAndTests: [Target] = [
  // The async face, which Embedded Swift cannot have.
  .target(name: "ConnectByListAsync", dependencies: ["ConnectByList"]),
  .testTarget(
    name: "ConnectByListAsyncTests", dependencies: ["ConnectByListAsync", "ConnectByList"]),
  // The interpreter: all that may jump through Lua's errors is C.
  .target(name: "CHost", dependencies: ["CLua", "CLuaBorder"]),
  .executableTarget(
    name: "Host", dependencies: ["CHost", "LuaModule", "ConnectCore"],
    linkerSettings: [.linkedLibrary("lua5.4")]),
  // Random worlds and a checker of the races in them, for the tests and for long runs.
  .target(name: "RaceWorlds", dependencies: ["ConnectCore"], path: "Tests/RaceWorlds"),
  .executableTarget(
    name: "CheckWorlds", dependencies: ["RaceWorlds"], path: "Tests/CheckWorlds"),
  // What the core's steps and plans cost, for Tests/Performance/run.
  .executableTarget(
    name: "MeasureCore", dependencies: ["ConnectCore"], path: "Tests/Performance/MeasureCore"),
  .testTarget(name: "ConnectCoreTests", dependencies: ["ConnectCore", "RaceWorlds"]),
  .testTarget(
    name: "ConnectByListTests", dependencies: ["ConnectByList", "ConnectCore", "CPosix"]),
  // States whose memory runs out.
  .target(
    name: "BorderSupport", dependencies: ["CLua", "CLuaBorder", "CHost"],
    path: "Tests/BorderSupport"),
  .testTarget(
    name: "LuaModuleTests",
    dependencies: ["LuaModule", "CLuaBorder", "CHost", "BorderSupport"],
    linkerSettings: [.linkedLibrary("lua5.4")]),
  .testTarget(name: "HostTests", dependencies: ["Host", "CHost"]),
  example("ConnectExample", "connect.c", ["CConnectByList", "CEntry"]),
  example("ConnectInSwift", "connect.swift", ["ConnectByListAsync"]),
  .testTarget(
    name: "CEntryTests",
    dependencies: ["CConnectByList", "CEntry", "ConnectByList", "ConnectCore", "CPosix"]),
]

let package = Package(
  name: "ConnectByList",
  products: isModule
    ? [
      .library(name: "connectbylist_core", type: .dynamic, targets: ["LuaModule"]),
      .library(name: "connectbylist", type: .dynamic, targets: ["CEntry"]),
    ]
    : [
      .library(name: "ConnectByList", targets: ["ConnectByList"]),
      .library(name: "ConnectByListAsync", targets: ["ConnectByListAsync"]),
      .library(name: "CConnectByList", targets: ["CConnectByList", "CEntry"]),
      .executable(name: "connectbylist", targets: ["Host"]),
    ],
  targets: isModule ? library : library + hostAndTests,
  swiftLanguageModes: [.v6]
)
