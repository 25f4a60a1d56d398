import CConnectByList
import ConnectByList
import ConnectByListCore

// The functions of the C library, documented in connect_by_list.h. The arguments are checked and copied
// before the connect begins, in the order that the header documents. Buffers are written only after a
// success.

@c @implementation public func connect_by_list(
  _ socket: CInt, _ list: UnsafePointer<connect_by_list_addresses>!,
  _ local_length: UnsafeMutablePointer<socklen_t>!, _ local: UnsafeMutablePointer<sockaddr>!,
  _ remote_length: UnsafeMutablePointer<socklen_t>!, _ remote: UnsafeMutablePointer<sockaddr>!,
  _ timeout: UnsafePointer<timeval>!, _ reserved: UnsafeMutableRawPointer!
) -> CInt {
  status { () throws(Errno) in
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
  status { () throws(Errno) in
    try connect(
      socket, list, AddressRoom(local, local_length), AddressRoom(remote, remote_length), timeout,
      reserved, options)
  }
}

/// 0, or -1 with errno set.
private func status(_ body: () throws(Errno) -> Void) -> CInt {
  do throws(Errno) {
    try body()
    return 0
  } catch {
    Syscalls.setErrno(error)
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
  options.report(badEntry: -1)
  guard reserved == nil else { throw .invalidArgument }
  let socket = try CallerSocket(checking: number)
  var list = try addressList(entries, options)
  try local.check(for: socket)
  try remote.check(for: socket)
  var request = ConnectRequest()
  if let timeout { request.options.timeout = try span(timeout.pointee) }
  request.cancelDescriptor = try options.cancelDescriptor()
  request.policy = try options.policy()
  let report: ConnectReport
  do throws(ConnectError) {
    report = try connectByList(&list, onto: socket, request)
  } catch {
    throw error.errno
  }
  guard let race = report.race, case .won(let id) = report.result else {
    preconditionFailure("a connect that succeeded has a winner")
  }
  let attempt = race.attempts[id.index]
  if let address = attempt.local { local.put(address, socket) }
  remote.put(race.plan.remote(of: attempt.pair), socket)
}
