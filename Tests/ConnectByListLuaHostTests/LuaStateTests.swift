import ConnectByListLuaHost
import Testing

/// Values, errors, libraries. `LimitTests` has the limits, `PolicyTests` what scripts may connect to.
@Suite struct LuaStateTests {
  // MARK: values

  @Test func `values come back as they went in`() throws {
    let lua = try LuaState()
    let values: [LuaValue] = [
      nil, true, false, 0, .integer(.min), .integer(.max), 1.5, .number(-.infinity), "", "text",
      .bytes([0, 0xff, 0x80]), [], [1, "two", [3, nil]], ["key": ["inner": 1]],
    ]
    let results = try lua.run("return ...", arguments: values)
    // A table has no field with the value nil.
    let expected = values.map { $0 == [1, "two", [3, nil]] ? [1, "two", [3]] : $0 }
    #expect(results.map(sorted) == expected.map(sorted))
  }

  @Test func `numbers keep their kind`() throws {
    let results = try LuaState().run(
      "return 1, 1.0, 2^53, 1 // 1, math.type(...)", arguments: [2.0])
    #expect(
      results == [.integer(1), .number(1), .number(9_007_199_254_740_992), .integer(1), "float"])
  }

  @Test func `what has no copy comes back as the name of its type`() throws {
    let results = try LuaState().run("return print, coroutine.create(print), io.stdout, {print}")
    #expect(
      results == [
        .other(type: "function"), .other(type: "thread"), .other(type: "userdata"),
        [.other(type: "function")],
      ])
  }

  @Test func `a table that contains itself is an error`() throws {
    let lua = try LuaState()
    #expect(throws: LuaError.self) { try lua.run("local t = {} t.t = t return t") }
    #expect(try lua.run("return 1") == [1])
  }

  @Test func `a table's fields are found by their key`() throws {
    let table = try #require(try LuaState().run("return {port = 80, [1] = 'a'}").first)
    #expect(table["port"]?.integer == 80)
    #expect(table[1]?.string == "a")
    #expect(table["none"] == nil)
  }

  @Test func `a table with a million values`() throws {
    let results = try LuaState().run(
      "local t = {} for i = 1, 1000000 do t[i] = i end return t")
    guard case .table(let fields) = try #require(results.first) else { return }
    #expect(fields.count == 1_000_000)
  }

  private func sorted(_ value: LuaValue) -> LuaValue {
    guard case .table(let fields) = value else { return value }
    return .table(
      fields.map { LuaField(key: $0.key, value: sorted($0.value)) }
        .sorted { "\($0.key)" < "\($1.key)" })
  }

  // MARK: running

  @Test func `globals are set, read and called`() throws {
    let lua = try LuaState()
    try lua.setGlobal("limit", 3)
    try lua.run("config = {port = 80, add = function(a, b) return a + b + limit end}")
    #expect(try lua.global("config.port") == 80)
    #expect(try lua.global("none") == nil)
    #expect(try lua.call("config.add", [1, 2]) == [6])
    #expect(try lua.call("string.rep", ["ab", 2]) == ["abab"])
    #expect(throws: LuaError.self) { try lua.call("none.at.all") }
  }

  @Test func `the error of a script has its text, value and traceback`() throws {
    let lua = try LuaState()
    let error = try #require(throws: LuaError.self) {
      try lua.run("local function f() error('no luck') end f()", name: "=chunk")
    }
    #expect(error.reason == .failed)
    #expect(error.message == "chunk:1: no luck")
    #expect(error.traceback.contains("chunk:1: in local 'f'"))
    #expect(error.value == "chunk:1: no luck")

    let table = try #require(throws: LuaError.self) {
      try lua.run("error(setmetatable({code = 5}, {__tostring = function() return 'five' end}))")
    }
    #expect(table.message == "five")
    #expect(table.value == ["code": 5])
  }

  @Test func `a text that is none of Lua is an error, a precompiled one too`() throws {
    let lua = try LuaState()
    let error = try #require(throws: LuaError.self) { try lua.run("return +", name: "=text") }
    #expect(error.message.hasPrefix("text:1: "))
    let code = try #require(try lua.run("return string.dump(function() end)").first)
    try lua.setGlobal("code", code)
    guard case .bytes(let bytes) = code else { return }
    #expect(throws: LuaError.self) { try lua.run(String(decoding: bytes, as: UTF8.self)) }
  }

  @Test func `a closed state refuses calls`() throws {
    let lua = try LuaState()
    lua.close()
    lua.close()
    let error = try #require(throws: LuaError.self) { try lua.run("return 1") }
    #expect(error.reason == .closed)
  }

  // MARK: libraries

  @Test func `only the wanted libraries are open`() throws {
    let lua = try LuaState([.base, .string])
    #expect(
      try lua.run("return string ~= nil, math, io, os, debug, require") == [
        true, nil, nil, nil, nil, nil,
      ])
  }

  @Test func `the module works with any one library, and with none`() throws {
    let work = """
      local t = connectbylist or require "connectbylist"
      local plan = t.explain({"127.0.0.1:1", "[::1]:1"})
      local sock, message, code, report = t.connect_by_list({"127.0.0.1:1"}, {timeout = 5})
      return code, report.code, plan[1].rank, t.address("192.0.2.1", 80).port, report:json()
      """
    for libraries: LuaLibraries in [
      .all, .sandbox, [.base, .package], [.package], [.package, .string],
      [.package, .table, .utf8],
    ] {
      let results = try LuaState(libraries).run(work)
      #expect(Array(results[..<4]) == ["ECONNREFUSED", "ECONNREFUSED", 1, 80])
      #expect(results[4].string?.contains("ECONNREFUSED") == true)
    }
  }

  @Test func `a sandbox has no files, no precompiled code and no finalizers`() throws {
    let lua = try LuaState(.sandbox)
    let absent = ["io", "os", "debug", "package", "require", "dofile", "loadfile"]
    for name in absent { #expect(try lua.global(name) == nil, "\(name)") }
    #expect(try lua.run("return load('return 1 + 1')()") == [2])
    #expect(try lua.run("return load('return x', 'chunk', 'bt', {x = 5})()") == [5])
    #expect(try lua.run("return (load(string.dump(function() end)))") == [nil])
    #expect(try lua.run("return pcall(setmetatable, {}, {__gc = print})").first == false)
    #expect(try lua.run("return getmetatable(connectbylist.address_list())") == [nil])
    #expect(try lua.run("return getmetatable(setmetatable({}, {a = 1})).a") == [1])
    #expect(try lua.run("return getmetatable('').__index == string") == [true])
    #expect(try lua.run("return connectbylist.wrap") == [nil])
    #expect(try lua.run("return tostring(connectbylist.address_list{'127.0.0.1:80'})").count == 1)
  }

  @Test func `a memory limit is an error that leaves the state usable`() throws {
    let lua = try LuaState(.sandbox, memoryLimit: 1 << 20)
    for script in [
      "return #string.rep('x', 1 << 30)", "local t = {} while true do t[#t + 1] = {} end",
    ] {
      let error = try #require(throws: LuaError.self) { try lua.run(script) }
      #expect(error.reason == .outOfMemory)
      #expect(error.message == "not enough memory")
    }
    // What is freed counts again.
    let work = "for i = 1, 100 do local s = string.rep('x', 1 << 18) .. i end return 'done'"
    #expect(try lua.run(work) == ["done"])
    #expect(
      try lua.run("return (select(2, pcall(string.rep, 'x', 1 << 30)))") == ["not enough memory"])
  }

  @Test func `arguments nested too deep are an error`() throws {
    var value: LuaValue = 1
    for _ in 0..<100 { value = .array([value]) }
    #expect(throws: LuaError.self) { try LuaState().run("return ...", arguments: [value]) }
  }

  @Test func `xpcall works as Lua's, through yields too`() throws {
    let lua = try LuaState()
    let results = try lua.run(
      """
      local c = coroutine.wrap(function(...)
        return xpcall(function(a, b)
          local got = coroutine.yield(a + b)
          error({got})
        end, function(e) return e[1] * 2 end, ...)
      end)
      local first = c(1, 2)
      local ok, second = c(21)
      return first, ok, second, xpcall(print and function(...) return ... end, print, 1, nil, 3)
      """)
    #expect(results == [3, false, 42, true, 1, nil, 3])
    #expect(try lua.run("return (pcall(xpcall, print))") == [false])
  }
}
