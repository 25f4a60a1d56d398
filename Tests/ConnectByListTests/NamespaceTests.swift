import CConnectByListPosix
import ConnectByListCore
import Foundation
import Testing

@testable import ConnectByList

extension Driver {
  /// Path information from routing tables that a test makes, in the network namespace of a thread of its
  /// own. No packet leaves the namespace, which ends with the thread.
  @Suite(
    .serialized,
    .enabled(if: Namespace.isAllowed, "needs CAP_SYS_ADMIN and ip(8); try: unshare -Urn swift test")
  )
  struct NamespaceTests {
    private static let twoLinks = """
      ip link set lo up
      for n in 0 1; do
        ip link add d$n type veth peer name p$n && ip link set p$n addrgenmode none up
        ip link set d$n addrgenmode none up
      done
      ip addr add 10.0.0.5/24 dev d0
      ip addr add 10.1.0.5/24 dev d1
      """

    private func endpoint(_ text: String, port: UInt16 = 9) -> Endpoint {
      Endpoint(EndpointText.parseAddress(Array(text.utf8), scopes: SystemScopes())!, port: port)
    }

    // MARK: sockets

    /// With a cookie of the remote the kernel's `connect` returns 0 and sends nothing until bytes are sent: such
    /// an attempt would win against every other one, also where nobody listens.
    @Test func `W25 with TCP_FASTOPEN_CONNECT too only a handshake connects`() throws {
      let server = endpoint("127.0.0.1")
      func fastOpenSocket() throws(Errno) -> Socket {
        let socket = try Socket(.inet)
        try Syscalls.setOption(
          socket.number, level: SocketLevel.tcp, name: SocketNumber.fastOpenConnect, to: 1)
        return socket
      }
      func connect() throws(Errno) -> Errno? {
        var socket = try fastOpenSocket()
        var list = list(server)
        do throws(ConnectError) { try socket.connect(&list, request()) } catch {
          return error.errno
        }
        return nil
      }
      let (errors, accepted, refusal) = try Namespace.run(
        "ip link set lo up && sysctl -q -w net.ipv4.tcp_fastopen=3"
      ) { () -> ([Errno?], Int, Errno?) in
        var (errors, accepted): ([Errno?], Int) = ([], 0)
        do throws(Errno) {
          let listener = try Syscalls.socket(.inet)
          try Syscalls.setOption(listener.number, level: SocketLevel.tcp, name: TCP_FASTOPEN, to: 5)
          try Syscalls.bind(listener.number, to: server)
          try Syscalls.listen(listener.number, backlog: 5)
          // The first gets the cookie, the others have it.
          for _ in 0..<3 {
            errors.append(try connect())
            _ = try awaitReady(
              listener.number, events: CInt(CBL_POSIX_READABLE), for: .seconds(2))
            if try Syscalls.accept(listener.number) != nil { accepted += 1 }
          }
        } catch {
          errors.append(error)
        }
        return (errors, accepted, (try? connect()) ?? nil)
      }
      #expect(errors == [nil, nil, nil])
      #expect(accepted == 3)
      #expect(refusal == .connectionRefused)
    }

    @Test func `W25 a socket of another network namespace is EOPNOTSUPP, and stays as it was`()
      throws
    {
      let outside = try Syscalls.socket(.inet)
      let number = outside.number
      let (foreign, own) = try Namespace.run("ip link set lo up") {
        let foreign = thrown { () throws(Errno) in _ = try CallerSocket(checking: number) }
        let own = thrown { () throws(Errno) in
          let inside = try Syscalls.socket(.inet)
          _ = try CallerSocket(checking: inside.number)
        }
        return (foreign, own)
      }
      #expect(foreign == .operationNotSupported)
      #expect(own == nil)
      #expect(thrown { () throws(Errno) in _ = try CallerSocket(checking: number) } == nil)
    }

    // MARK: local addresses

