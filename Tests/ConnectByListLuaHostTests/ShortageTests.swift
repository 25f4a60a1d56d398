import CConnectByListPosix
import ConnectByListLuaHost
import Testing

/// Lua code while our own allocations fail. (`AllocationTests` makes Lua's own fail.)
@Suite struct ShortageTests {
  /// What has no failure of its own, by a script that uses `kept`.
  static let cases: [(String, String)] = [
    ("a report's fields", "return kept.report.attempts"),
    ("a report's text", "return tostring(kept.report)"),
    ("a report's JSON", "return kept.report:json()"),
    ("a list's history", "return kept.list:history()"),
    ("an endpoint's received bytes", "return kept.echo:received()"),
    ("an endpoint's failures", "return kept.script:failures()"),
    (
      "an operation's events",
      "return require 'connectbylist'.connect_by_list(kept.list, {on_event = function() end})"
    ),
  ]

  @Test(arguments: cases)
  func `a result without memory is Lua's memory error, and is there when there is memory again`(
    _ name: String, _ script: String
  ) throws {
    let lua = try LuaState()
    try lua.run(
      """
      local net, testing = require "connectbylist", require "connectbylist.testing"
      kept = {echo = testing.echo(), script = testing.script {}, refused = testing.refused()}
      kept.list = net.address_list {kept.refused}
      local _, message, code, report = net.connect_by_list(kept.list, {timeout = 5})
      assert(code == "ECONNREFUSED", message)
      kept.report = report
      """)
    cbl_posix_set_fault(CBL_POSIX_CALL_REALLOC, 1, .max, ENOMEM)
    let error = #expect(throws: LuaError.self) { try lua.run(script) }
    cbl_posix_set_fault(CBL_POSIX_CALL_REALLOC, 0, 0, 0)
    #expect(error?.message.contains("not enough memory") == true, "\(String(describing: error))")
    try lua.run(script)
    try lua.run(
      "for _, endpoint in pairs {kept.echo, kept.script, kept.refused} do endpoint:close() end")
  }
}
