import CConnectByListPosix
import ConnectByListCore
import ConnectByListTesting
import Foundation
import Glibc
import Testing

@testable import ConnectByList

extension Driver {
  /// The table of socket options compared with the kernel, and the options of an attempt's socket.
  @Suite struct SocketOptionTests {
    // MARK: the table

    @Test func `no name and no kernel option is in the table twice`() {
      let names = SocketOption.names.map { "\($0)" }
      #expect(Set(names).count == names.count)
      let options = SocketOption.table.map { "\($0.level) \($0.number)" }
      #expect(Set(options).count == options.count)
      for option in SocketOption.table {
        for name in [option.name, option.alias, option.luaSocketName] where "\(name)" != "" {
          #expect(SocketOption.named([UInt8](name))?.number == option.number, "\(name)")
        }
      }
      #expect(SocketOption.named([]) == nil)
      #expect(SocketOption.named(Array("nodelays".utf8)) == nil)
    }

    // MARK: setting and reading

    @Test(arguments: [Family.inet, .inet6])
    func `each option reads as it was set`(_ family: Family) throws {
      for option in SocketOption.table where option.isSettable && option.isReadable {
        guard option.families.contains(.init(family)) else { continue }
        for value in samples(of: option) {
          let socket = try Syscalls.socket(family)
          let setting = try #require(option.setting(value), "\(option.name) = \(value)")
          let errno = thrown { () throws(Errno) in try setting.apply(to: socket.number) }
          if errno == .notPermitted && geteuid() != 0 { continue }
          #expect(errno == nil, "\(option.name) = \(value)")
          #expect(try option.value(on: socket.number) == value, "\(option.name)")
        }
      }
    }

    @Test func `the kernel refuses an option of another family`() throws {
      let socket = try Syscalls.socket(.inet)
      for option in SocketOption.table where !option.families.contains(.inet) {
        let setting = try #require(option.setting(samples(of: option)[0]))
        let errno = thrown { () throws(Errno) in try setting.apply(to: socket.number) }
        #expect(errno != nil, "\(option.name)")
      }
    }

