import CConnectByListLua
import ConnectByList
import ConnectByListCore

/// Arguments: host, service (false: the host is a name with SRV records), options. Returns a list of the addresses.
@c @implementation public func cbl_lua_resolve(_ call: Call!) -> cbl_lua_verdict {
  call.perform { (call) throws(CallError) in
    let isService = call[1].kind == CBL_LUA_BOOLEAN
    let entry = isService ? try call.serviceEntry(0) : try call.entry(0, defaultPort: nil)
    var request = ConnectRequest()
    try call.readOptions(2, into: &request)
    var list = AddressList(hashSecret: .ofThisProcess)
    switch entry {
    case .endpoint: list.append(entry)
    case .name(let name):
      do throws(ConnectError) {
        for endpoint in try resolve(name, request) { list.append(.endpoint(endpoint)) }
      } catch {
        throw .failed(error)
      }
    }
    call.add(made: ListBox(list))
  }
}

/// Arguments: host, service, options. Returns a socket, or nil, message, code, report. A malformed host
/// or port fails as a connect does, with a report.
@c @implementation public func cbl_lua_connect_by_name(_ call: Call!) -> cbl_lua_verdict {
  var report: ConnectReport?
  let verdict = call.perform { (call) throws(CallError) in
    let entry: Entry
    do throws(CallError) {
      entry = try call.entry(0, defaultPort: nil)
    } catch {
      guard case .malformed(let text) = error else { throw error }
      report = ConnectReport(.invalidArgument)
      throw .failed(.invalidArgument, text)
    }
    var request = ConnectRequest()
    try call.readOptions(2, into: &request)
    var list = AddressList()
    list.append(entry)
    do throws(ConnectError) {
      call.add(made: SocketBox(try makeConnection(&list, request)))
    } catch {
      report = error.report
      throw .failed(error)
    }
  }
  if let report { call.add(made: ReportBox(report)) }
  return verdict
}
