// swift-tools-version: 6.2
// The package has three builds:
//   swift build                                   the host program and everything that is tested
//   CONNECTBYLIST_MODULE=1 swift build -c release --scratch-path .build/module
//                                                 the loadable Lua module, the C library and the
//                                                 installable host program, as Embedded Swift
//   Tests/Campaign/fuzz                           the fuzzers: CONNECTBYLIST_FUZZ=1, see below
// Only the first declares neither the Embedded feature nor unsafe flags: a package that has those in its
// manifest cannot be a versioned dependency of another.
//
// SwiftPM refuses two packages with targets of one name in one graph, so every target's name contains
// ConnectByList.
import PackageDescription

let isModule = Context.environment["CONNECTBYLIST_MODULE"] == "1"

/// The fuzzers, which are linked with libFuzzer and its sanitizers, in place of the tests.
let isFuzz = Context.environment["CONNECTBYLIST_FUZZ"] == "1"

/// Warnings are errors in CI only: a newer compiler may warn where a dependant builds this package.
let isStrict = Context.environment["CONNECTBYLIST_STRICT"] == "1"

/// Flags that make the module smaller. Every check of the language stays, but for exclusive access,
/// which the debug build checks.
let sizeFlags = [
  // One trap instruction for each function instead of one for each check.
  "-Xfrontend", "-mergeable-traps",
  "-enforce-exclusivity=unchecked",
  // No copy of a function for each closure that is passed to it.
  "-Xllvm", "-sil-disable-pass=closure-specialize",
  // Inline only what makes the caller smaller.
  "-Xfrontend", "-sil-inline-caller-benefit-reduction-factor", "-Xfrontend", "1",
  "-Xllvm", "-inline-threshold=0",
  // Functions that differ in constants alone are one with parameters: by LLVM's pass in place of Swift's.
  "-Xllvm", "-enable-global-merge-func", "-Xllvm", "-swiftmergefunc-threshold=0",
  // -Osize without LLVM's `minsize`, which copies structures byte by byte (`rep movsb`): a connect takes a
  // sixth fewer instructions, and the module has 10 KB more. A change of this flag needs a clean build: the
  // compiler keeps the object files of code that is the same.
  "-Xllvm", "-force-remove-attribute=minsize",
  // SwiftPM passes -fno-omit-frame-pointer last; this overrides it.
  "-Xcc", "-Xclang", "-Xcc", "-mframe-pointer=none",
]

let swiftSettings: [SwiftSetting] =
  isModule
  ? [
    .enableExperimentalFeature("Embedded"),
    .unsafeFlags(["-wmo", "-Osize", "-Xfrontend", "-function-sections"] + sizeFlags),
  ] : []

/// For modules that are not at the root of a shared object: an Embedded root module compiles all that it
/// uses of them, so their own object files stay empty.
let librarySwiftSettings =
  swiftSettings + (isModule ? [.unsafeFlags(["-Xfrontend", "-emit-empty-object-file"])] : [])

let cSettings: [CSetting] =
  isModule
  ? [
    .define("CONNECTBYLIST_MODULE"),
    .unsafeFlags([
      "-ffunction-sections", "-fdata-sections", "-fvisibility=hidden", "-O2", "-fno-plt",
    ]),
  ] : []

/// For C code that no Lua error passes. The binding keeps its unwind tables: where Lua is compiled as C++,
/// its errors are exceptions.
let cSettingsWithoutUnwinding: [CSetting] =
  cSettings + (isModule ? [.unsafeFlags(["-fno-asynchronous-unwind-tables"])] : [])

