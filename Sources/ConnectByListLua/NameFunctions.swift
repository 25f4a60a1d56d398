import CConnectByListLua
import ConnectByList
import ConnectByListCore

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
    request.policy = call.policy
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
