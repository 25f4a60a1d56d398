extension TextBuffer {
  /// An address in its canonical form: RFC 5952 section 4, and section 5 for v4-mapped addresses only
  /// (`::ffff:192.0.2.1`; glibc's inet_ntop also prints `::192.0.2.1`).
  ///
  /// A scope follows as `%eth0`, or as `%3` if `scopes` has no name for it that could be parsed again.
  public mutating func append(_ address: IPAddress, scopes: some ScopeNames) {
    if address.family == .inet {
      append(dottedQuad: address.v4Bits)
      return
    }
    if address.isMapped {
      append("::ffff:")
      append(dottedQuad: address.v4Bits)
    } else {
      append(groupsOf: address)
    }
    guard address.scope != 0 else { return }
    append(byte: UInt8(ascii: "%"))
    if let name = scopes.name(ofInterface: address.scope), AddressLiteral.isScopeName(name) {
      append(name)
    } else {
      append(decimal: UInt64(address.scope))
    }
  }

  /// An address and its port: `192.0.2.1:80`, `[2001:db8::1]:80`, `[fe80::1%eth0]:80`.
  ///
  /// A Unix address prints as `unix:`, since its path is in its list; see `append(unixPath:)`.
  public mutating func append(_ endpoint: Endpoint, scopes: some ScopeNames) {
    if endpoint.family == .unix { return append(unixPath: []) }
    if endpoint.family == .inet6 { append(byte: UInt8(ascii: "[")) }
    append(endpoint.address, scopes: scopes)
    if endpoint.family == .inet6 { append(byte: UInt8(ascii: "]")) }
    append(byte: UInt8(ascii: ":"))
    append(decimal: UInt64(endpoint.port))
  }

  private mutating func append(dottedQuad bits: UInt32) {
    // From the last digit on; 255.255.255.255 has 15 bytes.
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 15) { text in
      var first = 15
      for index: UInt32 in 0..<4 {
        if index > 0 {
          first -= 1
          text[first] = UInt8(ascii: ".")
        }
        var rest = bits >> (8 * index) & 0xff
        repeat {
          first -= 1
          text[first] = UInt8(ascii: "0") + UInt8(rest % 10)
          rest /= 10
        } while rest > 0
      }
      append(contentsOf: UnsafeBufferPointer(rebasing: text[first...]))
    }
  }

  private mutating func append(groupsOf address: IPAddress) {
    let gap = address.longestZeros
    var index = 0
    while index < 8 {
      if index == gap.lowerBound && !gap.isEmpty {
        append("::")
        index = gap.upperBound
        continue
      }
      // `::` has already written the colon before the group after it. An empty gap is 0..<0.
      if index != 0 && index != gap.upperBound { append(byte: UInt8(ascii: ":")) }
      append(hexadecimal: address.group(index))
      index += 1
    }
  }
}

extension IPAddress {
  fileprivate func group(_ index: Int) -> UInt16 {
    UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> (48 - 16 * (index & 3)))
  }

  /// The groups that `::` replaces: the longest run of zeros, the first of equally long ones; none if the
  /// longest has fewer than two groups (RFC 5952 section 4.2).
  fileprivate var longestZeros: Range<Int> {
    var longest = 0..<0
    var start = 0
    for index in 0..<8 {
      if group(index) != 0 {
        start = index + 1
      } else if index + 1 - start > max(longest.count, 1) {
        longest = start..<index + 1
      }
    }
    return longest
  }
}