/// For the target at the root of a shared object, which exports what its exports.map names.
func sharedObject(of target: String) -> [LinkerSetting] {
  guard isModule else { return [] }
  return [
    .unsafeFlags([
      // Only lld folds functions whose code is identical.
      "-use-ld=lld", "-Xlinker", "--icf=all",
      // Not `pack-relative-relocs`: it saves 25 KB, but needs glibc 2.36 instead of 2.34.
      "-Xlinker", "\(Context.packageDirectory)/Sources/ConnectByListLua/discard.ld",
      "-Xlinker", "--version-script=\(Context.packageDirectory)/Sources/\(target)/exports.map",
      "-Xlinker", "--gc-sections", "-Xlinker", "-s", "-Xlinker", "-z", "-Xlinker", "nodelete",
      "-Xlinker", "-z", "-Xlinker", "now",
    ])
  ]
}

/// The number grows when a program that was linked with the library before would no longer work.
let soname: [LinkerSetting] =
  isModule ? [.unsafeFlags(["-Xlinker", "-soname=libconnectbylist.so.0"])] : []

/// The program. Its Embedded build needs the C library's own shared objects alone.
let program: [LinkerSetting] =
  isModule
  ? [
    .unsafeFlags([
      // Otherwise the driver links Swift's runtime libraries.
      "-enable-experimental-feature", "Embedded",
      "-use-ld=lld", "-Xlinker", "--icf=all", "-Xlinker", "--gc-sections", "-Xlinker", "-s",
      // Lua as a whole, and its API for the C modules that scripts load.
      "-Xlinker", "--whole-archive", "-Xlinker", "-l:liblua5.4.a", "-Xlinker", "--no-whole-archive",
      // Beside the map of the Lua module's own shared object, which this program is linked with too.
      "-Xlinker", "--export-dynamic", "-Xlinker",
      "--version-script=\(Context.packageDirectory)/Sources/CConnectByListCommand/exports.map",
      "-lm", "-Xlinker", "-z", "-Xlinker", "now",
    ])
  ] : [.linkedLibrary("lua5.4")]

/// What both builds have.
let library: [Target] = [
  // Constants and non-variadic system calls for Embedded Swift, which has no Glibc module.
  .target(
    name: "CConnectByListPosix",
    cSettings: cSettingsWithoutUnwinding + [
      // Tests make system calls fail.
      .define("CBL_POSIX_FAULTS", .when(configuration: .debug))
    ]),
  // Planning and racing. Imports nothing; reads no clock and owns no descriptor.
  .target(name: "ConnectByListCore", swiftSettings: librarySwiftSettings),
  // The driver of the race, and the socket.
  .target(
    name: "ConnectByList", dependencies: ["ConnectByListCore", "CConnectByListPosix"],
    swiftSettings: librarySwiftSettings),
  // Endpoints for test suites.
  .target(
    name: "ConnectByListTesting",
    dependencies: ["ConnectByList", "ConnectByListCore", "CConnectByListPosix"],
    swiftSettings: librarySwiftSettings),
  // Finds lua.h; links nothing.
  .target(name: "CConnectByListLuaHeaders"),
  // The C half of the Lua binding: knows Lua, and nothing of sockets.
  .target(
    name: "CConnectByListLua",
    dependencies: ["CConnectByListLuaHeaders", "CConnectByListPosix", "CConnectByListTerminal"],
    cSettings: cSettings),
  // The Swift half of the Lua binding: the functions that the C half calls. Sees no Lua.
  .target(
    name: "ConnectByListLua",
    dependencies: [
      "ConnectByListCore", "ConnectByList", "ConnectByListTesting", "CConnectByListLua",
      "CConnectByListPosix",
    ],
    exclude: ["discard.ld", "exports.map"],
    swiftSettings: swiftSettings, linkerSettings: sharedObject(of: "ConnectByListLua")),
  // The header of the C library, and its packaging.
  .target(
    name: "CConnectByList", exclude: ["make-archive"],
    cSettings: cSettingsWithoutUnwinding),
  // The functions of the C library.
  .target(
    name: "ConnectByListCAPI",
    dependencies: ["ConnectByListCore", "ConnectByList", "CConnectByListPosix", "CConnectByList"],
    exclude: ["exports.map"],
    swiftSettings: swiftSettings, linkerSettings: sharedObject(of: "ConnectByListCAPI") + soname),
  // The race on a virtual clock.
  .target(
    name: "ConnectByListSimulation", dependencies: ["ConnectByListCore"],
    swiftSettings: librarySwiftSettings),
  // The simulator for Lua, a module of its own: a C half and a Swift half, as above.
  .target(
    name: "CConnectByListLuaSimulation", dependencies: ["CConnectByListLuaHeaders"],
    cSettings: cSettings),
  .target(
    name: "ConnectByListLuaSimulation",
    dependencies: [
      "ConnectByListCore", "ConnectByListSimulation", "CConnectByListLuaSimulation",
      "CConnectByListPosix",
    ],
    exclude: ["exports.map"],
    swiftSettings: swiftSettings,
    linkerSettings: sharedObject(of: "ConnectByListLuaSimulation")),
  // The interpreter. All code that Lua's errors may jump over is C.
  .target(
    name: "CConnectByListLuaHost",
    dependencies: ["CConnectByListLuaHeaders", "CConnectByListLua", "CConnectByListLuaSimulation"],
    cSettings: cSettings),
  // Files, terminals and the process, for the program's tools.
  .target(name: "CConnectByListTerminal", cSettings: cSettingsWithoutUnwinding),
  // What the program `connectbylist` does.
  .target(
    name: "ConnectByListCommand",
    dependencies: [
      "CConnectByListLuaHost", "CConnectByListTerminal", "ConnectByListLua",
      "ConnectByListLuaSimulation", "ConnectByList", "ConnectByListCore", "ConnectByListSimulation",
    ],
    swiftSettings: swiftSettings),
  // Its `main`, in C: Embedded Swift has no CommandLine, and ordinary Swift reads it from /proc.
  .executableTarget(
    name: "CConnectByListCommand",
    dependencies: ["CConnectByListLuaHost", "ConnectByListCommand"],
    exclude: ["exports.map"], cSettings: cSettings, linkerSettings: program),
]

