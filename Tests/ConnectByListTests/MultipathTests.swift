import CConnectByListPosix
import ConnectByListCore
import ConnectByListTesting
import Glibc
import Testing

@testable import ConnectByList

extension Driver {
  /// Multipath TCP on request, between two ends on loopback.
  @Suite struct MultipathTests {
    /// Whether this kernel has Multipath TCP.
    private static let isSupported: Bool =
      thrown { () throws(Errno) in
        _ = try Syscalls.socket(.inet, protocol: CInt(CBL_POSIX_IPPROTO_MPTCP))
      } == nil

    @Test(
      .enabled(if: isSupported, "needs a kernel with MPTCP (net.mptcp.enabled)"),
      arguments: [IPAddress.loopback, .loopbackV6])
    func `W19 MPTCP on request, and reported`(address: IPAddress) throws {
      let listener = try Listener(at: address, protocol: CInt(CBL_POSIX_IPPROTO_MPTCP))
      let connection = try connect(listener.endpoint, with: request { $0.mptcp = true })
      #expect(try `protocol`(of: connection) == CInt(CBL_POSIX_IPPROTO_MPTCP))
      #expect(connection.report.isMultipath == true)
      #expect(summary(connection.report).hasSuffix("; MPTCP"))
      #expect(connection.remote == listener.endpoint)
      #expect(
        try Syscalls.option(connection.number, level: SocketLevel.tcp, name: SocketNumber.noDelay)
          != 0)

      let other = try Connection(Socket(listener.accept()))
      try connection.write("there\n")
      #expect(try other.readLine() == "there")
      try other.write("and back\n")
      #expect(try connection.readLine() == "and back")
    }

    @Test(
      .enabled(if: isSupported, "needs a kernel with MPTCP (net.mptcp.enabled)"),
      arguments: [IPAddress.loopback, .loopbackV6])
    func `W19 MPTCP falls back to TCP with a peer that has only TCP, and reports it`(
      address: IPAddress
    ) throws {
      let peer = try TestEndpoint(.echo, at: address)
      let connection = try connect(peer.endpoint, with: request { $0.mptcp = true })
      #expect(connection.report.isMultipath == false)
      #expect(summary(connection.report).hasSuffix("; no MPTCP"))
      try connection.write("plain\n")
      #expect(try connection.readLine() == "plain")
    }

    @Test func `without the option it is TCP, and nothing is reported`() throws {
      let peer = try TestEndpoint(.echo)
      let connection = try connect(peer.endpoint)
      #expect(try `protocol`(of: connection) == CInt(IPPROTO_TCP))
      #expect(connection.report.isMultipath == nil)
      #expect(!summary(connection.report).contains("MPTCP"))
    }

    @Test func `failures are reported as TCP's are`() throws {
      let refused = try TestEndpoint(.refused)
      let silent = try TestEndpoint(.silent)
      let peer = try TestEndpoint(.echo)
      let error = try failure(of: refused.endpoint, with: request { $0.mptcp = true })
      #expect(error.errno == .connectionRefused)
      #expect(error.report.outcomes == [.refused])
      #expect(error.report.isMultipath == nil)
      let connection = try connect(
        refused.endpoint, silent.endpoint, peer.endpoint, with: request { $0.mptcp = true })
      #expect(connection.report.outcomes == [.refused, .superseded, .connected])
    }

    @Test(arguments: [(IPAddress.loopback, IPAddress.loopback(2)), (.loopbackV6, .loopbackV6)])
    func `it is bound to a local address as TCP is`(remote: IPAddress, from: IPAddress) throws {
      let peer = try TestEndpoint(.echo, at: remote)
      let bound = request {
        $0.mptcp = true
        $0.locals = .these([Endpoint(from, port: 0)])
      }
      #expect(try connect(peer.endpoint, with: bound).local?.address == from)
    }

    @Test func `a resent SYN is counted`() throws {
      let silent = try TestEndpoint(.silent)
      let error = try failure(
        of: silent.endpoint,
        with: request(timeout: .milliseconds(1300)) {
          $0.mptcp = true
          $0.locals = .routeOnly
        })
      #expect(error.errno == .timedOut)
      #expect(error.report.attempts[0].resentCount >= 1)
    }

    @Test(
      .enabled(
        if: isSupported && Namespace.isAllowed, "needs a kernel with MPTCP, CAP_SYS_ADMIN and ip(8)"
      ))
    func `W19 a kernel that has MPTCP switched off gives TCP`() throws {
      let script = "ip link set lo up; echo 0 > /proc/sys/net/mptcp/enabled"
      let result = try Namespace.run(script) {
        Result {
          let isRefused = thrown { () throws(Errno) in
            _ = try Syscalls.socket(.inet, protocol: CInt(CBL_POSIX_IPPROTO_MPTCP))
          }
          #expect(isRefused == .noProtocolOption)
          let refused = try TestEndpoint(.refused)
          let peer = try TestEndpoint(.echo)
          let connection = try connect(
            refused.endpoint, peer.endpoint, with: request { $0.mptcp = true })
          #expect(try `protocol`(of: connection) == CInt(IPPROTO_TCP))
          #expect(connection.report.outcomes == [.refused, .connected])
          #expect(connection.report.isMultipath == false)
        }
      }
      try result.get()
    }
  }
}

/// SO_PROTOCOL.
private func `protocol`(of connection: Connection) throws(Errno) -> CInt {
  try Syscalls.option(connection.number, level: SOL_SOCKET, name: SO_PROTOCOL)
}

private func summary(_ report: ConnectReport) -> String {
  String(decoding: report.summary().bytes, as: UTF8.self)
}
