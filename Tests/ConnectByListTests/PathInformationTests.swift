import ConnectByListCore
import ConnectByListTesting
import Foundation
import Testing

@testable import ConnectByList

extension Driver {
  /// Path information that any Linux machine has. No packet is sent.
  @Suite struct PathInformationTests {
    private let loopbackV4 = IPAddress(v4: 0x7f00_0001)
    private let loopbackV6 = IPAddress(high: 0, low: 1)
    private static let hasIPv6 =
      FileManager.default.contents(atPath: "/proc/net/if_inet6")
      .map { !$0.isEmpty } ?? false

    private func plan(_ remotes: [Endpoint]) -> Plan {
      Plan(
        remotes.enumerated().map { Candidate($1, entry: Int32($0)) }, options: ConnectOptions())
    }

    // MARK: local addresses

    @Test func `this machine has 127.0.0.1 in a network of 8 bits`() throws {
      let found = try LocalAddresses.all().first { $0.address == loopbackV4 }
      #expect(found?.prefixLength == 8)
      #expect(found?.flags == [])
      #expect(found?.interface != 0)
    }

    @Test(.enabled(if: hasIPv6, "needs IPv6"))
    func `this machine has ::1 in a network of 128 bits`() throws {
      let found = try LocalAddresses.all().first { $0.address == loopbackV6 }
      #expect(found?.prefixLength == 128)
    }

    @Test func `links are the interfaces with a usable link-local address, each once, in order`() {
      func address(_ interface: UInt32, _ flags: LocalAddress.Flags = []) -> LocalAddress {
        let address = IPAddress(high: 0xfe80 << 48, low: UInt64(interface), scope: interface)
        return LocalAddress(address, prefixLength: 64, flags: flags, interface: interface)
      }
      let global = LocalAddress(
        IPAddress(high: 0x2001 << 48, low: 1), prefixLength: 64, interface: 9)
      let v4 = LocalAddress(IPAddress(v4: 0xa9fe_0001), prefixLength: 16, interface: 8)
      let all = [address(5), address(2), address(5), address(7, .tentative), global, v4]
      #expect(LocalAddresses.links(all) == [2, 5])
    }

    @Test func `an interface is in doubt unless a route or a link-local address proves it`() {
      func v4(_ interface: UInt32) -> LocalAddress {
        LocalAddress(IPAddress(v4: 0x0a00_0000 + interface), prefixLength: 24, interface: interface)
      }
      func v6(_ high: UInt64, _ interface: UInt32, _ flags: LocalAddress.Flags = []) -> LocalAddress
      {
        LocalAddress(
          IPAddress(high: high << 48, low: 1), prefixLength: 64, flags: flags, interface: interface)
      }
      let all = [
        v4(1), v4(2), v6(0xfe80, 2), v4(3), v6(0xfe80, 3, .tentative), v6(0x2001, 4), v4(5),
        v6(0, 6),
      ]
      #expect(LocalAddresses.interfacesInDoubt(all, knownUp: [5, 5]) == [1, 3, 4])
    }

    @Test func `an address that two interfaces have is one source`() {
      let all = (1...3).map { LocalAddress(loopbackV4, prefixLength: 8, interface: $0) }
      let other = LocalAddress(loopbackV6, prefixLength: 128, interface: 1)
      #expect(LocalAddresses.merged([other, all[2], all[0], other]) == [other, all[2]])
    }

    // MARK: routes

    @Test func `127.0.0.1 is reached from itself`() {
      let remotes = [Endpoint(loopbackV4, port: 80), Endpoint(loopbackV4, port: 81)]
      #expect(
        Routes.routes(to: remotes, as: RouteSelectors()) == [
          .source(loopbackV4), .source(loopbackV4),
        ])
    }

    @Test func `without netlink a UDP socket finds the same route to loopback`() {
      var lookups: [RouteLookup?] = [nil]
      Routes.probe([Endpoint(loopbackV4, port: 80)], as: RouteSelectors(), &lookups)
      #expect(lookups[0]?.route == .source(loopbackV4))
    }

