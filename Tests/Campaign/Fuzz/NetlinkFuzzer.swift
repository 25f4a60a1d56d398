import CConnectByListFuzzSupport
import ConnectByListCore

@testable import ConnectByList

/// Netlink: a kernel that answers with any datagrams, truncated ones included. First each reader on the bytes as one
/// datagram, then a whole plan whose path information is read from them.
func fuzzNetlink(_ input: FuzzInput) {
  let bytes = input.bytes
  guard bytes.count <= 16_384 else { return }
  bytes.withUnsafeBytes { readDatagram($0, isTruncated: (bytes.first ?? 0) % 5 == 0) }
  planWith(bytes)
}

private func readDatagram(_ bytes: UnsafeRawBufferPointer, isTruncated: Bool) {
  var requests = NetlinkRequests()
  requests.add(type: 22, dump: true) { $0.append(0) }
  for _ in 0..<2 { requests.add(type: 26) { $0.append(0) } }
  var exchange = NetlinkExchange(requests, first: 1)
  var answered = [0, 0, 0]
  exchange.take(NetlinkDatagram(bytes: bytes, isTruncated: isTruncated)) { index, answer in
    answered[index] += 1
    checkRoute(answer)
    _ = Neighbours.hasFailed(answer)
    _ = LinkState(answer)
  }
  check(answered[1] <= 1 && answered[2] <= 1, "a request has two answers")
  check((0...3).contains(exchange.left), "more answers than requests")
  var end = 0
  for message in NetlinkMessages(bytes) {
    end += (16 + message.body.count + 3) & ~3
    checkAddress(message)
    _ = TCPMetrics.familyNumber(message)
    if let entry = TCPMetrics.entry(message, family: message.type) {
      check(entry.roundTrip.smoothed > .zero, "a round trip of nothing")
      check(entry.roundTrip.variance >= .zero, "a negative deviation")
    }
  }
  check(end <= (bytes.count + 3) & ~3, "messages overlap")
}

private func checkRoute(_ answer: NetlinkAnswer) {
  guard let lookup = Routes.lookup(of: IPAddress(v4: 1), answer) else { return }
  switch lookup.route {
  case .source(let source):
    check(source.family == .inet && !source.isUnspecified, "a source of another family")
  case .refused(let errno): check(errno.number > 0, "a route refused without an error")
  case .unknown, .noSource: check(lookup.nextHop == nil, "a next hop without a route")
  }
}

private func checkAddress(_ message: NetlinkMessage) {
  guard let local = LocalAddresses.address(message) else { return }
  check(!local.address.isUnspecified, "an unspecified local address")
  check(local.prefixLength <= (local.address.family == .inet ? 32 : 128), "a prefix too long")
  check(
    !local.address.needsScope || local.address.scope == local.interface,
    "a link-local address without its interface")
}

private func planWith(_ bytes: [UInt8]) {
  let before = cbl_fuzz_lowest_free()
  bytes.withUnsafeBufferPointer { buffer in
    cbl_fuzz_set_datagrams(buffer.baseAddress, buffer.count)
    defer { cbl_fuzz_set_datagrams(nil, 0) }
    var list = AddressList()
    for text in ["192.0.2.1:80", "[2001:db8::1]:80", "[fe80::1]:80", "127.0.0.1:80", "10.0.0.1:1"] {
      guard
        case .endpoint(let endpoint)? = try? EndpointText.parseEntry(
          Array(text.utf8), defaultPort: nil, scopes: NumericScopes())
      else { continue }
      list.append(.endpoint(endpoint))
    }
    do throws(ConnectError) {
      let plan = try ConnectRequest().explain(list).plan
      var seen = 0
      while let pair = plan.next() {
        seen += 1
        check(!plan.reasons(for: pair).isEmpty, "a pair without a reason")
      }
      check(seen >= 4, "a remote has no pair")
    } catch {
      check(error.errno.number != 0, "a failure without an error")
    }
  }
  check(cbl_fuzz_lowest_free() == before, "a descriptor stays open")
}