    @Test func `an option refuses a value out of its range or of another type`() throws {
      for option in SocketOption.table {
        var wrong: [SocketOption.Value] = [
          .number(.nan), .number(.infinity), .number(-1), .whole(.min), .whole(.max), .text([0]),
          .text(Array("sixteen bytes is".utf8)),
        ]
        switch option.kind {
        case .boolean: wrong += [.whole(1), .text(Array("true".utf8))]
        case .whole(let least, let most, let step):
          wrong += [.whole(least - 1), .whole(most + 1), .number(Double(least) + 0.5)]
          if step > 1 { wrong += [.whole(least + 1)] }
        case .seconds(let least, let most):
          wrong += [.whole(least - 1), .whole(most + 1), .number(Double(least) + 0.5)]
        case .fraction(_, let most): wrong += [.number(-0.001), .number(Double(most) + 1)]
        case .size: wrong += [.whole(4095), .whole(1_073_741_824), .number(5000.5)]
        case .linger: wrong += [.boolean(true), .whole(65536), .number(0.5)]
        case .text, .error: wrong += [.whole(0), .boolean(false)]
        case .context: wrong += [.boolean(false), .whole(1)]
        }
        if case .boolean = option.kind {
        } else if case .context = option.kind {
        } else {
          wrong.append(.boolean(true))
        }
        for value in wrong { #expect(option.setting(value) == nil, "\(option.name) = \(value)") }
      }
    }

    @Test func `an option that can only be read has no setting`() throws {
      let socket = try Syscalls.socket(.inet6)
      for name in ["error", "type", "domain", "protocol"] {
        let option = try row(name)
        #expect(!option.isSettable)
        let value = try option.value(on: socket.number)
        #expect(option.setting(value) == nil && option.setting(.whole(0)) == nil, "\(name)")
      }
      #expect(try row("type").value(on: socket.number) == .whole(1))
      #expect(try row("domain").value(on: socket.number) == .whole(10))
      #expect(try row("protocol").value(on: socket.number) == .whole(6))
    }

    @Test func `a fraction of a second is rounded to the kernel's unit, and never to 0`()
      throws
    {
      let socket = try Syscalls.socket(.inet)
      let option = try row("user_timeout")
      for (asked, kept) in [(0.29, 0.29), (1.0005, 1.001), (1e-9, 0.001), (2, 2), (0, 0)] {
        try option.setting(.number(asked))?.apply(to: socket.number)
        #expect(try option.value(on: socket.number) == .number(kept))
      }
    }

    @Test func `reading the error clears it`() throws {
      let peer = try TestEndpoint(.refused)
      let socket = try Syscalls.socket(.inet)
      let refused = thrown { () throws(Errno) in
        _ = try Syscalls.connect(socket.number, to: peer.endpoint, under: .unrestricted)
      }
      let option = try row("error")
      if refused == nil {
        _ = try? awaitReady(socket.number, events: CInt(CBL_POSIX_WRITABLE), for: .seconds(5))
        let value = try option.value(on: socket.number)
        #expect(value == .text(Array("ECONNREFUSED".utf8)))
      }
      #expect(try option.value(on: socket.number) == .boolean(false))
    }

    @Test func `W25: update_connect_context is accepted on a connected socket alone`() throws {
      let setting = try #require(try row("update_connect_context").setting(.boolean(true)))
      let fresh = try Syscalls.socket(.inet)
      let errno = thrown { () throws(Errno) in try setting.apply(to: fresh.number) }
      #expect(errno == .notConnected)
      let peer = try TestEndpoint(.echo)
      let connection = try connect(peer.endpoint)
      #expect(thrown { () throws(Errno) in try connection.socket.set(setting) } == nil)
    }

    // MARK: attempts

    @Test func `an attempt does not set the options of another family`() throws {
      let peer = try TestEndpoint(.echo)
      let connection = try connect(
        peer.endpoint,
        with: request(setting: [
          ("v6only", .boolean(true)), ("tclass", .whole(16)), ("hoplimit", .whole(9)),
          ("ttl", .whole(9)),
        ]))
      #expect(try connection.value("ttl") == .whole(9))
      let peerV6 = try TestEndpoint(.echo, at: .loopbackV6)
      let six = try connect(
        peerV6.endpoint,
        with: request(setting: [("v6only", .boolean(true)), ("tclass", .whole(16))]))
      #expect(try six.value("v6only") == .boolean(true))
      #expect(try six.value("tclass") == .whole(16))
    }

    @Test func `a priority holds beside a type of service, in either order`() throws {
      let peer = try TestEndpoint(.echo)
      let options: [(String, SocketOption.Value)] = [("priority", .whole(3)), ("tos", .whole(16))]
      for options in [options, options.reversed()] {
        let connection = try connect(peer.endpoint, with: request(setting: options))
        #expect(try connection.value("priority") == .whole(3))
        #expect(try connection.value("tos") == .whole(16))
      }
    }

    @Test func `the last of several values counts, nodelay's too`() throws {
      let peer = try TestEndpoint(.echo)
      let connection = try connect(
        peer.endpoint,
        with: request(setting: [
          ("ttl", .whole(9)), ("nodelay", .boolean(false)), ("ttl", .whole(10)),
          ("quickack", .boolean(true)), ("quickack", .boolean(false)),
          ("bindtodevice", .text(Array("lo".utf8))),
        ]))
      #expect(try connection.value("ttl") == .whole(10))
      #expect(try connection.value("nodelay") == .boolean(false))
      #expect(try connection.value("quickack") == .boolean(false))
      #expect(try connection.value("bindtodevice") == .text(Array("lo".utf8)))
    }

    @Test func `an option that cannot be set is the attempt's failure`() throws {
      let peer = try TestEndpoint(.echo)
      let request = try request(setting: [("congestion", .text(Array("nonesuch".utf8)))])
      let error = try failure(of: peer.endpoint, peer.endpoint, with: request)
      #expect(error.errno == Errno(name: Array("ENOENT".utf8)))
      #expect(error.report.outcomes == [.failed])
      #expect(peer.acceptedCount == 0, "no SYN without the option")
    }

    @Test func `W25: what is not permitted is EPERM, and a size is never less than was asked`()
      async
    {
      await #expect(processExitsWith: .success) {
        // A root that becomes another user has no capabilities left.
        if geteuid() == 0 { #expect(setuid(65534) == 0) }
        let bound =
          try Int64(
            String(contentsOfFile: "/proc/sys/net/core/rmem_max", encoding: .utf8)
              .trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
        let peer = try TestEndpoint(.echo)
        for (name, value) in [
          ("mark", SocketOption.Value.whole(7)), ("priority", .whole(7)),
          ("rcvbuf", .whole(bound + 1)),
        ] {
          let error = try failure(of: peer.endpoint, with: request(setting: [(name, value)]))
          #expect(error.errno == .notPermitted, "\(name)")
        }
        let connection = try connect(
          peer.endpoint, with: request(setting: [("rcvbuf", .whole(bound))]))
        #expect(try connection.value("rcvbuf") == .whole(bound))
      }
    }

    /// The first remote is silent: the winner is not the socket that was made first.
    @Test(.enabled(if: RawTCP.isAllowed, "needs CAP_NET_RAW"))
    func `W25 options set before connecting hold on the winner, and tos is on the wire`() throws {
      let silent = try TestEndpoint(.silent)
      let listener = try Listener(at: RawTCP.address)
      let wire = try RawTCP()
      var options: [(String, SocketOption.Value)] = [
        ("rcvbuf", .whole(30_000)), ("tos", .whole(0x68)), ("mark", .whole(0xfeed_f00d)),
      ]
      let probe = try Syscalls.socket(.inet)
      let mark = try #require(try row("mark").setting(.whole(1)))
      if thrown(by: { () throws(Errno) in try mark.apply(to: probe.number) }) != nil {
        options[2] = ("priority", .whole(3))
      }
      let connection = try connect(
        silent.endpoint, listener.endpoint, with: request(setting: options))
      #expect(connection.report.outcomes == [.superseded, .connected])
      for (name, value) in options { #expect(try connection.value(name) == value, "\(name)") }
      #expect(wire.typesOfService(ofSYNsTo: listener.endpoint.port) == [0x68])
    }

    // MARK: the options of a caller's socket

    @Test(arguments: [Family.inet, .inet6])
    func `W25: an untouched socket differs in nothing from a fresh one`(_ family: Family) throws {
      let ours = try Syscalls.socket(family)
      let fresh = try Syscalls.socket(family)
      let found = try SocketOption.differences(of: ours.number, from: fresh.number, family)
      #expect(found == [])
    }

    @Test(arguments: [Family.inet, .inet6])
    func `W25: what was set on a socket is carried to another`(_ family: Family) throws {
      let fresh = try Syscalls.socket(family)
      for option in SocketOption.table where option.moment == .beforeConnecting {
        guard option.families.contains(.init(family)) else { continue }
        for value in samples(of: option) {
          let ours = try Syscalls.socket(family)
          let setting = try #require(option.setting(value))
          let errno = thrown { () throws(Errno) in try setting.apply(to: ours.number) }
          if errno == .notPermitted && geteuid() != 0 { continue }
          var settings = SocketSettings()
          settings.noDelay = false
          for setting in try SocketOption.differences(
            of: ours.number, from: fresh.number, family)
          {
            settings.add(setting)
          }
          let other = try Syscalls.socket(family)
          try settings.apply(to: other.number, family)
          try settings.applyToWinner(other.number, family)
          #expect(
            try option.value(on: other.number) == option.value(on: ours.number),
            "\(option.name) = \(value)")
        }
      }
    }

    @Test func `W25: a default receive buffer is not carried, one that was set to it is`() throws {
      let fresh = try Syscalls.socket(.inet)
      let ours = try Syscalls.socket(.inet)
      let option = try row("rcvbuf")
      let value = try option.value(on: ours.number)
      func lock(_ fd: CInt) throws(Errno) -> CInt { try Syscalls.option(fd, level: 1, name: 72) }
      func carried() throws -> CInt {
        var settings = SocketSettings()
        for setting in try SocketOption.differences(of: ours.number, from: fresh.number, .inet) {
          settings.add(setting)
        }
        let other = try Syscalls.socket(.inet)
        try settings.apply(to: other.number, .inet)
        return try lock(other.number)
      }
      #expect(try carried() == 0, "the kernel tunes it")
      try option.setting(value)?.apply(to: ours.number)
      #expect(try carried() == 2, "SOCK_RCVBUF_LOCK")
    }

    @Test
    func `W25: a C program's timeouts are carried, an option that does not keep its value is not`()
      throws
    {
      let fresh = try Syscalls.socket(.inet)
      let ours = try Syscalls.socket(.inet)
      var limit = timeval(tv_sec: 3, tv_usec: 0)
      let size = socklen_t(MemoryLayout<timeval>.size)
      #expect(setsockopt(ours.number, SOL_SOCKET, SO_RCVTIMEO, &limit, size) == 0)
      try row("quickack").setting(.boolean(false))?.apply(to: ours.number)
      try row("incoming_cpu").setting(.whole(1))?.apply(to: ours.number)
      let found = try SocketOption.differences(of: ours.number, from: fresh.number, .inet)
      #expect(found.count == 1)
      let other = try Syscalls.socket(.inet)
      for setting in found { try setting.apply(to: other.number) }
      let kept = try Syscalls.optionBytes(other.number, level: SOL_SOCKET, name: SO_RCVTIMEO)
      #expect(kept == withUnsafeBytes(of: limit) { Array($0) })
    }

    @Test func `differences throw ENOTSOCK for another descriptor, EBADF for a closed one`() throws
    {
      let fresh = try Syscalls.socket(.inet)
      let event = try Syscalls.eventDescriptor()
      for (number, expected) in [(event.number, Errno.notASocket), (1_000_000, .badDescriptor)] {
        let errno = thrown { () throws(Errno) in
          _ = try SocketOption.differences(of: number, from: fresh.number, .inet)
        }
        #expect(errno == expected)
      }
    }
  }
}

// MARK: support

private func row(_ name: String) throws -> SocketOption {
  try #require(SocketOption.named(Array(name.utf8)), "\(name)")
}

/// A request with these options, set in this order.
private func request(setting options: [(String, SocketOption.Value)]) throws -> ConnectRequest {
  var request = request()
  for (name, value) in options {
    request.settings.add(try #require(try row(name).setting(value), "\(name)"))
  }
  return request
}

extension Connection {
  fileprivate func value(_ name: String) throws -> SocketOption.Value {
    try socket.value(of: row(name))
  }
}

/// Values in the option's range that the kernel returns unchanged.
private func samples(of option: SocketOption) -> [SocketOption.Value] {
  switch "\(option.name)" {
  case "bindtodevice": return [.text(Array("lo".utf8)), .text([])]
  case "congestion": return [.text(Array("reno".utf8))]
  case "defer_accept": return [.whole(0), .whole(1), .whole(7)]
  default: break
  }
  switch option.kind {
  case .boolean: return [.boolean(true), .boolean(false)]
  case .whole(let least, let most, let step):
    return [.whole(least), .whole(least + step), .whole(most)]
  case .seconds(let least, let most): return [.whole(least), .whole(most)]
  case .fraction(_, let most): return [.number(0), .number(0.5), .number(Double(most))]
  case .size: return [.whole(4096), .whole(65_536), .whole(1 << 20), .whole(1 << 25)]
  case .linger: return [.boolean(false), .whole(0), .whole(5)]
  case .context: return [.boolean(true)]
  case .text, .error: return []
  }
}

/// Receives the TCP packets to one local address, with their IP headers. No other test uses the address,
/// so that other packets do not fill the buffer.
private final class RawTCP {
  private let number: CInt

  static let address = IPAddress.loopback(177)
  static var isAllowed: Bool { (try? RawTCP()) != nil }

  init() throws {
    number = socket(AF_INET, CInt(SOCK_RAW.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 6)
    guard number >= 0 else { throw Unexpected() }
    try Syscalls.bind(number, to: Endpoint(Self.address, port: 0))
  }

  deinit { close(number) }

  /// Of the SYNs to a port that have arrived so far. On loopback a SYN has arrived when `connect` returns.
  func typesOfService(ofSYNsTo port: UInt16) -> [UInt8] {
    var found: [UInt8] = []
    var packet = [UInt8](repeating: 0, count: 2048)
    while true {
      let count = recv(number, &packet, packet.count, 0)
      if count < 0 { return found }
      let tcp = Int(packet[0] & 15) * 4
      guard count >= tcp + 20 else { continue }
      let isSYN = packet[tcp + 13] & 0x12 == 0x02
      if isSYN && UInt16(packet[tcp + 2]) << 8 | UInt16(packet[tcp + 3]) == port {
        found.append(packet[1])
      }
    }
  }
}
