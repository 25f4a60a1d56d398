extension TextBuffer {
  /// An address in its one canonical form: RFC 5952 section 4 for IPv6, and section 5 for v4-mapped
  /// addresses alone (`::ffff:192.0.2.1`; the C library also prints `::192.0.2.1`).
  ///
  /// A scope follows as `%eth0`, or `%3` where `scopes` has no name that could be read again.
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
  /// A Unix address, whose path is not here, is `unix:`; `append(unixPath:)` has it.
  public mutating func append(_ endpoint: Endpoint, scopes: some ScopeNames) {
    if endpoint.family == .unix { return append(unixPath: []) }
    if endpoint.family == .inet6 { append(byte: UInt8(ascii: "[")) }
    append(endpoint.address, scopes: scopes)
    if endpoint.family == .inet6 { append(byte: UInt8(ascii: "]")) }
    append(byte: UInt8(ascii: ":"))
    append(decimal: UInt64(endpoint.port))
  }

  /// Put together beside and appended once: scripts ask every socket for two addresses.
  private mutating func append(dottedQuad bits: UInt32) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 15) { text in
      var count = 0
      func put(_ byte: UInt8) {
        text[count] = byte
        count += 1
      }
      for place: UInt32 in 0..<4 {
        if place > 0 { put(UInt8(ascii: ".")) }
        let part = UInt8(truncatingIfNeeded: bits >> (24 - 8 * place))
        if part >= 100 { put(UInt8(ascii: "0") + part / 100) }
        if part >= 10 { put(UInt8(ascii: "0") + part / 10 % 10) }
        put(UInt8(ascii: "0") + part % 10)
      }
      append(UnsafeBufferPointer(rebasing: text[..<count]))
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
      // After the gap, whose second colon is there already, and at the start there is none; an
      // empty gap is 0..<0.
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

  /// The groups that `::` stands for: the longest run of zeros, the first of equals, none of fewer
  /// than two (RFC 5952 section 4.2).
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
