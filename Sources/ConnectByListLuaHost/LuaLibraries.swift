import CConnectByListLuaHost

/// Lua's standard libraries, and what a state gives of them to its scripts.
public struct LuaLibraries: OptionSet, Sendable {
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  private init(_ bit: Int) { rawValue = UInt32(bit) }

  public static let base = LuaLibraries(Int(CBL_HOST_LIBRARY_BASE))
  /// `require`. Its `loadlib`, `cpath` and C modules are under no policy and no limit.
  public static let package = LuaLibraries(Int(CBL_HOST_LIBRARY_PACKAGE))
  public static let coroutine = LuaLibraries(Int(CBL_HOST_LIBRARY_COROUTINE))
  public static let table = LuaLibraries(Int(CBL_HOST_LIBRARY_TABLE))
  public static let io = LuaLibraries(Int(CBL_HOST_LIBRARY_IO))
  public static let os = LuaLibraries(Int(CBL_HOST_LIBRARY_OS))
  public static let string = LuaLibraries(Int(CBL_HOST_LIBRARY_STRING))
  public static let math = LuaLibraries(Int(CBL_HOST_LIBRARY_MATH))
  public static let utf8 = LuaLibraries(Int(CBL_HOST_LIBRARY_UTF8))
  public static let debug = LuaLibraries(Int(CBL_HOST_LIBRARY_DEBUG))

  /// All that Lua's own program opens.
  public static let all: LuaLibraries = [
    .base, .package, .coroutine, .table, .io, .os, .string, .math, .utf8, .debug,
  ]

  /// For scripts that are not trusted: no files, processes, C modules and no `debug`; `load` takes text only;
  /// a metatable may not have `__gc`, because no limit ends a finalizer. The module is open, as the global
  /// `connectbylist`, without `wrap`.
  public static let sandbox: LuaLibraries = [
    .base, .coroutine, .table, .string, .math, .utf8, LuaLibraries(Int(CBL_HOST_LIBRARY_SANDBOX)),
  ]
}
