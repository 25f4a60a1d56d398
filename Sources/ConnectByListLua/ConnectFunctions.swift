import CConnectByListLua
import ConnectByList
import ConnectByListCore

/// Arguments: list, options. Returns a socket, or nil, message, code, report.
@c @implementation public func cbl_lua_connect(_ call: Call!) -> cbl_lua_verdict {
  var report: ConnectReport?
  let verdict = call.perform { (call) throws(CallError) in
    let box: ListBox = try call.object(0, CBL_LUA_TYPE_LIST, "address list, table or string")
    var request = ConnectRequest()
    try call.readOptions(1, into: &request)
    do throws(ConnectError) {
      call.add(made: SocketBox(try makeConnection(&box.list, request)))
    } catch {
      report = error.report
      throw .failed(error)
    }
  }
  if let report { call.add(made: ReportBox(report)) }
  return verdict
}

/// self: a socket that is not connected yet. Arguments: list, options. Returns self, or nil, message,
/// code, report.
@c @implementation public func cbl_lua_connect_socket(_ call: Call!) -> cbl_lua_verdict {
  var report: ConnectReport?
  let verdict = call.perform { (call) throws(CallError) in
    let socket = try call.openBox()
    let box: ListBox = try call.object(0, CBL_LUA_TYPE_LIST, "address list, table or string")
    var request = ConnectRequest()
    try call.readOptions(1, into: &request)
    do throws(ConnectError) {
      try socket.socket.connect(&box.list, request)
      call.addSelf()
    } catch {
      report = error.report
      throw .failed(error)
    }
  }
  if let report { call.add(made: ReportBox(report)) }
  return verdict
}

/// Arguments: list, options. Returns the plan as an array of pairs, in the order of their ranks.
@c @implementation public func cbl_lua_explain(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let box: ListBox = try call.object(0, CBL_LUA_TYPE_LIST, "address list, table or string")
    var request = ConnectRequest()
    try call.readOptions(1, into: &request)
    let race: Race
    do throws(ConnectError) { race = try request.explain(box.list) } catch {
      throw .failed(error)
    }
    let rows = race.rows()
    let reply = Reply()
    reply.table(count: rows.count) {
      for (index, row) in rows.enumerated() {
        reply.add(cbl_lua_value(index + 1))
        reply.table(count: 8) {
          reply.addPair(row, of: race, local: race.plan.local(of: row.pair))
          reply.addDelay(row, of: race)
        }
      }
    }
    call.answer(reply)
  }
}
