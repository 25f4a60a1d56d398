import CConnectByListLua
import ConnectByList
import ConnectByListCore

extension Call {
  /// A list of one name. Arguments: host, service. A malformed host or port fails as a connect does, with a report.
  func readName(_ report: inout ConnectReport?) throws(CallError) -> AddressList {
    var list = AddressList()
    do throws(CallError) {
      list.append(try entry(0, defaultPort: nil))
    } catch {
      guard case .malformed(let text) = error else { throw error }
      report = ConnectReport(.invalidArgument)
      throw .failed(.invalidArgument, text)
    }
    return list
  }
}

/// Arguments: host, service, options. Returns a socket, or nil, message, code, report.
@c @implementation public func cbl_lua_connect_by_name(_ call: Call!) -> cbl_lua_verdict {
  var report: ConnectReport?
  let verdict = call.perform { (call) throws(CallError) in
    let operation: Operation
    if let pending = call.pendingOperation {
      operation = pending
    } else {
      var list = try call.readName(&report)
      operation = try call.begin(&list, options: 2, &report)
    }
    let result = try call.drive(operation)
    let connection = try call.noting(&report) { () throws(ConnectError) in
      try operation.connection(result)
    }
    call.add(made: SocketBox(connection))
  }
  return call.finish(verdict, report)
}

/// Arguments: host, service, options. Returns an operation, or nil, message, code, report.
@c @implementation public func cbl_lua_operation_new_by_name(_ call: Call!) -> cbl_lua_verdict {
  var report: ConnectReport?
  let verdict = call.perform { (call) throws(CallError) in
    let list = ListBox(try call.readName(&report))
    let operation = try call.begin(&list.list, options: 2, &report)
    call.add(made: OperationBox(operation, list, nil))
  }
  return call.finish(verdict, report)
}
