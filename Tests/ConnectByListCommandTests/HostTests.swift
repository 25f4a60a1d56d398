import CConnectByListLua
import Foundation
import Testing

/// Runs the program `connectbylist` and checks its options, the modules that are built in, and that
/// other modules of the system load. StockComparisonTests compares it with Lua's own program.
struct ConnectByListCommandTests {

  @Test func `arguments that are not UTF-8 arrive unchanged`() throws {
    let folder = try ScratchFolder()
    try folder.write("print(string.byte((...), 1, -1)) print(arg[1] == ..., x)", to: "script.lua")
    let shell = Interpreter(path: "/bin/sh")
    let outcome = try shell.run(
      [
        "-c", #"exec "$0" -e "x = #'$(printf '\377')'" script.lua "$(printf 'a\377\376')""#,
        Interpreter.host().path,
      ],
      in: folder.url)
    #expect(outcome == .init(status: 0, output: "97\t255\t254\ntrue\t1\n", errors: ""))
  }

  /// Swift's CommandLine finds the arguments through /proc. With it the program ran nothing and exited
  /// with 0 where /proc is not mounted. If no mount namespace can be made for this test, strace shows
  /// that the program does not read /proc.
  @Test func `arguments arrive without /proc`() throws {
    let host = try Interpreter.host().path
    let script = "print(...) os.exit(tonumber((...)))"
    let folder = try ScratchFolder()
    let file = try folder.write(script, to: "script.lua").path
    let shell = Interpreter(path: "/bin/sh")
    let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    let hide = "unshare -rm sh -c 'mount -t tmpfs none /proc && exec \"$0\" \"$@\"'"
    if try shell.run(["-c", hide + " true"], environment: environment).status == 0 {
      let outcome = try shell.run(
        ["-c", hide + " \"$0\" \"$1\" 7 x", host, file], environment: environment)
      #expect(outcome == .init(status: 7, output: "7\tx\n", errors: ""))
    } else {
      _ = try #require(Interpreter.find("strace"), "apt-get install strace")
      let outcome = try shell.run(
        ["-c", "strace -f -e trace=openat \"$0\" \"$1\" 7 x", host, file], environment: environment)
      #expect(outcome.status == 7)
      #expect(outcome.errors.contains("script.lua"))
      #expect(!outcome.errors.contains("/proc"), "\(outcome.errors)")
    }
  }

