import CConnectByListPosix
import ConnectByListCore
import ConnectByListTesting
import Glibc
import Testing

@testable import ConnectByList

extension Driver {
  /// The options of a caller's socket that are not in the table of scripts: set before, read after.
  @Suite struct CarriedOptionTests {
    /// A value that the kernel takes and that differs from a new socket's.
    private func change(_ option: CarriedOption, on fd: CInt) throws -> [UInt8]? {
      func read() -> [UInt8]? {
        try? Syscalls.optionBytes(fd, level: option.level, name: option.number)
      }
      // Not every kernel has every option.
      guard let initial = read() else { return nil }
      let values: [UInt32]
      switch (option.level, option.number) {
      case (SocketLevel.ip, SocketNumber.localPortRange): values = [30000 | 60999 << 16]
      // Few enough to keep a connection on loopback.
      case (SocketLevel.ip, SocketNumber.timeToLiveMin),
        (SocketLevel.ipv6, SocketNumber.hopLimitMin):
        values = [7]
      case (SocketLevel.tcp, SocketNumber.windowClamp),
        (SocketLevel.socket, SocketNumber.pacingRateMax):
        values = [50000]
      default: values = [1, 2, 0, 8, 1000, 5000]
      }
      var problem: Errno?
      for value in values {
        var bytes = withUnsafeBytes(of: value.littleEndian) { Array($0) }
        bytes += [UInt8](repeating: 0, count: max(0, initial.count - bytes.count))
        problem = thrown { () throws(Errno) in
          try Syscalls.setOption(fd, level: option.level, name: option.number, to: bytes)
        }
        if problem == nil, let changed = read(), changed != initial { return changed }
      }
      // Without capabilities, or without a memory control group (SO_RESERVE_MEM).
      let mayBeRefused: [Errno] = [.notPermitted, .operationNotSupported]
      #expect(
        problem.map { mayBeRefused.contains($0) } ?? false, "\(option.level) \(option.number)")
      return nil
    }

    @Test(arguments: [Family.inet, .inet6, .unix])
    func `W25 each holds on the winner, which is not the first attempt`(_ family: Family) throws {
      let paths = ["peer", "refused"].map { Array("@carried-\(getpid())-\($0)".utf8) }
      func endpoint(_ kind: TestEndpoint.Kind, _ path: [UInt8]) throws -> TestEndpoint {
        if family == .unix { return try TestEndpoint(kind, unixPath: path) }
        return try TestEndpoint(kind, at: family == .inet ? .loopback : .loopbackV6)
      }
      let peer = try endpoint(.echo, paths[0])
      let refused = try endpoint(.refused, paths[1])
      var count = 0
      for option in CarriedOption.table where option.families.contains(.init(family)) {
        var socket = try Socket(family)
        guard let value = try change(option, on: socket.number) else { continue }
        var list = AddressList()
        if family == .unix {
          for path in [paths[1], paths[0]] { try list.append(unixPath: path) }
        } else {
          for endpoint in [refused.endpoint, peer.endpoint] { list.append(.endpoint(endpoint)) }
        }
        do throws(ConnectError) { try socket.connect(&list, request()) } catch {
          Issue.record("\(option.level) \(option.number): \(error)")
          continue
        }
        let after = try Syscalls.optionBytes(
          socket.number, level: option.level, name: option.number)
        #expect(after == value, "\(option.level) \(option.number)")
        count += 1
      }
      #expect(count >= (family == .unix ? 15 : 20), "only \(count) could be set")
    }
  }
}
