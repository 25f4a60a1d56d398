import ConnectByListCore

/// The state of address resolution (ARP, neighbour discovery) for a next hop. Nothing is sent.
enum Neighbours {
  /// Adds a request for one neighbour. Linux 5.0; older kernels refuse it with EOPNOTSUPP.
  static func addRequest(for hop: NextHop, to requests: inout NetlinkRequests) {
    let getNeighbour: UInt16 = 30  // RTM_GETNEIGH
    requests.add(type: getNeighbour) { request in
      // struct ndmsg: family and padding, interface, state, flags and type.
      request.append((hop.address.netlinkFamily, 0, 0, 0))
      request.append(hop.interface)
      request.append(0)
      request.append(attribute: 1, hop.address)  // NDA_DST
    }
  }

  /// Whether address resolution has failed, and has not been tried again since.
  static func hasFailed(_ answer: NetlinkAnswer) -> Bool {
    let newNeighbour: UInt16 = 28  // RTM_NEWNEIGH
    let failed: UInt16 = 0x20  // NUD_FAILED
    guard case .message(let message) = answer, message.type == newNeighbour,
      let state = message.body.number(at: 8, as: UInt16.self)
    else { return false }
    return state & failed != 0
  }
}