  @Test func `modules in C of the system load`() throws {
    let script = "local s = require 'socket' print(s._VERSION, s.tcp())"
    let stock = try Interpreter.stock().run(["-e", script])
    try #require(stock.status == 0, "apt-get install lua-socket: \(stock.errors)")
    let outcome = try Interpreter.host().run(["-e", script])
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.hasPrefix("LuaSocket 3"))
  }

  @Test(.enabled(if: Interpreter.find("busted") != nil, "apt-get install lua-busted"))
  func `busted runs specs in it`() throws {
    let folder = try ScratchFolder()
    try folder.write(
      """
      describe("the host", function()
        it("is the one that runs", function()
          assert.is_function(package.preload["connectbylist.core"])
          assert.is_table(require "connectbylist")
        end)
        it("reports failures", function() assert.equal(1, 2) end)
      end)
      """, to: "host_spec.lua")
    let busted = Interpreter(path: try #require(Interpreter.find("busted")))
    let outcome = try busted.run(
      ["--lua=\(Interpreter.host().path)", "--output=TAP", "host_spec.lua"],
      environment: ["PATH": "/usr/bin:/bin"], in: folder.url)
    #expect(outcome.output.contains("ok 1 - the host is the one that runs"), "\(outcome)")
    #expect(outcome.output.contains("not ok 2 - the host reports failures"))
    #expect(outcome.output.contains("1..2"))
  }

  // MARK: Options

  @Test func `help goes to the standard output`() throws {
    let outcome = try Interpreter.host().run(["--help"])
    #expect(outcome.status == 0)
    #expect(outcome.output.hasPrefix("usage: connectbylist [options] [script [args]]\n"))
    #expect(outcome.errors == "")
  }

  @Test(arguments: ["-v", "--version"])
  func `the version option prints the module's version and Lua's`(option: String) throws {
    let outcome = try Interpreter.host().run([
      option, "-e", "print(require 'connectbylist'.version)",
    ])
    let lines = outcome.output.split(separator: "\n")
    try #require(lines.count == 2, "\(outcome)")
    #expect(lines[0].hasPrefix("connectbylist \(lines[1]), Lua 5.4."))
    #expect(lines[1].wholeMatch(of: /\d+\.\d+\.\d+/) != nil)
    #expect(outcome.errors == "")
    #expect(outcome.status == 0)
  }

  @Test(arguments: [
    ["-x"], ["-e"], ["-l"], ["-v", "--nonsense", "script.lua"], ["-e", "--"], ["-Ex"], ["-iv"],
    ["-h"],
  ])
  func `a wrong option prints the usage, as lua does, and runs nothing`(arguments: [String]) throws
  {
    let ours = try Interpreter.host().run(arguments, input: "print(1)")
    let theirs = try Interpreter.stock().run(arguments, input: "print(1)")
    #expect(ours.status == 1 && theirs.status == 1)
    #expect(ours.output == "")
    let lines = ours.errors.split(separator: "\n")
    let message = theirs.errors.split(separator: "\n")[0].split(separator: ": ", maxSplits: 1)[1]
    #expect(lines.first.map(String.init) == "\(try Interpreter.host().path): \(message)")
    #expect(lines.dropFirst().first == "usage: connectbylist [options] [script [args]]")
  }

  /// Lua's own program exits with 0 here if the standard input was not given as a dash. This program
  /// exits with 1 in both cases.
  @Test(arguments: [[], ["-"]])
  func `an error in the standard input makes the exit status 1`(arguments: [String]) throws {
    let outcome = try Interpreter.host().run(arguments, input: "error('no', 0)")
    #expect(outcome.status == 1)
    #expect(outcome.errors.hasPrefix("\(try Interpreter.host().path): no\n"))
  }

  // MARK: Embedded files

  /// The folder `lua` of the sources.
  private static let sources = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("lua")

  /// The Lua files by their names as modules, without those for editors, which begin with `---@meta`.
  private func moduleTexts() throws -> [String: String] {
    var texts: [String: String] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: Self.sources.path)
    where path.hasSuffix(".lua") {
      let file = Self.sources.appendingPathComponent(path)
      let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
      if text.hasPrefix("---@meta") { continue }
      texts[path.dropLast(4).replacingOccurrences(of: "/", with: ".")] = text
    }
    return texts
  }

  private struct BuiltIn {
    let name: String
    let chunkName: String
    let isModule: Bool
    let text: String

    init(_ file: cbl_lua_file, isModule: Bool) {
      name = String(cString: file.name)
      chunkName = String(cString: file.chunk_name)
      self.isModule = isModule
      text = String(
        decoding: UnsafeBufferPointer(start: file.text, count: file.size), as: UTF8.self)
    }
  }

  private static let builtIn: [BuiltIn] = {
    var moduleCount = 0
    var partCount = 0
    let modules = UnsafeBufferPointer(start: cbl_lua_modules(&moduleCount), count: moduleCount)
    let parts = UnsafeBufferPointer(start: cbl_lua_parts(&partCount), count: partCount)
    return modules.map { BuiltIn($0, isModule: true) } + parts.map { BuiltIn($0, isModule: false) }
  }()

  @Test func `each Lua file of the sources is embedded, and no other`() throws {
    let texts = try moduleTexts()
    #expect(Self.builtIn.map(\.name).sorted() == texts.keys.sorted())
    for file in Self.builtIn {
      #expect(file.text == texts[file.name], "the text of \(file.name) is not that of its file")
      #expect(
        file.chunkName == "@" + file.name.replacingOccurrences(of: ".", with: "/") + ".lua")
    }
  }

  @Test func `modules load from any folder and with an empty environment`() throws {
    let modules = Self.builtIn.filter(\.isModule).map(\.name)
    #expect(
      modules == [
        "connectbylist", "connectbylist.luasocket", "connectbylist.simulation",
        "connectbylist.testing", "connectbylist.tls", "connectbylist.wait",
      ])
    // TLS needs LuaSec, which may not be installed; its own specs load it.
    for module in modules where module != "connectbylist.tls" {
      let outcome = try Interpreter.host().run(["-e", "assert(require '\(module)')"])
      #expect(outcome == .init(status: 0, output: "", errors: ""), "\(module)")
    }
  }

  @Test func `the chunk of an embedded file is named by its path in the folder lua`() throws {
    let script = """
      local seen = {}
      debug.sethook(function() seen[debug.getinfo(2, "S").short_src] = true end, "c")
      require "connectbylist.testing"
      debug.sethook()
      print(seen["connectbylist/testing.lua"])
      """
    let outcome = try Interpreter.host().run(["-e", script])
    #expect(outcome == .init(status: 0, output: "true\n", errors: ""))
  }

  @Test func `embedded modules take precedence over files, and a script's preload over both`()
    throws
  {
    let folder = try ScratchFolder()
    try folder.write("return { version = 'a file' }", to: "connectbylist.lua")
    try folder.write(
      """
      print(require "connectbylist".version ~= "a file")
      package.loaded.connectbylist = nil
      package.preload.connectbylist = function() return "mine" end
      print((require "connectbylist"))
      """, to: "script.lua")
    let outcome = try Interpreter.host().run(["script.lua"], in: folder.url)
    #expect(outcome == .init(status: 0, output: "true\nmine\n", errors: ""))
  }
}
