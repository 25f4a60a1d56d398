import CConnectByListPosix
import ConnectByListCore
import ConnectByListTesting
import Glibc
import Testing

@testable import ConnectByList

extension Driver {
  /// The blocking call, against endpoints in this process.
  @Suite struct ConnectTests {
    // MARK: the winner

    @Test func `one literal connects, and both addresses are known`() throws {
      let peer = try TestEndpoint(.echo)
      let socket = try connect(peer.endpoint)
      #expect(socket.remote == peer.endpoint)
      #expect(try socket.local == Syscalls.localEndpoint(socket.number))
      #expect(try socket.remote == Syscalls.remoteEndpoint(socket.number))
      let report = socket.report
      #expect(report.outcomes == [.connected])
      #expect(report.result == .won(AttemptID(0)))
      #expect(report.errno == nil)
      #expect(!report.isDeadline)
      #expect(report.attempts[0].local == socket.local)
    }

    @Test func `the winner is non-blocking, closed on exec and sends small writes at once`() throws
    {
      let peer = try TestEndpoint(.echo)
      let socket = try connect(peer.endpoint)
      #expect(fcntl(socket.number, F_GETFL) & O_NONBLOCK != 0)
      #expect(fcntl(socket.number, F_GETFD) & FD_CLOEXEC != 0)
      #expect(
        try Syscalls.option(socket.number, level: SocketLevel.tcp, name: SocketNumber.noDelay) != 0)
    }