/// One of the programs in `examples`. SwiftPM requires every other file of that folder to be excluded.
func example(
  _ name: String, _ source: String, _ dependencies: [Target.Dependency],
  linkerSettings: [LinkerSetting] = []
) -> Target {
  let files = [
    "connect.c", "connect.lua", "connect.swift", "cqueues.lua", "embed.c", "embed.swift",
    "http.lua", "luv.lua", "nio", "order.txt", "ports.lua", "primary.lua", "quickstart.lua",
    "race.txt", "redis.lua", "redis_spec.lua", "simulation_spec.lua", "tls.lua", "wait.lua",
  ]
  return .executableTarget(
    name: name, dependencies: dependencies, path: "examples",
    exclude: files.filter { $0 != source }, sources: [source], linkerSettings: linkerSettings)
}

/// What only the ordinary build has.
let hostAndTests: [Target] = [
  // Connecting from tasks. Not for Embedded Swift, which has no tasks.
  // ConnectByListCore is declared although its types come through ConnectByList: otherwise an
  // incremental build keeps code for a layout that they no longer have.
  .target(
    name: "ConnectByListAsync",
    dependencies: ["ConnectByList", "ConnectByListCore", "CConnectByListPosix"]),
  // Random worlds, and a checker of the races in them.
  .target(
    name: "ConnectByListRaceWorlds",
    dependencies: ["ConnectByListCore", "ConnectByListSimulation"], path: "Tests/RaceWorlds"),
  .executableTarget(
    name: "ConnectByListCheckWorlds", dependencies: ["ConnectByListRaceWorlds"],
    path: "Tests/CheckWorlds"),
  // Measures steps and plans of the core, for Tests/Performance/run.
  .executableTarget(
    name: "ConnectByListMeasureCore",
    dependencies: ["ConnectByListCore"], path: "Tests/Performance/MeasureCore"),
  .testTarget(
    name: "ConnectByListCoreTests",
    dependencies: ["ConnectByListCore", "ConnectByListSimulation", "ConnectByListRaceWorlds"]),
  .testTarget(
    name: "ConnectByListTests",
    dependencies: [
      "ConnectByList", "ConnectByListCore", "ConnectByListTesting", "CConnectByListPosix",
    ]),
  .testTarget(
    name: "ConnectByListTestingTests",
    dependencies: [
      "ConnectByListTesting", "ConnectByList", "ConnectByListCore", "CConnectByListPosix",
    ]),
  .testTarget(
    name: "ConnectByListAsyncTests",
    dependencies: [
      "ConnectByListAsync", "ConnectByList", "ConnectByListCore", "ConnectByListTesting",
      "CConnectByListPosix",
    ]),
  // Lua states whose allocator fails.
  .target(
    name: "CConnectByListLuaTestSupport",
    dependencies: ["CConnectByListLuaHeaders", "CConnectByListLua", "CConnectByListLuaHost"],
    path: "Tests/LuaTestSupport"),
  .testTarget(
    name: "ConnectByListLuaTests",
    dependencies: [
      "ConnectByListLua", "CConnectByListLua", "CConnectByListLuaHost",
      "CConnectByListLuaTestSupport",
    ],
    linkerSettings: [.linkedLibrary("lua5.4")]),
  // Programs on a pseudo-terminal.
  .target(
    name: "CConnectByListCommandTestSupport", path: "Tests/CommandTestSupport",
    linkerSettings: [.linkedLibrary("util")]),
  .testTarget(
    name: "ConnectByListCommandTests",
    dependencies: [
      "ConnectByListCommand", "CConnectByListLua", "CConnectByListLuaHost",
      "CConnectByListCommandTestSupport",
      "ConnectByList", "ConnectByListCore", "ConnectByListTesting",
    ],
    linkerSettings: [.linkedLibrary("lua5.4")]),
  .testTarget(
    name: "ConnectByListCAPITests",
    dependencies: [
      "CConnectByList", "ConnectByListCAPI", "ConnectByList", "ConnectByListCore",
      "ConnectByListTesting", "CConnectByListPosix",
    ]),
  // Lua states for programs that embed Lua.
  .target(
    name: "ConnectByListLuaHost",
    dependencies: [
      "CConnectByListLuaHost", "ConnectByListLua", "ConnectByListLuaSimulation", "ConnectByList",
      "ConnectByListCore",
    ],
    linkerSettings: [.linkedLibrary("lua5.4")]),
  .testTarget(
    name: "ConnectByListLuaHostTests",
    dependencies: [
      "ConnectByListLuaHost", "ConnectByList", "ConnectByListCore", "ConnectByListTesting",
      "CConnectByListPosix",
    ]),
  // Mixed work for any time, for Tests/Campaign/soak.
  .target(name: "CConnectByListSoak", path: "Tests/Campaign/SoakMeasures"),
  .executableTarget(
    name: "ConnectByListSoak",
    dependencies: [
      "ConnectByListLuaHost", "ConnectByList", "ConnectByListCore", "ConnectByListAsync",
      "ConnectByListTesting", "CConnectByListSoak",
    ], path: "Tests/Campaign/Soak", exclude: ["mixture.lua", "process.lua"]),
  example("ConnectByListExampleC", "connect.c", ["CConnectByList", "ConnectByListCAPI"]),
  example(
    "ConnectByListExampleEmbedC", "embed.c", ["CConnectByListLua", "ConnectByListLua"],
    linkerSettings: [.linkedLibrary("lua5.4")]),
  example(
    "ConnectByListExampleEmbedSwift", "embed.swift",
    ["ConnectByListLuaHost", "ConnectByList", "ConnectByListCore", "ConnectByListTesting"]),
  example(
    "ConnectByListExampleSwift", "connect.swift",
    ["ConnectByListAsync", "ConnectByList", "ConnectByListCore", "ConnectByListTesting"]),
]