    @Test func `addresses come with their flags, and none of an interface that is down`() throws {
      let found = try Namespace.run(
        Self.twoLinks + """

          ip addr add 10.0.0.6/24 dev d0
          ip addr add 10.0.0.7/24 dev d0 valid_lft 1000 preferred_lft 0
          ip addr add 10.2.0.1 peer 10.2.0.2/32 dev d0
          if [ -e /proc/net/if_inet6 ]; then
            ip addr add 2001:db8::5/64 dev d0 nodad
            ip addr add 2001:db8::6/64 dev d0 nodad preferred_lft 0
            ip addr add 2001:db8::7/64 dev d0 nodad home
            ip addr add fe80::5/64 dev d0 nodad
            ip addr add fe80::6/64 dev d1
          fi
          ip link set d1 down
          ip addr add 10.0.0.5/32 dev d1
          [ ! -e /proc/net/if_inet6 ] || ip addr add 2001:db8:1::1/64 dev d1 nodad
          """
      ) {
        let all = (try? LocalAddresses.all()) ?? []
        let scope = SystemScopes().index(ofInterface: Array("d0".utf8))!
        return (all, scope, LocalAddresses.links(all))
      }
      let (all, scope, links) = found
      func flags(_ text: String) -> LocalAddress.Flags? {
        all.first { $0.address == endpoint(text).address }?.flags
      }
      let inet = all.filter { $0.address.family == .inet }.map { $0.address.v4Bits & 0xff_ffff }
      #expect(inet.sorted() == [0x00_0001, 0x00_0005, 0x00_0006, 0x00_0007, 0x02_0001])
      #expect(flags("10.0.0.6") == [])
      #expect(flags("10.0.0.7") == .deprecated)
      #expect(all.first { $0.address == endpoint("10.2.0.1").address }?.prefixLength == 32)
      guard all.contains(where: { $0.address.family == .inet6 }) else { return }
      #expect(flags("2001:db8::5") == [])
      #expect(flags("2001:db8::6") == .deprecated)
      #expect(flags("2001:db8::7") == .home)
      #expect(flags("2001:db8:1::1") == nil)
      #expect(all.contains { $0.address == endpoint("fe80::5").address.withScope(scope) })
      #expect(links == [scope])
    }

    // MARK: routes

    /// The source that a TCP socket gets, or the error of its `connect`.
    private func sourceByTCP(_ remote: Endpoint, interface: UInt32) -> RemotePathInformation.Route {
      do throws(Errno) {
        let socket = try Syscalls.socket(remote.family)
        if interface != 0 {
          try Syscalls.setOption(
            socket.number, level: SocketLevel.socket, name: SocketNumber.bindToInterface,
            to: CInt(interface))
        }
        do throws(Errno) {
          _ = try Syscalls.connect(socket.number, to: remote, under: .unrestricted)
        } catch {
          if error != .connectionRefused { throw error }
        }
        return .source(try Syscalls.localEndpoint(socket.number)!.address)
      } catch {
        return .refused(error)
      }
    }

    private static let manyRoutes = """

      ip route add default via 10.0.0.1
      ip route add unreachable 10.20.0.0/16
      ip route add prohibit 10.21.0.0/16
      ip route add blackhole 10.22.0.0/16
      ip route add throw 10.23.0.0/16
      ip addr add 10.0.0.6/24 dev d0
      ip route add 10.31.0.0/16 dev d0 src 10.0.0.6
      ip route add default dev d1 table 100
      ip rule add to 10.40.0.0/16 lookup 100
      ip rule add ipproto tcp dport 9 to 10.41.0.0/16 lookup 100
      ip rule add ipproto udp to 10.42.0.0/16 lookup 100
      if [ -e /proc/net/if_inet6 ]; then
        ip addr add 2001:db8::5/64 dev d0 nodad
        ip addr add 2001:db8:1::5/64 dev d1 nodad
        ip addr add fe80::5/64 dev d0 nodad
        ip -6 route add default via 2001:db8::1
        ip -6 route add unreachable 2001:db8:20::/48
        ip -6 route add prohibit 2001:db8:21::/48
        ip -6 route add blackhole 2001:db8:22::/48
        ip -6 route add default dev d1 table 100
        ip -6 rule add ipproto tcp dport 9 to 2001:db8:41::/48 lookup 100
      fi
      """

