import CConnectByListPosix
import ConnectByListCore

/// A connection, before a `Socket` is made of it.
package struct Connection: ~Copyable {
  let descriptor: Descriptor
  package let report: ConnectReport
}

extension Socket {
  package init(_ connection: consuming Connection) {
    self.init(connection.descriptor, connection.report)
  }
}

extension Operation {
  /// The winner as a socket, or the error. Call once, with the result that `advance` finished with, unless the
  /// winner's descriptor was taken.
  public func conclude(_ result: RaceResult) throws(ConnectError) -> Socket {
    Socket(try connection(result))
  }

  package func connection(_ result: RaceResult) throws(ConnectError) -> Connection {
    let report = makeReport(result)
    return Connection(descriptor: try takeWinner(report), report: report)
  }

  /// Gives the winner the number of the caller's socket.
  func concludeOntoTarget(_ result: RaceResult) throws(ConnectError) -> ConnectReport {
    let report = makeReport(result)
    let descriptor = try takeWinner(report)
    do throws(Errno) { try target!.take(descriptor) } catch {
      throw ConnectError(error, "the winner could not take the socket's number")
    }
    return report
  }

  package func makeReport(_ result: RaceResult) -> ConnectReport {
    ConnectReport(race, names: names, result: result, elapsed: race.ended - race.began)
  }

  private func takeWinner(_ report: ConnectReport) throws(ConnectError) -> Descriptor {
    guard case .won(let id) = report.result else { throw ConnectError(report) }
    guard let descriptor = takeDescriptor(of: id) else {
      preconditionFailure("the winner's descriptor was taken before")
    }
    do throws(Errno) { try applyToWinner(id, descriptor.number) } catch {
      throw ConnectError(error, "an option of the winner could not be set")
    }
    return descriptor
  }
}

/// Connects to one entry of the list: tries every pair of a local and a remote address, the likeliest first,
/// raced within the deadline of `request.options.timeout`. Blocks.
///
/// The list remembers how its endpoints did: the next connect with it begins with what worked.
public func connectByList(
  _ list: inout AddressList, _ request: borrowing ConnectRequest
) throws(ConnectError) -> Socket {
  let operation = try Operation(list, request)
  let result = operation.run()
  operation.remember(in: &list)
  return try operation.conclude(result)
}

/// Connects a socket that the caller made: the winner takes its number.
///
/// Blocks, also where the socket is non-blocking. O_NONBLOCK and FD_CLOEXEC are as before afterwards; where
/// nothing connects the socket is unchanged. IPv4 entries are v4-mapped on an AF_INET6 socket, and fail there
/// with `.networkUnreachable` where it is IPV6_V6ONLY; an address that the socket's family cannot have fails
/// with `.familyNotSupported`. The socket must not be used by anything else meanwhile.
public func connectByList(
  _ list: inout AddressList, onto socket: CallerSocket, _ request: ConnectRequest
) throws(ConnectError) -> ConnectReport {
  let operation = try Operation(list, onto: socket, request)
  let result = operation.run()
  operation.remember(in: &list)
  return try operation.concludeOntoTarget(result)
}

extension Operation {
  /// Begins to connect a socket that the caller made, with the options that are set on it.
  convenience init(
    _ list: borrowing AddressList, onto socket: CallerSocket, _ request: ConnectRequest
  ) throws(ConnectError) {
    var request = request
    do throws(Errno) {
      request.settings = try socket.settings(under: request.settings)
    } catch {
      throw ConnectError(error)
    }
    try self.init(list, request, onto: socket)
  }
}

extension Socket {
  /// Connects this socket to one entry of the list, as `connectByList(_:onto:_:)`. Where none connects the
  /// socket is unchanged.
  ///
  /// Throws `.isConnected`, `.alreadyConnecting`, `.invalidArgument` where it is bound or listens, and what
  /// `connectByList` throws.
  public mutating func connect(
    _ list: inout AddressList, _ request: ConnectRequest = ConnectRequest()
  ) throws(ConnectError) {
    let operation = try startConnecting(list, request)
    let result = operation.run()
    operation.remember(in: &list)
    try concludeConnecting(operation, result)
  }

  /// Begins to connect this socket. The caller drives the operation to its end.
  package func startConnecting(
    _ list: borrowing AddressList, _ request: ConnectRequest
  ) throws(ConnectError) -> Operation {
    let caller: CallerSocket
    do throws(Errno) { caller = try CallerSocket(checking: number) } catch {
      throw error == .invalidArgument
        ? ConnectError(error, "the socket is bound, or it listens") : ConnectError(error)
    }
    return try Operation(list, onto: caller, request)
  }

  /// Gives the winner this socket's number.
  package mutating func concludeConnecting(
    _ operation: Operation, _ result: RaceResult
  ) throws(ConnectError) {
    becomeConnected(operation, try operation.concludeOntoTarget(result))
  }

  /// The same for a winner that was handed out while it was checked. Its unread and unsent bytes become this
  /// socket's, and it is closed.
  package mutating func concludeConnecting(
    _ operation: Operation, _ result: RaceResult, takingOver winner: inout Socket
  ) throws(ConnectError) {
    takeBuffers(of: &winner)
    do throws(Errno) { try operation.target!.take(winner.detach()) } catch {
      throw ConnectError(error, "the winner could not take the socket's number")
    }
    becomeConnected(operation, operation.makeReport(result))
    // The check may have seen the stream break.
    failure = winner.failure
  }

  private mutating func becomeConnected(_ operation: Operation, _ report: ConnectReport) {
    let isInet6 = operation.target!.domain == CInt(CBL_POSIX_AF_INET6)
    let (local, remote) = (report.ends?.local, report.ends?.remote)
    becomeConnected(
      report, local: isInet6 ? local?.mapped : local, remote: isInet6 ? remote?.mapped : remote)
  }
}