/// What is fuzzed is optimized, keeps its assertions, and counts the edges that an input reaches.
let fuzzSwiftSettings: [SwiftSetting] = [
  .unsafeFlags(["-O", "-assert-config", "Debug", "-sanitize=fuzzer,address"])
]

let fuzzCSettings: [CSetting] = [
  .unsafeFlags([
    "-O1", "-fsanitize=fuzzer-no-link,address,undefined", "-fno-sanitize-recover=undefined",
  ])
]

/// What only the build of the fuzzers has.
let fuzzers: [Target] = [
  // Wraps of system calls, the C library's functions under test, and Lua states.
  .target(
    name: "CConnectByListFuzzSupport",
    dependencies: [
      "CConnectByListLuaHeaders", "CConnectByListLua", "CConnectByListLuaHost", "CConnectByList",
    ],
    path: "Tests/Campaign/FuzzSupport"),
  .target(
    name: "ConnectByListFuzz",
    dependencies: [
      "CConnectByListFuzzSupport", "ConnectByList", "ConnectByListCore", "ConnectByListSimulation",
      "ConnectByListLua", "ConnectByListLuaSimulation", "ConnectByListCAPI",
    ],
    path: "Tests/Campaign/Fuzz"),
  // The functions that libFuzzer calls; its `main` is libFuzzer's.
  .executableTarget(
    name: "CConnectByListFuzzProgram",
    dependencies: ["CConnectByListFuzzSupport", "ConnectByListFuzz"],
    path: "Tests/Campaign/FuzzProgram",
    linkerSettings: [
      .linkedLibrary("lua5.4"),
      .unsafeFlags([
        "-sanitize=fuzzer,address",
        "-Xlinker", "--wrap=connect", "-Xlinker", "--wrap=recvmmsg",
        "-Xlinker", "--wrap=getaddrinfo", "-Xlinker", "--wrap=freeaddrinfo",
        "-Xlinker", "--wrap=res_nquery",
      ]),
    ]),
]