    @Test(arguments: ["", "d1"])
    func `a route is what connect finds, by policy and by interface`(_ interface: String) throws {
      let names = [
        "127.0.0.1", "127.0.0.2", "10.0.0.5", "10.0.0.9", "10.1.0.9", "10.0.0.255", "8.8.8.8",
        "10.20.0.1", "10.21.0.1", "10.22.0.1", "10.23.0.1", "10.31.0.1", "10.40.0.1", "10.41.0.1",
        "10.42.0.1", "255.255.255.255", "::1", "2001:db8::5", "2001:db8::9", "2001:db8:1::9",
        "2001:4860::1", "2001:db8:20::1", "2001:db8:21::1", "2001:db8:22::1", "2001:db8:41::1",
        "fe80::9%d0", "fe80::5%d0", "fe80::9",
      ]
      let found = try Namespace.run(Self.twoLinks + Self.manyRoutes) {
        let hasIPv6 = FileManager.default.fileExists(atPath: "/proc/net/if_inet6")
        let remotes = names.filter { hasIPv6 || !$0.contains(":") }.map { endpoint($0) }
        let index = SystemScopes().index(ofInterface: Array(interface.utf8)) ?? 0
        var reader = PathInformationReader(RouteSelectors(interface: index))
        let plan = Plan(
          remotes.enumerated().map { Candidate($1, entry: Int32($0)) }, options: ConnectOptions())
        return (
          Routes.routes(to: remotes, as: RouteSelectors(interface: index)),
          reader.pathInformation(for: plan, .pairs(.all)).remotes.map { $0.route },
          remotes.map { sourceByTCP($0, interface: index) }
        )
      }
      for index in found.0.indices {
        #expect(found.0[index] == found.2[index], "\(names[index])")
        #expect(found.1[index] == found.2[index], "\(names[index])")
      }
    }

    /// Rules for a mark, for a type of service and for a user, each with a source of its own.
    private static let rules = """

      for n in 6 7 8; do ip addr add 10.0.0.$n/24 dev d0; done
      ip route add 10.9.0.0/16 dev d0 src 10.0.0.5
      for n in 6 7 8; do ip route add 10.9.0.0/16 dev d0 src 10.0.0.$n table 10$n; done
      ip rule add fwmark 7 table 106
      ip rule add tos 0x10 table 107
      ip rule add uidrange 65533-65533 table 108
      if [ -e /proc/net/if_inet6 ]; then
        for n in 5 6 7; do ip addr add 2001:db8::$n/64 dev d0 nodad; done
        ip -6 route add 2001:db8:9::/48 dev d0 src 2001:db8::5
        for n in 6 7; do ip -6 route add 2001:db8:9::/48 dev d0 src 2001:db8::$n table 10$n; done
        ip -6 rule add fwmark 7 table 106
        ip -6 rule add tos 0x10 table 107
      fi
      """

    @Test func `a route is looked up with the mark and the type of service of the sockets`() throws
    {
      func settings(_ name: String, _ value: Int64) -> SocketSettings {
        var settings = SocketSettings()
        settings.add(SocketOption.named(Array(name.utf8))!.setting(.whole(value))!)
        return settings
      }
      typealias Found = (netlink: [RemotePathInformation.Route], udp: [RemotePathInformation.Route])
      let found = try Namespace.run(Self.twoLinks + Self.rules) { () -> [Found] in
        let hasIPv6 = FileManager.default.fileExists(atPath: "/proc/net/if_inet6")
        let remotes = ["10.9.0.1", "2001:db8:9::1"].filter { hasIPv6 || !$0.contains(":") }
          .map { endpoint($0) }
        return [
          SocketSettings(), settings("mark", 7), settings("tos", 0x10), settings("tclass", 0x10),
        ].map { settings in
          guard let selectors = try? RouteSelectors(settings) else { return ([], []) }
          var lookups = [RouteLookup?](repeating: nil, count: remotes.count)
          Routes.probe(remotes, as: selectors, &lookups)
          return (Routes.routes(to: remotes, as: selectors), lookups.map { $0!.route })
        }
      }
      let v4: [RemotePathInformation.Route] = [5, 6, 7, 5].map {
        .source(IPAddress(v4: 0x0a00_0000 + $0))
      }
      let v6: [RemotePathInformation.Route] = [5, 6, 5, 7].map {
        .source(IPAddress(high: 0x2001_0db8 << 32, low: $0))
      }
      for (index, routes) in found.enumerated() {
        #expect(routes.netlink == [v4[index], v6[index]].prefix(routes.netlink.count) + [])
        #expect(routes.udp == routes.netlink)
      }
    }

