/// Where scope names (`%eth0`) get their numbers: the driver asks the kernel, the simulator its own
/// table.
public protocol ScopeNames {
  /// The index, 1 or above, of the interface that has this name: 1 … 15 bytes, no control byte
  /// among them. Names of digits are asked for too; where there is no such interface they count as
  /// the index.
  func index(ofInterface name: [UInt8]) -> UInt32?
  /// The name of an interface; nil where it is not known, and then the index is printed.
  func name(ofInterface index: UInt32) -> [UInt8]?
}

/// No interface has a name: scopes are numbers, read and printed as such.
public struct NumericScopes: ScopeNames, Sendable {
  public init() {}
  public func index(ofInterface name: [UInt8]) -> UInt32? { nil }
  public func name(ofInterface index: UInt32) -> [UInt8]? { nil }
}

/// Addresses as text, read byte by byte.
///
/// Accepts what POSIX `inet_pton` accepts, and scopes (RFC 4007 section 11); the tests hold it
/// against the C library's.
package enum AddressLiteral {
  /// The longest text of an address: six groups of four digits and a dotted quad of twelve.
  private static let textBytesMax = 45

  /// The longest name of an interface: Linux's IFNAMSIZ less the zero at its end.
  private static let scopeBytesMax = 15

  /// Reads an address with or without a scope, without brackets or port; nil where the text is
  /// none.
  ///
  /// - Throws: where there is an address, but its scope is wrong.
  package static func parse(
    _ text: borrowing Span<UInt8>, scopes: some ScopeNames
  ) throws(EntryError) -> IPAddress? {
    // Neither form has 46 bytes, so no more need be looked at to know.
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

  /// Four decimal numbers of 0 … 255 without leading zeros, which elsewhere mean octal.
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

  /// RFC 4291 section 2.2, all three forms: groups, one `::` for one or more groups, a dotted quad
  /// at the end.
  package static func ipv6(_ text: borrowing Span<UInt8>) -> IPAddress? {
    guard (2...textBytesMax).contains(text.count) else { return nil }
    var groups = Groups()
    /// What stood before the `::`.
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

  /// The last eight groups of 16 bits that came, and a count of all. Two halves instead of a
  /// UInt128, whose shifts become calls into the compiler's runtime library in code made for size.
  private struct Groups {
    private var high: UInt64 = 0
    private var low: UInt64 = 0
    private(set) var count = 0

    mutating func append(_ group: UInt16) {
      high = high << 16 | low >> 48
      low = low << 16 | UInt64(group)
      count += 1
    }

    /// These at the end, `head` at the beginning, zeros between.
    func address(after head: Groups) -> IPAddress {
      // Swift's shifts by 64 and more leave 0, and those by a negative number go the other way.
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
    guard let number = decimal(text, digitsMax: 10), number > 0, let index = UInt32(exactly: number)
    else { throw EntryError(.unknownScope) }
    return index
  }

  /// Whether `name` can be printed as a scope and be read again.
  package static func isScopeName(_ name: [UInt8]) -> Bool {
    (1...scopeBytesMax).contains(name.count) && name.allSatisfy { scopeDefect($0) == nil }
  }

  /// A NUL would cut the name short in the kernel's eyes, and brackets would be the entry's.
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

  /// Whether all bytes are digits; so it is where there are none.
  package static func isDigits(_ text: borrowing Span<UInt8>) -> Bool {
    for index in text.indices
    where !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[index]) {
      return false
    }
    return true
  }

  /// The number of 1 … `digitsMax` digits; nil where there is anything else. `digitsMax` is 19 at
  /// most, so that nothing overflows.
  package static func decimal(_ text: borrowing Span<UInt8>, digitsMax: Int) -> UInt64? {
    assert(digitsMax <= 19)
    guard (1...digitsMax).contains(text.count), isDigits(text) else { return nil }
    var number: UInt64 = 0
    for index in text.indices { number = number * 10 + UInt64(text[index] - UInt8(ascii: "0")) }
    return number
  }
}

extension IPAddress {
  /// Link-local IPv6, unicast or multicast (ff02::/16, and with any flags: RFC 4291 section 2.7).
  fileprivate var takesScope: Bool {
    needsScope || family == .inet6 && high >> 48 & 0xff0f == 0xff02
  }
}
