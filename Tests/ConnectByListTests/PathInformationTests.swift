import ConnectByListCore
import ConnectByListTesting
import Foundation
import Testing

@testable import ConnectByList

extension Driver {
  /// What any Linux machine can be asked: nothing here sends a packet.
  @Suite struct FactFinderTests {
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

    @Test func `an address that two interfaces have is one place to connect from`() {
      let all = (1...3).map { LocalAddress(loopbackV4, prefixLength: 8, interface: $0) }
      let other = LocalAddress(loopbackV6, prefixLength: 128, interface: 1)
      #expect(LocalAddresses.merged([other, all[2], all[0], other]) == [other, all[2]])
    }

    // MARK: routes

    @Test func `127.0.0.1 is reached from itself`() {
      let remotes = [Endpoint(loopbackV4, port: 80), Endpoint(loopbackV4, port: 81)]
      #expect(
        Routes.sources(of: remotes, interface: 0) == [.source(loopbackV4), .source(loopbackV4)])
    }

    @Test func `a UDP socket says the same of loopback where netlink is not to be had`() {
      var ways: [Routes.RouteLookup?] = [nil]
      Routes.askByConnecting([Endpoint(loopbackV4, port: 80)], interface: 0, &ways)
      #expect(ways[0]?.route == .source(loopbackV4))
    }

    @Test func `a UDP socket does not keep the source of the remote before`() {
      // 127.0.0.2 is reached from 127.0.0.1; the machine's other addresses from themselves.
      guard let locals = try? LocalAddresses.all() else { return }
      let usable = locals.filter { !$0.flags.contains(.tentative) && !$0.address.isLoopback }
      let remotes = usable.flatMap { local in
        [Endpoint(loopbackV4, port: 80), Endpoint(local.address, port: 80)]
      }
      var ways = [Routes.RouteLookup?](repeating: nil, count: remotes.count)
      Routes.askByConnecting(remotes, interface: 0, &ways)
      for (remote, way) in zip(remotes, ways) { #expect(way?.route == .source(remote.address)) }
      #expect(Routes.sources(of: remotes, interface: 0) == ways.map { $0!.route })
    }

    @Test func `a link-local remote without a link, or of another than the interface, is EINVAL`() {
      let remote = Endpoint(IPAddress(high: 0xfe80 << 48, low: 1), port: 80)
      #expect(Routes.sources(of: [remote], interface: 0) == [.refused(.invalidArgument)])
      #expect(
        Routes.sources(of: [remote.withScope(1)], interface: 2) == [.refused(.invalidArgument)])
    }

    @Test func `each of 10000 remotes gets its own answer, whatever their order`() {
      // 127.x.y.z is certain on any machine; every third address comes twice.
      let remotes = (0..<10_000).map { index in
        let bits = UInt32(truncatingIfNeeded: (index % 3 == 0 ? index / 2 : index) &* 7919)
        return Endpoint(IPAddress(v4: 0x7f00_0000 | bits & 0xff_ffff | 1), port: 80)
      }
      for route in Routes.sources(of: remotes, interface: 0) {
        guard case .source(let source) = route else {
          Issue.record("no source: \(route)")
          return
        }
        #expect(source.isLoopback)
      }
    }

    // MARK: the exchange with a real kernel

    @Test func `answers that do not fit are asked for again with more room`() throws {
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

    @Test func `a family that is not there is refused, and a socket can be asked again`() throws {
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

    // MARK: the finder

    @Test func `facts come in the plan's order, and locals with them`() {
      var finder = PathInformationReader(interface: 0)
      let remotes = [
        Endpoint(IPAddress(v4: 0x7f00_0002), port: 80), Endpoint(loopbackV4, port: 80),
      ]
      let plan = plan(remotes)
      let facts = finder.facts(for: plan)
      #expect(facts.remotes.count == 2)
      #expect(facts.remotes[1].route == .source(loopbackV4))
      #expect(facts.remotes.allSatisfy { !$0.neighbourFailed })
      #expect(facts.locals.contains { $0.address == loopbackV4 })

      plan.update(facts)
      let again = finder.facts(for: plan)
      #expect(again.remotes == [RemotePathInformation(), RemotePathInformation()])
      #expect(again.locals == facts.locals)
    }

    @Test func `of loopback no round trip is told, though the kernel has one`() throws {
      let second = IPAddress(v4: 0x7f00_0002)
      let peer = try TestEndpoint(.echo, at: second)
      var list = try AddressList([peer.endpoint.text])
      // The kernel writes its metrics when a connection goes.
      for _ in 0..<3 {
        var socket = try connectByList(&list)
        try socket.write("PING\n")
        _ = try socket.readLine()
        try socket.close()
      }
      var finder = PathInformationReader(interface: 0)
      let facts = finder.facts(for: plan([peer.endpoint, Endpoint(loopbackV4, port: 80)]))
      #expect(facts.remotes.map(\.route) == [.source(loopbackV4), .source(loopbackV4)])
      #expect(facts.remotes.allSatisfy { $0.roundTrip == nil })
    }

    @Test func `no descriptor is left`() throws {
      let remotes = [
        Endpoint(loopbackV4, port: 80), Endpoint(loopbackV6, port: 80),
        Endpoint(IPAddress(v4: 0x7f00_0002), port: 80),
      ]
      // The suite counts them.
      for _ in 0..<20 {
        var finder = PathInformationReader(interface: 0)
        _ = finder.links()
        _ = finder.facts(for: plan(remotes))
        _ = Evidence.roundTrips(to: [(loopbackV4, nil)])
        _ = try LocalAddresses.all()
        var ways = [Routes.RouteLookup?](repeating: nil, count: remotes.count)
        Routes.askByConnecting(remotes, interface: 0, &ways)
      }
    }
  }
}