    @Test func `a route is looked up for the effective user`() throws {
      let found = try Namespace.run(Self.twoLinks + Self.rules) {
        () -> [RemotePathInformation.Route] in
        let remotes = [endpoint("10.9.0.1")]
        let before = Routes.routes(to: remotes, as: RouteSelectors())
        guard seteuid(65533) == 0 else { return before }
        let during = Routes.routes(to: remotes, as: RouteSelectors())
        _ = seteuid(0)
        return before + during
      }
      // In a user namespace there is no such user.
      guard found.count == 2 else { return }
      #expect(found[0] == .source(endpoint("10.0.0.5").address))
      #expect(found[1] == .source(endpoint("10.0.0.8").address))
    }

    @Test func `a LAN, a gateway and this machine are told apart`() throws {
      let found = try Namespace.run(
        Self.twoLinks + "\nip link set d1 arp off\nip route add 10.7.0.0/16 via 10.0.0.1"
      ) {
        var reader = PathInformationReader()
        let remotes = ["10.0.0.9", "10.7.0.1", "10.0.0.5", "10.1.0.9"].map { endpoint($0) }
        let plan = Plan(
          remotes.enumerated().map { Candidate($1, entry: Int32($0)) }, options: ConnectOptions())
        return reader.pathInformation(for: plan, .pairs(.all))
      }
      #expect(found.remotes.map { $0.needsGateway } == [false, true, false, false])
      #expect(found.remotes.map { $0.isThisMachine } == [false, false, true, false])
      func isLAN(_ text: String) -> Bool? {
        found.locals.first { $0.address == endpoint(text).address }?.flags.contains(.broadcast)
      }
      #expect(isLAN("10.0.0.5") == true)
      #expect(isLAN("10.1.0.5") == false)
      #expect(isLAN("127.0.0.1") == false)
    }

    @Test func `UDP sockets find each remote's own source and refusal`() throws {
      let names = ["10.0.0.9", "10.1.0.9", "10.0.0.8", "192.0.2.1", "127.0.0.1", "10.1.0.8"]
      let found = try Namespace.run(Self.twoLinks) {
        let remotes = names.map { endpoint($0) }
        var lookups = [RouteLookup?](repeating: nil, count: remotes.count)
        Routes.probe(remotes, as: RouteSelectors(), &lookups)
        return (lookups.map { $0?.route }, Routes.routes(to: remotes, as: RouteSelectors()))
      }
      let (first, second) = (endpoint("10.0.0.5").address, endpoint("10.1.0.5").address)
      let expected: [RemotePathInformation.Route] = [
        .source(first), .source(second), .source(first), .refused(.networkUnreachable),
        .source(.loopback), .source(second),
      ]
      #expect(found.0 == expected)
      #expect(found.1 == expected)
    }

    // MARK: neighbours and round trips

    @Test func `a failed neighbour is reported where it distinguishes remotes`() throws {
      let found = try Namespace.run(
        Self.twoLinks + """

          ip route add default via 10.0.0.1
          ip neigh add 10.0.0.77 dev d0 nud failed
          ip neigh add 10.0.0.1 dev d0 lladdr 02:00:00:00:00:01 nud permanent
          """
      ) {
        func failures(_ names: [String]) -> [Bool] {
          var reader = PathInformationReader()
          let candidates = names.enumerated().map { Candidate(endpoint($1), entry: Int32($0)) }
          let plan = Plan(candidates, options: ConnectOptions())
          return reader.pathInformation(for: plan, .pairs(.all)).remotes.map { $0.neighbourFailed }
        }
        return (
          failures(["8.8.8.8", "10.0.0.77", "127.0.0.1", "10.0.0.78"]), failures(["10.0.0.77"])
        )
      }
      #expect(found.0 == [false, true, false, false])
      #expect(found.1 == [false])
    }

