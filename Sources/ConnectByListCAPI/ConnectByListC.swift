import CConnectByList
import CConnectByListPosix
import ConnectByList
import ConnectByListCore

// The C entry, documented in connect_by_list.h. What a caller gave is checked and copied before
// the connect begins, in the order that the header promises; no buffer is written before it has
// succeeded.

@c @implementation public func connect_by_list(
  _ socket: CInt, _ list: UnsafePointer<connect_by_list_addresses>!,
  _ local_length: UnsafeMutablePointer<socklen_t>!, _ local: UnsafeMutablePointer<sockaddr>!,
  _ remote_length: UnsafeMutablePointer<socklen_t>!, _ remote: UnsafeMutablePointer<sockaddr>!,
  _ timeout: UnsafePointer<timeval>!, _ reserved: UnsafeMutableRawPointer!
) -> CInt {
  answer { () throws(Errno) in
    try connect(
      socket, list, AddressRoom(local, local_length), AddressRoom(remote, remote_length), timeout,
      reserved, nil)
  }
}

@c @implementation public func connect_by_list_options(
  _ socket: CInt, _ list: UnsafePointer<connect_by_list_addresses>!,
  _ local_length: UnsafeMutablePointer<socklen_t>!, _ local: UnsafeMutablePointer<sockaddr>!,
  _ remote_length: UnsafeMutablePointer<socklen_t>!, _ remote: UnsafeMutablePointer<sockaddr>!,
  _ timeout: UnsafePointer<timeval>!, _ reserved: UnsafeMutableRawPointer!,
  _ options: UnsafePointer<connect_by_list_options>!
) -> CInt {
  answer { () throws(Errno) in
    try connect(
      socket, list, AddressRoom(local, local_length), AddressRoom(remote, remote_length), timeout,
      reserved, options)
  }
}

/// 0, or -1 with errno.
private func answer(_ body: () throws(Errno) -> Void) -> CInt {
  do throws(Errno) {
    try body()
    return 0
  } catch {
    cbl_posix_set_errno(error.number)
    return -1
  }
}

/// Throws in the order of the header's list of errors.
private func connect(
  _ number: CInt, _ entries: UnsafePointer<connect_by_list_addresses>?, _ local: AddressRoom,
  _ remote: AddressRoom, _ timeout: UnsafePointer<timeval>?,
  _ reserved: UnsafeMutableRawPointer?, _ given: UnsafePointer<connect_by_list_options>?
) throws(Errno) {
  let options = CallOptions(given)
  options.tell(badEntry: -1)
  guard reserved == nil else { throw .invalidArgument }
  let socket = try CallerSocket(checking: number)
  var list = try addressList(entries, options)
  try local.check(for: socket)
  try remote.check(for: socket)
  var request = ConnectRequest()
  if let timeout { request.options.timeout = try span(timeout.pointee) }
  request.cancelDescriptor = try options.cancelDescriptor()
  let report: ConnectReport
  do throws(ConnectError) {
    report = try connectByList(&list, onto: socket, request)
  } catch {
    throw error.errno
  }
  guard let race = report.race, case .won(let id) = report.result else {
    preconditionFailure("a connect that did not fail has a winner")
  }
  let attempt = race.attempts[id.index]
  if let address = attempt.local { local.put(address, socket) }
  remote.put(race.plan.remote(of: attempt.pair), socket)
}