/// The library's targets without the program.
func instrumented(_ targets: [Target]) -> [Target] {
  for target in targets {
    let isSwift = target.name.hasPrefix("ConnectByList")
    if isSwift {
      target.swiftSettings = (target.swiftSettings ?? []) + fuzzSwiftSettings
    } else {
      target.cSettings = (target.cSettings ?? []) + fuzzCSettings
    }
  }
  return targets.filter { !$0.name.hasSuffix("ConnectByListCommand") }
}

let package = Package(
  name: "ConnectByList",
  products: isModule
    ? [
      .library(name: "connectbylist_core", type: .dynamic, targets: ["ConnectByListLua"]),
      .library(
        name: "connectbylist_simulation_core", type: .dynamic,
        targets: ["ConnectByListLuaSimulation"]),
      .library(name: "connectbylist", type: .dynamic, targets: ["ConnectByListCAPI"]),
      .executable(name: "connectbylist-host", targets: ["CConnectByListCommand"]),
    ]
    : [
      .library(name: "ConnectByList", targets: ["ConnectByList"]),
      .library(name: "ConnectByListAsync", targets: ["ConnectByListAsync"]),
      .library(name: "ConnectByListTesting", targets: ["ConnectByListTesting"]),
      .library(name: "ConnectByListSimulation", targets: ["ConnectByListSimulation"]),
      .library(name: "ConnectByListLuaHost", targets: ["ConnectByListLuaHost"]),
      .library(name: "CConnectByList", targets: ["CConnectByList", "ConnectByListCAPI"]),
      .executable(name: "connectbylist", targets: ["CConnectByListCommand"]),
    ],
  targets: isModule ? library : library + hostAndTests,
  swiftLanguageModes: [.v6]
)

if isFuzz {
  package.products = [
    .executable(name: "connectbylist-fuzz", targets: ["CConnectByListFuzzProgram"])
  ]
  package.targets = instrumented(library + fuzzers)
}

if isStrict {
  for target in package.targets {
    target.swiftSettings = (target.swiftSettings ?? []) + [.treatAllWarnings(as: .error)]
  }
}
