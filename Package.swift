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

/// What else makes the module smaller; what each is worth stands in Performance.md. All of the
/// language's checks stay, but for exclusive access, which the debug build checks.
let small = [
  // One trap a function instead of one a check.
  "-Xfrontend", "-mergeable-traps",
  "-enforce-exclusivity=unchecked",
  // A closure that is handed over is not a reason for another copy of who takes it.
  "-Xllvm", "-sil-disable-pass=closure-specialize",
  // What is inlined must make the caller smaller.
  "-Xfrontend", "-sil-inline-caller-benefit-reduction-factor", "-Xfrontend", "1",
  "-Xllvm", "-inline-threshold=0",
  // Instructions that several functions of a file have in common stand there once.
  "-Xllvm", "-enable-machine-outliner",
  // SwiftPM asks for frame pointers, at the end of its command: this is heard after it.
  "-Xcc", "-Xclang", "-Xcc", "-mframe-pointer=none",
]

let swiftSettings: [SwiftSetting] =
  isModule
  ? [
    .enableExperimentalFeature("Embedded"),
    .unsafeFlags(["-wmo", "-Osize", "-Xfrontend", "-function-sections"] + small),
  ] : []

/// Of the modules below the roots: embedded, a root compiles all that it uses of them itself.
let librarySwiftSettings =
  swiftSettings + (isModule ? [.unsafeFlags(["-Xfrontend", "-emit-empty-object-file"])] : [])

let cSettings: [CSetting] =
  isModule
  ? [
    .unsafeFlags([
      "-ffunction-sections", "-fdata-sections", "-fvisibility=hidden", "-Oz", "-fno-plt",
    ])
  ] : []

/// Of C that no Lua error passes: where Lua is C++, its errors need the tables of the others.
let cSettingsWithoutUnwinding: [CSetting] =
  cSettings + (isModule ? [.unsafeFlags(["-fno-asynchronous-unwind-tables"])] : [])

/// For the target at the root of a shared object: exports what its exports.map names.
func sharedObject(of target: String) -> [LinkerSetting] {
  guard isModule else { return [] }
  return [
    .unsafeFlags([
      // Of the linkers only the toolchain's own folds functions whose code is the same.
      "-use-ld=lld", "-Xlinker", "--icf=all",
      // Not `pack-relative-relocs`: 25 KB less, but glibc would have to be 2.36 where 2.34 will do.
      "-Xlinker", "\(Context.packageDirectory)/Sources/LuaModule/discard.ld",
      "-Xlinker", "--version-script=\(Context.packageDirectory)/Sources/\(target)/exports.map",
      "-Xlinker", "--gc-sections", "-Xlinker", "-s", "-Xlinker", "-z", "-Xlinker", "nodelete",
      "-Xlinker", "-z", "-Xlinker", "now",
    ])
  ]
}

let soname: [LinkerSetting] =
  isModule ? [.unsafeFlags(["-Xlinker", "-soname=libconnectbylist.so"])] : []

/// The simulator in ConnectCore, which only the host and the tests have.
let simulator = [
  "Scenario", "ScenarioLine", "ScenarioParser", "ScenarioPhrases", "ScenarioPrinting",
  "ScenarioWorld", "Simulation", "SimulationExplain", "SimulationQueue", "Transcript",
].map { $0 + ".swift" }

let library: [Target] = [
  // Constants and non-variadic system calls for Embedded Swift, which has no Glibc module.
  .target(name: "CPosix", cSettings: cSettingsWithoutUnwinding),
  // Planning and racing, pure: imports nothing, knows neither clock nor descriptor.
  .target(
    name: "ConnectCore", exclude: isModule ? simulator : [],
    swiftSettings: librarySwiftSettings),
  // The driver and the socket.
  .target(
    name: "ConnectByList", dependencies: ["ConnectCore", "CPosix"],
    swiftSettings: librarySwiftSettings),
  // Finds lua.h; links nothing.
  .target(name: "CLua"),
  // The C half of the Lua border: knows Lua and nothing of sockets.
  .target(name: "CLuaBorder", dependencies: ["CLua"], cSettings: cSettings),
  // The Swift half: the functions behind the border.
  .target(
    name: "LuaModule", dependencies: ["ConnectCore", "ConnectByList", "CLuaBorder", "CPosix"],
    exclude: ["discard.ld", "exports.map"],
    swiftSettings: swiftSettings, linkerSettings: sharedObject(of: "LuaModule")),
  // The header of the C entry, and what a packager needs beside it.
  .target(
    name: "CConnectByList", exclude: ["connectbylist.pc.in", "make-archive"],
    cSettings: cSettingsWithoutUnwinding),
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
  // The async face, which Embedded Swift cannot have. ConnectCore's types go through ConnectByList:
  // undeclared, an incremental build would keep code for a layout that they no longer have.
  .target(name: "ConnectByListAsync", dependencies: ["ConnectByList", "ConnectCore"]),
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
  example("ConnectInSwift", "connect.swift", ["ConnectByListAsync", "ConnectByList", "ConnectCore"]),
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