    @Test func `a UDP socket does not keep the source of the remote before`() throws {
      // 127.0.0.2 is reached from 127.0.0.1; the machine's other addresses from themselves.
      let locals = try LocalAddresses.all()
      let usable = locals.filter { !$0.flags.contains(.tentative) && !$0.address.isLoopback }
      let remotes = usable.flatMap { local in
        [Endpoint(loopbackV4, port: 80), Endpoint(local.address, port: 80)]
      }
      var lookups = [RouteLookup?](repeating: nil, count: remotes.count)
      Routes.probe(remotes, as: RouteSelectors(), &lookups)
      for (remote, lookup) in zip(remotes, lookups) {
        #expect(lookup?.route == .source(remote.address))
      }
      #expect(Routes.routes(to: remotes, as: RouteSelectors()) == lookups.map { $0!.route })
    }

    @Test func `a link-local remote without a scope, or with that of another interface, is EINVAL`()
    {
      let remote = Endpoint(IPAddress(high: 0xfe80 << 48, low: 1), port: 80)
      #expect(Routes.routes(to: [remote], as: RouteSelectors()) == [.refused(.invalidArgument)])
      #expect(
        Routes.routes(to: [remote.withScope(1)], as: RouteSelectors(interface: 2)) == [
          .refused(.invalidArgument)
        ])
    }

    @Test func `each of 10000 remotes gets its own answer, whatever their order`() {
      // 127.x.y.z is routed on any machine. Some addresses occur twice, and every fifth remote is of
      // another kind, so that an answer at a wrong index shows.
      let unscoped = IPAddress(high: 0xfe80 << 48, low: 1)
      let remotes = (0..<10_000).map { index in
        if index % 5 == 0 { return Endpoint(index % 2 == 0 ? unscoped : .loopbackV6, port: 80) }
        let bits = UInt32(truncatingIfNeeded: (index % 3 == 0 ? index / 2 : index) &* 7919)
        return Endpoint(IPAddress(v4: 0x7f00_0000 | bits & 0xff_ffff | 1), port: 80)
      }
      let routes = Routes.routes(to: remotes, as: RouteSelectors())
      #expect(routes.count == remotes.count)
      for (remote, route) in zip(remotes, routes) {
        switch (remote.address, route) {
        case (unscoped, .refused(.invalidArgument)): continue
        case (.loopbackV6, .source(.loopbackV6)): continue
        case (.loopbackV6, .refused), (.loopbackV6, .unknown):
          if !Self.hasIPv6 { continue }
        case (_, .source(let source)) where remote.family == .inet:
          if source.family == .inet && source.isLoopback { continue }
        default: break
        }
        Issue.record("\(remote.text): \(route)")
        return
      }
    }

    // MARK: the exchange with a real kernel

    @Test func `requests whose answers are truncated are sent again with more room`() throws {
      var socket = try NetlinkSocket(.route)
      var requests = NetlinkRequests()
      requests.add(type: 22, dump: true, answerMax: 32) { request in
        request.append(0)
        request.append(0)
      }
      for _ in 0..<100 {
        requests.add(type: 26, answerMax: 32) { request in
          request.append((2, 32, 0, 0))
          request.append(0)
          request.append(0)
          request.append(attribute: 1, loopbackV4)
        }
      }
      var collector = LocalAddressCollector()
      var answers = [Int](repeating: 0, count: requests.count)
      try socket.ask(&requests) { index, answer in
        if index == 0 { collector.take(answer) } else { answers[index] += 1 }
      }
      #expect(collector.locals.contains { $0.address == loopbackV4 })
      #expect(answers.dropFirst().allSatisfy { $0 == 1 })
    }

    @Test func `an unknown family is refused, and the socket can be used again`() throws {
      var socket = try NetlinkSocket(.generic)
      for _ in 0..<3 {
        var request = NetlinkRequests()
        request.add(type: 16) { request in
          request.append((3, 1, 0, 0))
          request.append(attribute: 2, text: "no_such_thing")
        }
        var refusals: [Int32] = []
        try socket.ask(&request) { _, answer in
          if case .refused(let errno) = answer { refusals.append(errno.number) }
        }
        #expect(refusals == [2])
      }
    }

    // MARK: the reader

    @Test func `path information is in the plan's order, with the local addresses`() {
      var reader = PathInformationReader()
      let remotes = [
        Endpoint(IPAddress(v4: 0x7f00_0002), port: 80), Endpoint(loopbackV4, port: 80),
      ]
      let plan = plan(remotes)
      let found = reader.pathInformation(for: plan, .pairs(.all))
      #expect(found.remotes.count == 2)
      #expect(found.remotes[1].route == .source(loopbackV4))
      #expect(found.remotes.allSatisfy { !$0.neighbourFailed })
      #expect(found.locals.contains { $0.address == loopbackV4 })

      plan.update(found)
      let again = reader.pathInformation(for: plan, .pairs(.all))
      #expect(again.remotes == [RemotePathInformation(), RemotePathInformation()])
      #expect(again.locals == found.locals)
    }

    @Test func `what is not asked for by the deadline is unknown, and no more is asked`() {
      var reader = PathInformationReader()
      let remotes = (1...20_000).map {
        Endpoint(IPAddress(v4: 0x7f00_0000 + UInt32($0)), port: 80)
      }
      let plan = plan(remotes)
      let began = Clock.now()
      let found = reader.pathInformation(for: plan, .pairs(.all), until: began)
      let took = Clock.now() - began
      #expect(found.remotes.count == remotes.count)
      #expect(found.remotes[0].route == .source(loopbackV4))
      #expect(found.remotes[19_999].route == .unknown)
      print("20,000 routes until a deadline that has passed:", took.seconds, "s")
      let all = reader.pathInformation(for: plan, .pairs(.all))
      #expect(all.remotes.allSatisfy { $0.route == .source(loopbackV4) && $0.isThisMachine })
    }

    @Test func `loopback remotes have no round trip, though the kernel has one`() throws {
      let second = IPAddress(v4: 0x7f00_0002)
      let peer = try TestEndpoint(.echo, at: second)
      var list = try AddressList([peer.endpoint.text])
      // The kernel stores its metrics when a connection ends.
      for _ in 0..<3 {
        var socket = try connectByList(&list)
        try socket.write("PING\n")
        _ = try socket.readLine()
        try socket.close()
      }
      var reader = PathInformationReader()
      let found = reader.pathInformation(
        for: plan([peer.endpoint, Endpoint(loopbackV4, port: 80)]), .pairs(.all))
      #expect(found.remotes.map(\.route) == [.source(loopbackV4), .source(loopbackV4)])
      #expect(found.metrics == [])
      #expect(
        TCPMetrics.all(max: .max, until: .distantFuture).allSatisfy { !$0.destination.isLoopback })
    }

    @Test func `no descriptor is left open`() throws {
      let remotes = [
        Endpoint(loopbackV4, port: 80), Endpoint(loopbackV6, port: 80),
        Endpoint(IPAddress(v4: 0x7f00_0002), port: 80),
      ]
      // The suite compares the sockets before and after.
      for _ in 0..<20 {
        var reader = PathInformationReader()
        _ = reader.interfacesOfLinkLocalAddresses()
        _ = reader.pathInformation(for: plan(remotes), .population(.all))
        _ = TCPMetrics.entries(of: [(loopbackV4, loopbackV4)], until: .distantFuture)
        _ = try LocalAddresses.all()
        var lookups = [RouteLookup?](repeating: nil, count: remotes.count)
        Routes.probe(remotes, as: RouteSelectors(), &lookups)
      }
    }
  }
}