    @Test func `round trips are those of ip tcp_metrics, requested one by one and as a table`()
      throws
    {
      let server = endpoint("10.0.0.5", port: 80)
      let found = try Namespace.run(Self.twoLinks) {
        let isConnected = connectsByTCP(to: server)
        func entries(_ sources: [String]) -> [PathMetrics] {
          TCPMetrics.entries(
            of: sources.map { (source: endpoint($0).address, destination: server.address) },
            until: .distantFuture)
        }
        return (
          entries(["10.9.9.9", "10.0.0.5", "10.1.0.5"]),
          TCPMetrics.all(max: .max, until: .distantFuture),
          Namespace.output(of: "ip tcp_metrics show 10.0.0.5"), isConnected
        )
      }
      #expect(found.3)
      guard let roundTrip = found.0.first?.roundTrip else {
        // A kernel with tcp_no_metrics_save set stores none.
        #expect(!found.2.contains("rtt "))
        return
      }
      #expect(
        found.0 == [PathMetrics(source: server.address, destination: server.address, roundTrip)])
      #expect(found.1 == found.0)
      let words = found.2.split(separator: " ")
      func microseconds(_ name: Substring) -> Int64? {
        words.firstIndex(of: name).flatMap { Int64(words[$0 + 1].dropLast(2)) }
      }
      #expect(roundTrip.smoothed.nanoseconds / 1000 == microseconds("rtt"))
      #expect(roundTrip.variance.nanoseconds / 1000 == microseconds("rttvar"))
    }

    private func connectsByTCP(to server: Endpoint) -> Bool {
      do throws(Errno) {
        try exchangeByTCP(with: server)
        return true
      } catch {
        return false
      }
    }

    /// A connection with some bytes both ways that ends in order: then TCP keeps its metrics.
    private func exchangeByTCP(with server: Endpoint) throws(Errno) {
      let listener = try Syscalls.socket(.inet)
      try Syscalls.bind(listener.number, to: server)
      try Syscalls.listen(listener.number, backlog: 1)
      let client = try Syscalls.socket(.inet)
      _ = try Syscalls.connect(client.number, to: server, under: .unrestricted)
      guard let accepted = try Syscalls.accept(listener.number) else { throw .tryAgain }
      for _ in 0..<4 {
        for (from, to) in [(client.number, accepted.number), (accepted.number, client.number)] {
          var bytes = [UInt8](repeating: 1, count: 100)
          _ = try bytes.withUnsafeMutableBufferPointer { bytes throws(Errno) in
            let bytes = UnsafeMutableRawBufferPointer(bytes)
            _ = try Syscalls.send(from, UnsafeRawBufferPointer(bytes))
            return try Syscalls.receive(to, into: bytes)
          }
        }
      }
      try Syscalls.shutdown(client.number, how: 1)
      try Syscalls.shutdown(accepted.number, how: 1)
    }
  }
}

/// A network namespace of a thread's own.
enum Namespace {
  /// `unshare`, which Glibc's module leaves out, with CLONE_NEWNET.
  private static func leaveNetwork() -> Bool {
    typealias Unshare = @convention(c) (CInt) -> CInt
    guard let unshare = dlsym(nil, "unshare") else { return false }
    return unsafeBitCast(unshare, to: Unshare.self)(0x4000_0000) == 0
  }

  static let isAllowed: Bool =
    (try? run("ip link set lo up") { true }) ?? false

  struct Failure: Error {
    let what: String
  }

  /// Runs a shell script and then `body` in a new namespace.
  static func run<Result>(_ script: String, _ body: @escaping () -> Result) throws -> Result {
    // The thread is joined by the semaphore before anything is read.
    nonisolated(unsafe) var result: Result?
    nonisolated(unsafe) var failure: String?
    nonisolated(unsafe) let work = body
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
      if !leaveNetwork() {
        failure = "unshare: errno \(errno)"
      } else if shell("set -e\n" + script) != 0 {
        failure = "the script failed"
      } else {
        result = work()
      }
      done.signal()
    }
    thread.stackSize = 8 << 20
    thread.start()
    done.wait()
    guard let result else { throw Failure(what: failure ?? "") }
    return result
  }

  static func output(of command: String) -> String {
    let path = NSTemporaryDirectory() + "namespace-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    defer { unlink(path) }
    _ = shell("\(command) > '\(path)'")
    return (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
  }

  /// A child is in the namespace of the thread that makes it.
  private static func shell(_ script: String) -> Int32 {
    var child: pid_t = 0
    let arguments: [UnsafeMutablePointer<CChar>?] = [
      strdup("sh"), strdup("-c"), strdup(script), nil,
    ]
    defer { for argument in arguments { free(argument) } }
    guard posix_spawn(&child, "/bin/sh", nil, nil, arguments, environ) == 0 else { return -1 }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 && errno == EINTR {}
    return status
  }
}
