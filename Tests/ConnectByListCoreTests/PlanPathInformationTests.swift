import Testing

@testable import ConnectByListCore

/// When a plan needs path information for its order.
@Suite struct PlanPathInformationTests {
  private let start = Instant(nanoseconds: 0)

  private func plan(_ texts: [String]) throws -> Plan {
    var list = AddressList()
    for text in texts {
      list.append(
        Entry(
          try EndpointText.parseEntry(Array(text.utf8), defaultPort: nil, scopes: NumericScopes())))
    }
    return try #require(list.plan(ConnectOptions(), links: [], at: start))
  }

  private func order(_ plan: Plan) -> [Int32] {
    let plan = plan.copy()
    return (0..<plan.remoteCount).map { _ in plan.next()!.remote }
  }

  @Test(arguments: [
    ["127.0.0.1:80"], ["127.0.0.1:80", "127.0.0.2:80"],
    ["[::1]:80", "127.0.0.1:80", "127.9.9.9:1"],
    ["192.0.2.1:80"], ["192.0.2.1:80", "192.0.2.1:81"],
  ])
  func `one address, or loopback alone, needs no path information`(texts: [String]) throws {
    #expect(try !plan(texts).ordersByPathInformation)
  }

  @Test(arguments: [
    ["192.0.2.1:80", "192.0.2.2:80"], ["127.0.0.1:80", "192.0.2.1:80"],
    ["192.0.2.1:80", "127.0.0.1:80"], ["127.0.0.1:80", "127.0.0.2:80", "[2001:db8::1]:80"],
  ])
  func `the order of any other two addresses needs path information`(texts: [String]) throws {
    #expect(try plan(texts).ordersByPathInformation)
  }

  /// This is why loopback needs none.
  @Test func `the order of loopback addresses is the same with path information`() throws {
    let v4 = IPAddress(v4: 0x7f00_0001)
    let v6 = IPAddress(high: 0, low: 1)
    for texts in [
      ["127.0.0.1:80", "127.0.0.2:80", "127.0.0.1:81"],
      ["127.0.0.3:9", "[::1]:80", "127.0.0.1:80"],
      ["[::1]:2", "127.0.0.2:80", "[::1]:1"],
    ] {
      let known = try plan(texts)
      let before = order(known)
      var remotes: [RemotePathInformation] = []
      for index in 0..<known.remoteCount {
        var remote = RemotePathInformation()
        remote.route = .source(known.endpoint(at: index).family == .inet ? v4 : v6)
        remotes.append(remote)
      }
      known.update(
        PathInformation(
          locals: [LocalAddress(v4, prefixLength: 8), LocalAddress(v6, prefixLength: 128)],
          remotes: remotes))
      #expect(order(known) == before)
    }
  }
}
