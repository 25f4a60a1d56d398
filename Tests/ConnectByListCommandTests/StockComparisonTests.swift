import CConnectByListLuaHost
import Foundation
import Testing

/// Compares the program with Lua's own: both run each command line, and output, messages, tracebacks and
/// exit status must be the same, byte for byte.
struct StockComparisonTests {
  /// One command line, given to both programs.
  struct Comparison: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var arguments: [String] = ["script.lua"]
    var files: [String: String] = [:]
    var input = ""
    var environment: [String: String] = [:]

    init(
      _ story: String, _ arguments: [String] = ["script.lua"], script: String? = nil,
      files: [String: String] = [:], input: String = "", environment: [String: String] = [:]
    ) {
      testDescription = story
      self.arguments = arguments
      self.files = files
      self.files["script.lua"] = script
      self.input = input
      self.environment = environment
    }
  }

  /// Prints all of `arg`, and the script's own arguments.
  private static let printsArguments = """
    local places = {}
    for place in pairs(arg) do places[#places + 1] = place end
    table.sort(places)
    for _, place in ipairs(places) do print(place, arg[place]) end
    print(select("#", ...), ...)
    """

  /// Makes a shell send SIGINT to its parent, the interpreter. The shell waits for the line that `close`
  /// flushes, so that the signal always arrives within `close`. (`os.execute` ignores SIGINT.)
  private static let interrupts = """
    local function interrupt()
      local shell = io.popen("read line; kill -INT $PPID", "w")
      shell:write("\n")
      shell:close()
      while true do end
    end

    """

  static let comparisons: [Comparison] = [
    // Arguments
    .init("a script's arguments", ["script.lua", "a", "", "-v", "ü"], script: printsArguments),
    .init(
      "options before a script", ["-e", "x=1", "-ey=2", "--", "script.lua", "a"],
      script: printsArguments),
    .init("arg where there is no script", ["-e", printsArguments]),
    .init("arg for the standard input, unasked", [], input: printsArguments),
    .init("arg for the standard input, asked for", ["-", "a", "b"], input: printsArguments),
    .init("arg after two dashes alone", ["--"], input: printsArguments),
    .init("a file called dash", ["--", "-", "a"], files: ["-": printsArguments]),
    .init(
      "arguments that a statement changed", ["-e", "arg = {'x', nil, 'z'}", "script.lua", "a"],
      script: "print(...)"),
    .init(
      "arguments that a statement removed", ["-e", "arg = nil", "script.lua"],
      script: "print(...)"),
    .init(
      "a thousand arguments", ["script.lua"] + (1...1000).map(String.init),
      script: "print(select('#', ...), (select(1000, ...)))"),

    // Statements
    .init(
      "statements in order, then the script", ["-e", "print(1)", "-eprint(2)", "script.lua"],
      script: "print(3)"),
    .init("statements, then the standard input", ["-e", "print(1)", "-"], input: "print(2)"),
    .init(
      "statements alone leave the standard input", ["-e", "print(io.read('a'))"], input: "unread"),
    .init(
      "a statement that fails ends it all", ["-e", "print(1) error 'no'", "script.lua"],
      script: "print(2)"),
    .init(
      "a statement that does not compile", ["-e", "print(1", "script.lua"], script: "print(2)"),

    // Libraries, warnings, the environment
    .init("a library", ["-l", "string", "-e", "print(string.rep('a', 3))"]),
    .init(
      "a library from a file", ["-l", "m", "-e", "print(m.x)"], files: ["m.lua": "return {x = 1}"]),
    .init(
      "a library joined to its option", ["-lm", "-e", "print(m)"], files: ["m.lua": "return 7"]),
    .init(
      "a library into another global", ["-l", "g=m", "-e", "print(g, m)"],
      files: ["m.lua": "return ..."]),
    .init(
      "libraries and statements in order", ["-e", "x = 1", "-l", "m", "-e", "x = 2", "script.lua"],
      script: "print(m, x)", files: ["m.lua": "return x"]),
    .init(
      "a library, then the standard input", ["-l", "m"], files: ["m.lua": "return 7"],
      input: "print(m)"),
    .init("a library that is missing", ["-l", "no.such", "script.lua"], script: "print(1)"),
    .init("a library that fails", ["-l", "m", "-e", "print(1)"], files: ["m.lua": "error 'no'"]),
    .init(
      "a library whose name is a path", ["-l", "a.b", "-e", "print(_G['a.b'])"],
      files: ["a/b.lua": "return 1"]),
    .init("warnings", ["-W", "script.lua"], script: "warn('a', 'b') warn('@off') warn('c')"),
    .init(
      "warnings after a statement", ["-e", "warn('unseen')", "-W", "-e", "warn('seen')"]),
    .init(
      "warnings of a finalizer", ["-W", "script.lua"],
      script: "b = setmetatable({}, {__gc = function() error('no') end})"),
    .init(
      "no environment", ["-E", "script.lua"],
      script: "print(x, package.path:find('elsewhere'), package.cpath:find('elsewhere'))",
      environment: ["LUA_INIT": "x = 1", "LUA_PATH": "elsewhere/?", "LUA_CPATH": "elsewhere/?"]),
    .init(
      "the search paths", script: "print(package.path, package.cpath)",
      environment: ["LUA_PATH": "a/?;;b/?", "LUA_CPATH": "c/?;;"]),
    .init(
      "the search paths of this version", script: "print(package.path, package.cpath)",
      environment: [
        "LUA_PATH": "a/?", "LUA_PATH_5_4": "b/?;;", "LUA_CPATH": "c/?", "LUA_CPATH_5_4": "d/?",
      ]),
    .init(
      "an end of options before a script", ["-W", "--", "script.lua", "-x"], script: printsArguments
    ),

    // Scripts
    .init(
      "a script with a first line for the shell",
      script: "#!/usr/bin/env connectbylist\nprint(1) error 'two'"),
    .init("a script that does not compile", script: "print(1)\nlocal = 2\n"),
    .init("a script that is missing", ["no-such.lua"]),
    .init("a script with an empty name", [""]),
    .init("a script that is a folder", ["."]),
    .init("an empty script", script: ""),
    .init("the standard input does not compile", ["-"], input: "print(1"),
    .init("the standard input fails", ["-"], input: "print(1)\nerror 'no'"),
    .init("an empty standard input", []),
    .init(
      "a compiled script",
      script: """
        local file <close> = io.open("compiled", "wb")
        file:write(string.dump(load("print(1) error(2)", "@compiled.lua"))):flush()
        dofile "compiled"
        """),

    // Errors
    .init(
      "an error with its traceback",
      script: """
        local function inner(n) if n == 0 then error("at the bottom") end inner(n - 1) end
        function outer() inner(2) end
        local t = setmetatable({}, {__index = function(_, key) outer() end})
        coroutine.wrap(function() return t.x end)()
        """),
    .init("an error of the runtime", script: "local t = nil\nprint(t.x)"),
    .init("an error without a position", script: "error('as it is', 0)"),
    .init("an error object that is a number", script: "error(12)"),
    .init("an error object that is a table", script: "error({})"),
    .init("an error object that is nil", script: "error()"),
    .init("an error object that is a function", script: "error(print)"),
    .init(
      "an error object that knows its text",
      script: "error(setmetatable({}, {__tostring = function() return 'my text' end}))"),
    .init(
      "an error object whose text is none",
      script: "error(setmetatable({}, {__tostring = function() return 1 end}))"),
    .init(
      "an error object whose text fails",
      script: "error(setmetatable({}, {__tostring = function() error 'twice' end}))"),
    .init(
      "an error object whose text fails with no text",
      script: "error(setmetatable({}, {__tostring = function() error {} end}))"),
    .init("an error with a zero byte", script: "error('before\\0after', 0)"),
    .init("an endless recursion", script: "local function f() return 1 + f() end f()"),
    .init(
      "an endless recursion through C",
      script: "local function f() return (string.gsub('a', 'a', f)) end f()"),
    .init(
      "a file that is required and fails", script: "require 'other'",
      files: ["other.lua": "error 'in other'"]),
    .init(
      "a file that is required and does not compile", script: "require 'other'",
      files: ["other.lua": "x ="]),
    .init("a module that is missing", script: "require 'no.such'"),

    // The end
    .init("os.exit with a number", script: "io.write('unflushed') os.exit(3)"),
    .init("os.exit with false", script: "os.exit(false)"),
    .init(
      "os.exit that closes the state",
      script: """
        local a <close> = setmetatable({}, {__close = function() print("closed") end})
        b = setmetatable({}, {__gc = function() print("collected") end})
        os.exit(true, true)
        """),
    .init(
      "an error closes what is open, then the state",
      script: """
        local a <close> = setmetatable({}, {__close = function(_, e) print("closed", e) end})
        b = setmetatable({}, {__gc = function() io.stderr:write("collected\\n") end})
        error("no")
        """),
    .init(
      "the end of the script closes the state",
      script: """
        b = setmetatable({}, {__gc = function() print("collected") end})
        print("end")
        """),
    .init(
      "a finalizer that fails at the end",
      script: "b = setmetatable({}, {__gc = function() error('no') end})"),
    .init("a state's generational collector", script: "print(collectgarbage('incremental'))"),
    .init("a warning, off at first", script: "warn('unseen') warn('@on') warn('seen')"),
    .init("a signal's death", script: "io.popen('kill -TERM $PPID'):close() while true do end"),

    // The environment
    .init("LUA_INIT", script: "print(x, ...)", environment: ["LUA_INIT": "x = ..."]),
    .init(
      "LUA_INIT that names a file", ["script.lua", "a"], script: "print(x)",
      files: ["init.lua": "x = arg[1]"], environment: ["LUA_INIT": "@init.lua"]),
    .init(
      "LUA_INIT that names no file", script: "print(1)", environment: ["LUA_INIT": "@no-such.lua"]),
    .init("LUA_INIT that fails", script: "print(1)", environment: ["LUA_INIT": "error 'no'"]),
    .init(
      "LUA_INIT of this version goes first", script: "print(x)",
      environment: ["LUA_INIT_5_4": "x = 1", "LUA_INIT": "x = 2"]),
    .init(
      "LUA_INIT of this version that fails", script: "print(1)",
      environment: ["LUA_INIT_5_4": "error 'no'"]),
    .init(
      "LUA_INIT before the statements", ["-e", "print(x)"], environment: ["LUA_INIT": "x = 1"]),
    .init(
      "LUA_PATH", script: "print(require 'inner')", files: ["x.lua": "return 'found'"],
      environment: ["LUA_PATH": "./x.lua"]),

    // Interrupts
    .init("an interrupt", script: interrupts + "interrupt()"),
    .init("an interrupt that is caught", script: interrupts + "print(pcall(interrupt))"),
    .init("an interrupt in a statement", ["-e", interrupts + "interrupt()"]),
    .init("a second interrupt", script: interrupts + "print(pcall(interrupt)) interrupt()"),
  ]

  @Test(arguments: comparisons)
  func `does as lua does`(_ comparison: Comparison) throws {
    func outcome(of interpreter: Interpreter) throws -> Interpreter.Outcome {
      let folder = try ScratchFolder()
      for (name, text) in comparison.files { try folder.write(text, to: name) }
      var environment = comparison.environment
      environment["PATH"] = "/usr/bin:/bin"
      var outcome = try interpreter.run(
        comparison.arguments, input: comparison.input, environment: environment, in: folder.url)
      // The names of the programs, before messages and in `arg`, differ.
      let name = interpreter.path
      outcome.output = outcome.output.replacingOccurrences(of: name, with: "PROGRAM")
      for prefix in [name, CBL_HOST_NAME] where outcome.errors.hasPrefix("\(prefix): ") {
        outcome.errors = "PROGRAM" + outcome.errors.dropFirst(prefix.count)
      }
      // The number of levels in a stack overflow depends on what the interpreter itself pushed.
      outcome.errors.replace(/skipping \d+ levels/, with: "skipping")
      return outcome
    }
    let ours = try outcome(of: .host())
    let theirs = try outcome(of: .stock())
    #expect(ours == theirs)
  }
}
