/// Converts scope names (`%eth0`) to interface indices and back. The driver asks the kernel; the simulator
/// has a table of its own.
public protocol ScopeNames {
  /// The index, 1 or above, of the interface with this name of 1 … 15 bytes without control bytes; `nil`:
  /// there is none. Also called for names of digits: the digits count as the index only if no interface
  /// has them as its name.
  func index(ofInterface name: [UInt8]) -> UInt32?
  /// The name of an interface; `nil`: not known, and the index is printed.
  func name(ofInterface index: UInt32) -> [UInt8]?
}

/// Knows no names: scopes are parsed and printed as numbers.
public struct NumericScopes: ScopeNames, Sendable {
  public init() {}
  public func index(ofInterface name: [UInt8]) -> UInt32? { nil }
  public func name(ofInterface index: UInt32) -> [UInt8]? { nil }
}

/// Parses addresses. Accepts what POSIX `inet_pton` accepts, and scopes (RFC 4007 section 11). The tests
/// compare it with glibc's `inet_pton`.
package enum AddressLiteral {
  /// The longest text of an address in bytes: six groups of four digits, then a dotted quad of twelve
  /// digits (INET6_ADDRSTRLEN without its NUL).
  private static let textBytesMax = 45

  /// The longest name of an interface in bytes: Linux's IFNAMSIZ (16) without its NUL.
  private static let scopeBytesMax = 15

  /// Parses an address with or without a scope, without brackets and port; `nil`: the text is not an
  /// address.
  ///
  /// - Throws: if the text is an address with a malformed scope.
  package static func parse(
    _ text: borrowing Span<UInt8>, scopes: some ScopeNames
  ) throws(EntryError) -> IPAddress? {
    // A `%` beyond the longest address cannot make the text an address with a scope.
    let end = min(text.count, textBytesMax + 1)
    var percent = 0
    while percent < end && text[percent] != UInt8(ascii: "%") { percent += 1 }
    let digits = text.extracting(0..<percent)
    guard let address = dottedQuad(digits).map(IPAddress.init(v4:)) ?? ipv6(digits) else {
      return nil
    }
    if percent == text.count { return address }
    guard address.takesScope else { throw EntryError(.scopeNotAllowed) }
    return address.withScope(
      try scope(text.extracting(percent + 1..<text.count), scopes: scopes))
  }

  /// Four decimal numbers of 0 … 255. Leading zeros are rejected: `inet_aton` reads them as octal.
  package static func dottedQuad(_ text: borrowing Span<UInt8>) -> UInt32? {
    var bits: UInt32 = 0
    var part: UInt32 = 0
    var digits = 0
    var dots = 0
    for index in text.indices {
      switch text[index] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        if digits > 0 && part == 0 { return nil }
        part = part * 10 + UInt32(text[index] - UInt8(ascii: "0"))
        if part > 255 { return nil }
        digits += 1
      case UInt8(ascii: "."):
        if digits == 0 || dots == 3 { return nil }
        bits = bits << 8 | part
        part = 0
        digits = 0
        dots += 1
      default: return nil
      }
    }
    return dots == 3 && digits > 0 ? bits << 8 | part : nil
  }

  /// The three forms of RFC 4291 section 2.2: groups, one `::` for one or more groups, a dotted quad at the
  /// end.
  package static func ipv6(_ text: borrowing Span<UInt8>) -> IPAddress? {
    guard (2...textBytesMax).contains(text.count) else { return nil }
    var groups = Groups()
    /// The groups before `::`.
    var head: Groups?
    var index = 0
    if text[0] == UInt8(ascii: ":") {
      guard text[1] == UInt8(ascii: ":") else { return nil }
      head = groups
      index = 2
    }
    while index < text.count {
      let start = index
      var value: UInt16 = 0
      while index < text.count, let digit = hexDigit(text[index]) {
        if index - start == 4 { return nil }
        value = value << 4 | UInt16(digit)
        index += 1
      }
      if index < text.count && text[index] == UInt8(ascii: ".") {
        guard let bits = dottedQuad(text.extracting(start..<text.count)) else { return nil }
        groups.append(UInt16(truncatingIfNeeded: bits >> 16))
        groups.append(UInt16(truncatingIfNeeded: bits))
        break
      }
      if index == start { return nil }
      groups.append(value)
      if index == text.count { break }
      guard text[index] == UInt8(ascii: ":"), index + 1 < text.count else { return nil }
      index += 1
      if text[index] == UInt8(ascii: ":") {
        if head != nil { return nil }
        head = groups
        groups = Groups()
        index += 1
      }
    }
    guard let head else { return groups.count == 8 ? groups.address(after: Groups()) : nil }
    return head.count + groups.count < 8 ? groups.address(after: head) : nil
  }

  /// The last eight groups of 16 bits that were appended, and a count of all. They are two UInt64 and not a
  /// UInt128: optimised for size, shifts of a UInt128 call compiler-rt, and the module links libc only.
  private struct Groups {
    private var high: UInt64 = 0
    private var low: UInt64 = 0
    private(set) var count = 0

    mutating func append(_ group: UInt16) {
      high = high << 16 | low >> 48
      low = low << 16 | UInt64(group)
      count += 1
    }

    /// The address with `head` at its beginning, these groups at its end, and zeros between.
    func address(after head: Groups) -> IPAddress {
      // In Swift a shift by 64 or more gives 0, and a shift by a negative number goes the other way.
      let shift = 16 * (8 - head.count)
      return IPAddress(
        high: head.high << shift | head.low >> (64 - shift) | high,
        low: head.low << shift | low)
    }
  }

  // MARK: scopes

  private static func scope(
    _ text: borrowing Span<UInt8>, scopes: some ScopeNames
  ) throws(EntryError) -> UInt32 {
    if text.isEmpty { throw EntryError(.emptyScope) }
    if text.count > scopeBytesMax { throw EntryError(.unknownScope) }
    var name: [UInt8] = []
    name.reserveCapacity(text.count)
    for index in text.indices {
      if let defect = scopeDefect(text[index]) { throw EntryError(defect) }
      name.append(text[index])
    }
    if let index = scopes.index(ofInterface: name), index != 0 { return index }
    // `%0` is the default zone (RFC 4007 section 11.2): as without a scope.
    guard let number = decimal(text, digitsMax: 10), let index = UInt32(exactly: number)
    else { throw EntryError(.unknownScope) }
    return index
  }

  /// Whether `name`, printed as a scope, can be parsed again.
  package static func isScopeName(_ name: [UInt8]) -> Bool {
    (1...scopeBytesMax).contains(name.count) && name.allSatisfy { scopeDefect($0) == nil }
  }

  /// The kernel would read a name up to its first NUL; brackets delimit the address in an entry.
  private static func scopeDefect(_ byte: UInt8) -> EntryError.Reason? {
    switch byte {
    case 0...0x20, 0x7f: .controlCharacter
    case UInt8(ascii: ":"): .colonInScope
    case UInt8(ascii: "%"), UInt8(ascii: "/"), UInt8(ascii: "["), UInt8(ascii: "]"): .badCharacter
    default: nil
    }
  }

  // MARK: digits

  package static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// Whether all bytes are digits; true for an empty text.
  package static func isDigits(_ text: borrowing Span<UInt8>) -> Bool {
    for index in text.indices
    where !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[index]) {
      return false
    }
    return true
  }

  /// The number that 1 … `digitsMax` digits give; `nil` for any other text. `digitsMax` is at most 19, so
  /// that UInt64 cannot overflow.
  package static func decimal(_ text: borrowing Span<UInt8>, digitsMax: Int) -> UInt64? {
    assert(digitsMax <= 19)
    guard (1...digitsMax).contains(text.count), isDigits(text) else { return nil }
    var number: UInt64 = 0
    for index in text.indices { number = number * 10 + UInt64(text[index] - UInt8(ascii: "0")) }
    return number
  }
}

extension IPAddress {
  /// Whether a scope may follow: link-local IPv6, unicast or multicast (ff02::/16 with any flags, RFC 4291
  /// section 2.7).
  fileprivate var takesScope: Bool {
    needsScope || family == .inet6 && high >> 48 & 0xff0f == 0xff02
  }
}