    @Test func `without nodelay the kernel's default stays`() throws {
      let peer = try TestEndpoint(.echo)
      var plain = request()
      plain.settings.noDelay = false
      let socket = try connect(peer.endpoint, with: plain)
      #expect(
        try Syscalls.option(socket.number, level: SocketLevel.tcp, name: SocketNumber.noDelay) == 0)
    }

    @Test func `IPv6's loopback connects`() throws {
      let peer = try TestEndpoint(.echo, at: .loopbackV6)
      let socket = try connect(peer.endpoint)
      #expect(socket.local?.address == .loopbackV6)
      #expect(peer.endpoint.family == .inet6)
    }

    @Test func `both families stand in one list`() throws {
      let v4 = try TestEndpoint(.echo)
      let v6 = try TestEndpoint(.echo, at: .loopbackV6)
      let refused = try TestEndpoint(.refused)
      let refusedV6 = try TestEndpoint(.refused, at: .loopbackV6)
      let socket = try connect(refused.endpoint, refusedV6.endpoint, v6.endpoint, v4.endpoint)
      #expect(socket.remote == v6.endpoint)
      // After two failures in a row two start.
      #expect(socket.report.outcomes.prefix(3) == [.refused, .refused, .connected])
      let other = try connect(refused.endpoint, refusedV6.endpoint, v4.endpoint, v6.endpoint)
      #expect(other.remote == v4.endpoint)
    }

    @Test func `W23: a v4-mapped literal connects as IPv4`() throws {
      let peer = try TestEndpoint(.echo)
      let mapped = try endpoint("[::ffff:127.0.0.1]:\(peer.endpoint.port)")
      let socket = try connect(mapped)
      #expect(socket.remote == peer.endpoint)
      #expect(try Syscalls.option(socket.number, level: SOL_SOCKET, name: SO_DOMAIN) == AF_INET)
    }

    @Test func `duplicates are tried once, the mapped form among them`() throws {
      let refused = try TestEndpoint(.refused)
      let error = try failure(
        of: refused.endpoint, refused.endpoint.mapped, refused.endpoint,
        with: request { $0.locals = .routeOnly })
      #expect(error.report.started == [refused.endpoint])
    }

    @Test func `the order by likelihood connects too`() throws {
      let peer = try TestEndpoint(.echo)
      let v6 = try TestEndpoint(.refused, at: .loopbackV6)
      let socket = try connect(v6.endpoint, peer.endpoint, with: request { $0.order = .likely })
      #expect(socket.remote == peer.endpoint)
    }

    @Test func `losers are superseded and closed`() async {
      await #expect(processExitsWith: .success) {
        let silent = try TestEndpoint(.silent)
        let peer = try TestEndpoint(.echo)
        let before = Descriptors.sockets().count
        let socket = try connect(silent.endpoint, peer.endpoint)
        #expect(socket.report.outcomes == [.superseded, .connected])
        try peer.awaitAccepted(1)
        #expect(Descriptors.sockets().count == before + 2, "one here, one at the peer")
      }
    }

    // MARK: failures

    @Test func `a refusal is told with its code`() throws {
      let refused = try TestEndpoint(.refused)
      let error = try failure(of: refused.endpoint)
      #expect(error.errno == .connectionRefused)
      #expect(!error.report.isDeadline)
      #expect(Set(error.report.outcomes) == [.refused])
    }

    @Test func `after a refusal the next starts at once`() throws {
      let refused = try TestEndpoint(.refused)
      let peer = try TestEndpoint(.echo)
      let socket = try connect(
        refused.endpoint, peer.endpoint, with: request { $0.attemptDelay = .seconds(10) })
      let report = socket.report
      #expect(report.outcomes == [.refused, .connected])
      #expect(report.elapsed < .seconds(5), "not the delay")
    }

    @Test func `W13: an empty list is an invalid argument`() throws {
      #expect(try failure().errno == .invalidArgument)
    }

    @Test func `a family without an entry is not supported`() throws {
      let peer = try TestEndpoint(.echo)
      let error = try failure(of: peer.endpoint, with: request { $0.family = .inet6 })
      #expect(error.errno == .familyNotSupported)
      #expect(error.report.race == nil)
    }

    @Test func `an attempt without a local address of its kind fails without a system call`() throws
    {
      let peer = try TestEndpoint(.echo)
      let error = try failure(
        of: peer.endpoint,
        with: request { $0.locals = .these([Endpoint(IPAddress(v4: 0xcb00_7105), port: 0)]) })
      #expect(error.errno == .addressNotAvailable)
      #expect(error.report.outcomes == [.failed])
      #expect(error.report.race!.events[0].isSynchronous)
      #expect(peer.acceptedCount == 0)
    }

    @Test func `an address that is not this machine's cannot be bound`() throws {
      let socket = try Syscalls.socket(.inet)
      let error = #expect(throws: Errno.self) {
        try SocketSettings.bind(socket.number, to: Endpoint(IPAddress(v4: 0xcb00_7105), port: 0))
      }
      #expect(error == .addressNotAvailable)
    }

    @Test func `a connection to itself is refused`() throws {
      // Both ends of TCP's simultaneous open are the same socket: it connects without a listener.
      for address in [IPAddress.loopback, .loopbackV6] {
        let own = Endpoint(address, port: try freePort(at: address))
        let error = try failure(of: own, with: request { $0.locals = .these([own]) })
        #expect(error.errno == .connectionRefused)
        #expect(error.report.outcomes == [.refused])
      }
    }

    // MARK: the deadline

    @Test func `W09: silence ends at the deadline, not before and not long after`() throws {
      let silent = try TestEndpoint(.silent)
      for timeout: TimeSpan in [.milliseconds(1), .milliseconds(50), .milliseconds(450)] {
        let error = try failure(of: silent.endpoint, with: request(timeout: timeout))
        #expect(error.errno == .timedOut)
        #expect(error.report.isDeadline)
        #expect(error.report.outcomes == [.timedOut])
        #expect(error.report.elapsed >= timeout)
        #expect(error.report.elapsed < timeout + .milliseconds(250), "a busy machine's")
      }
    }

    @Test func `a timeout of nothing succeeds with what completes at once`() throws {
      let peer = try TestEndpoint(.echo)
      let socket = try connect(peer.endpoint, with: request(timeout: .zero))
      #expect(socket.report.outcomes == [.connected])
    }

    @Test func `a timeout of nothing starts all and waits for none`() throws {
      let first = try TestEndpoint(.silent)
      let second = try TestEndpoint(.silent)
      let error = try failure(of: first.endpoint, second.endpoint, with: request(timeout: .zero))
      #expect(error.errno == .timedOut)
      #expect(error.report.isDeadline)
      #expect(error.report.outcomes == [.timedOut, .timedOut])
      #expect(error.report.elapsed < .seconds(1))
    }

    @Test func `a refusal in the wake-up of the deadline is told`() throws {
      let refused = try TestEndpoint(.refused)
      let error = try failure(
        of: refused.endpoint, with: request(timeout: .zero) { $0.locals = .routeOnly })
      #expect(error.report.outcomes == [.refused])
      #expect(String(decoding: error.message, as: UTF8.self).hasSuffix("connection refused"))
    }

    @Test func `on this machine 20 silent ones before a good one cost a fifth of a second`() throws
    {
      let silent = try (0..<20).map { _ in try TestEndpoint(.silent) }
      let peer = try TestEndpoint(.echo)
      let addresses = list(silent.map { $0.endpoint } + [peer.endpoint])
      let socket = try connect(addresses)
      #expect(socket.remote == peer.endpoint)
      let report = socket.report
      #expect(report.outcomes == Array(repeating: .superseded, count: 20) + [.connected])
      // Here an answer takes no time, so the least delay of 10 ms holds.
      #expect(report.elapsed >= .milliseconds(200))
      #expect(report.elapsed < .seconds(2), "a fixed delay of 250 ms would cost 5 s")
    }

    @Test func `a deadline leaves room for every remote`() throws {
      let silent = try (0..<20).map { _ in try TestEndpoint(.silent) }
      let peer = try TestEndpoint(.echo)
      let addresses = list(silent.map { $0.endpoint } + [peer.endpoint])
      let socket = try connect(
        addresses, with: request(timeout: .seconds(1)) { $0.attemptDelay = .seconds(1) })
      #expect(socket.report.attempts.count == 21)
    }

    @Test func `an attempt's own timeout ends it and starts the next`() throws {
      let silent = try TestEndpoint(.silent)
      let peer = try TestEndpoint(.echo)
      let socket = try connect(
        silent.endpoint, peer.endpoint,
        with: request {
          $0.pace = .sequential
          $0.attemptTimeout = .milliseconds(40)
        })
      let report = socket.report
      #expect(report.outcomes == [.timedOut, .connected])
      #expect(report.elapsed >= .milliseconds(40))
      #expect(report.attempts[0].errno == .timedOut)
    }

    @Test func `without any timeout all attempts' own timeouts end the connect`() throws {
      let silent = try TestEndpoint(.silent)
      let error = try failure(
        of: silent.endpoint,
        with: request(timeout: nil) {
          $0.attemptTimeout = .milliseconds(30)
          $0.locals = .routeOnly
        })
      #expect(error.errno == .timedOut)
      #expect(!error.report.isDeadline)
    }

    // MARK: pace

    @Test func `in parallel all start at once`() throws {
      let silent = try (0..<40).map { _ in try TestEndpoint(.silent) }
      let peer = try TestEndpoint(.echo)
      let addresses = list(silent.map { $0.endpoint } + [peer.endpoint])
      let socket = try connect(
        addresses,
        with: request {
          $0.pace = .parallel
          $0.attemptDelay = .seconds(10)
        })
      let report = socket.report
      #expect(report.attempts.count == 41)
      #expect(report.elapsed < .seconds(5), "not even the first delay")
    }

    @Test func `no more are in flight than allowed`() throws {
      let silent = try (0..<8).map { _ in try TestEndpoint(.silent) }
      let operation = try Stepwise(
        list(silent.map { $0.endpoint }),
        with: request(timeout: .milliseconds(200)) {
          $0.pace = .parallel
          $0.inFlight = 3
        })
      _ = operation.finish()
      #expect(operation.outcomes == [.timedOut, .timedOut, .timedOut])
    }

    @Test func `at the cap a failure makes room for the next`() throws {
      let refused = try (0..<6).map { _ in try TestEndpoint(.refused) }
      let operation = try Stepwise(
        list(refused.map { $0.endpoint }),
        with: request {
          $0.pace = .parallel
          $0.inFlight = 2
          $0.locals = .routeOnly
        })
      #expect(operation.finish() == .finished(.lost(.connectionRefused, isDeadline: false)))
      #expect(operation.outcomes == Array(repeating: .refused, count: 6))
      for (index, attempt) in operation.attempts.enumerated() {
        let before = operation.attempts[..<index]
        #expect(before.count { $0.ended! > attempt.started } < 2)
      }
    }

    @Test func `one at a time means that silence starts nothing`() throws {
      let silent = try TestEndpoint(.silent)
      let peer = try TestEndpoint(.echo)
      let error = try failure(
        of: silent.endpoint, peer.endpoint,
        with: request(timeout: .milliseconds(250)) { $0.pace = .sequential })
      #expect(error.report.outcomes == [.timedOut])
      #expect(peer.acceptedCount == 0)
    }

    @Test func `a second socket goes to the last silent remote, and may win`() throws {
      let gate = try Gate()
      let operation = try Stepwise(gate.endpoint, with: request { $0.hedge = .milliseconds(30) })
      #expect(operation.advance() == .pending)
      // The first SYN is lost by now; the kernel would send it again after a second.
      try gate.open()
      let socket = try operation.conclude(operation.finish())
      let report = socket.report
      #expect(report.result == .won(AttemptID(1)))
      #expect(report.outcomes == [.superseded, .connected])
      #expect(report.attempts[1].isHedge)
      #expect(report.elapsed >= .milliseconds(30))
      #expect(report.elapsed < .milliseconds(900))
    }

    // MARK: local addresses

    @Test func `a named local address is where it connects from`() throws {
      let peer = try TestEndpoint(.echo)
      let source = Endpoint(.loopback(5), port: 0)
      let socket = try connect(peer.endpoint, with: request { $0.locals = .these([source]) })
      let local = try #require(socket.local)
      #expect(local.address == source.address)
      #expect(local.port != 0)
      // The port was connect's choice, not bind's.
      #expect(
        try Syscalls.option(
          socket.number, level: SocketLevel.ip, name: SocketNumber.bindAddressNoPort) == 1)
    }

    @Test func `IPv6's source is bound without a port too`() throws {
      let peer = try TestEndpoint(.echo, at: .loopbackV6)
      let socket = try connect(
        peer.endpoint, with: request { $0.locals = .these([Endpoint(.loopbackV6, port: 0)]) })
      #expect(
        try Syscalls.option(
          socket.number, level: SocketLevel.ip, name: SocketNumber.bindAddressNoPort) == 1)
    }

    @Test func `a named local port is the one it connects from, to several remotes at once`() throws
    {
      let source = Endpoint(.loopback(6), port: try freePort(at: .loopback(6)))
      let silent = try TestEndpoint(.silent)
      let peer = try TestEndpoint(.echo)
      let socket = try connect(
        silent.endpoint, peer.endpoint, with: request { $0.locals = .these([source]) })
      #expect(socket.local == source)
      #expect(socket.report.outcomes == [.superseded, .connected])
    }

    @Test func `W02: from every named local address before it gives up`() throws {
      let refused = try TestEndpoint(.refused)
      let sources = [Endpoint(.loopback(5), port: 0), Endpoint(.loopback(6), port: 0)]
      let error = try failure(of: refused.endpoint, with: request { $0.locals = .these(sources) })
      let locals = error.report.attempts.map { $0.local?.address }
      #expect(locals == sources.map { $0.address })
    }

    // MARK: the interface

    @Test func `an interface is known by its name`() throws {
      let peer = try TestEndpoint(.echo)
      var bound = request()
      bound.settings.interface = Array("lo".utf8)
      _ = try connect(peer.endpoint, with: bound)
      for name in ["nonesuch0", "1", "lo\0", "an-interface-with-a-long-name"] {
        bound.settings.interface = Array(name.utf8)
        #expect(try failure(of: peer.endpoint, with: bound).errno == .noSuchDevice)
      }
    }

    // MARK: many

    @Test func `hundreds of refusals are soon over`() throws {
      let peers = try (0..<300).map { _ in try TestEndpoint(.refused) }
      let operation = try Stepwise(
        list(peers.map { $0.endpoint }), with: request { $0.locals = .routeOnly })
      let progress = operation.finish()
      #expect(operation.outcomes == Array(repeating: .refused, count: 300))
      let error = #expect(throws: ConnectError.self) { try operation.conclude(progress) }
      #expect(try #require(error).report.elapsed < .seconds(2))
    }
  }
}
