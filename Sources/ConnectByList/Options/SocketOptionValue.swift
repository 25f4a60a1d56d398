import ConnectByListCore

extension SocketOption {
  /// A value as scripts set and read it: times in seconds and sizes in bytes, whatever the kernel's unit.
  public enum Value: Equatable, Sendable {
    case boolean(Bool)
    case whole(Int64)
    case number(Double)
    case text([UInt8])
  }

  /// The values of an option, and their form in the kernel. Ranges are inclusive.
  public enum Kind: Sendable {
    case boolean
    case whole(Int64, Int64, step: Int64 = 1)
    /// Whole seconds, as in the kernel.
    case seconds(Int64, Int64)
    /// Seconds from 0 to a maximum. The kernel counts units of which a second has `perSecond`.
    case fraction(perSecond: Int64, Int64)
    /// Bytes. The kernel doubles a size that is set, for its own overhead, and returns the double
    /// (socket(7)). Reading returns the size that was set.
    case size
    /// `false`, or whole seconds.
    case linger
    /// The name of an interface or a congestion control, at most 15 bytes.
    case text
    /// The name of an errno, or `false`. Read only.
    case error
    /// Only `true`, and cannot be read.
    case context
  }

  /// The kernel raises a small size to a minimum of its own, below 8 KiB after the doubling
  /// (SOCK_MIN_SNDBUF). From 4096 a size reads as it was set.
  static let sizeMin: Int64 = 4096
  /// The double must fit into a C int.
  static let sizeMax: Int64 = 1_073_741_823
  static let textMax = 15
  static let lingerMax: Int64 = 65535

  /// The values that the option takes, in words that follow "must be".
  public var allowed: TextBuffer {
    var text = TextBuffer()
    func range(_ what: StaticString, _ least: Int64, _ most: Int64) {
      text.append(what)
      text.append(decimal: Int(least))
      text.append(" to ")
      text.append(decimal: Int(most))
    }
    switch kind {
    case .boolean: text.append("a boolean")
    case .whole(let least, let most, let step):
      if step == 1 {
        range("a whole number, ", least, most)
      } else {
        text.append("a multiple of ")
        text.append(decimal: Int(step))
        range(", ", least, most)
      }
    case .seconds(let least, let most): range("a whole number of seconds, ", least, most)
    case .fraction(_, let most): range("a number of seconds, ", 0, most)
    case .size: range("a whole number of bytes, ", Self.sizeMin, Self.sizeMax)
    case .linger:
      range("false, a whole number of seconds, ", 0, Self.lingerMax)
      text.append(", or a table {on=, timeout=}")
    case .text: text.append("a name of at most 15 bytes")
    case .error: text.append("an error")
    case .context: text.append("true")
    }
    return text
  }

  /// The value as `setsockopt` takes it; `nil` if the option does not take it.
  func encoded(_ value: Value) -> [UInt8]? {
    switch kind {
    case .boolean:
      guard case .boolean(let on) = value else { return nil }
      return bytes(on ? 1 : 0)
    case .whole(let least, let most, let step):
      guard let whole = value.whole(least, most), whole % step == 0 else { return nil }
      return bytes(whole)
    case .seconds(let least, let most): return value.whole(least, most).map { bytes($0) }
    case .fraction(let perSecond, let most):
      guard let seconds = value.number, seconds >= 0, seconds <= Double(most) else { return nil }
      // To the nearest unit, but a small value must not become 0, which has a meaning of its own.
      let units = Int64(seconds * Double(perSecond) + 0.5)
      return bytes(units == 0 && seconds > 0 ? 1 : units)
    case .size: return value.whole(Self.sizeMin, Self.sizeMax).map { bytes($0) }
    case .linger:
      if value == .boolean(false) { return bytes(0) + bytes(0) }
      return value.whole(0, Self.lingerMax).map { bytes(1) + bytes($0) }
    case .text:
      // The kernel would read only what precedes a NUL.
      guard case .text(let text) = value, text.count <= Self.textMax, !text.contains(0) else {
        return nil
      }
      return text
    case .context: return value == .boolean(true) ? [] : nil
    case .error: return nil
    }
  }

  /// The value that `getsockopt` returned as these bytes.
  func decoded(_ bytes: [UInt8]) -> Value {
    switch kind {
    case .boolean: return .boolean(integer(bytes) != 0)
    // An option whose range exceeds CInt is unsigned in the kernel.
    case .whole(_, let most, _) where most > Int64(CInt.max):
      return .whole(Int64(UInt32(bitPattern: integer(bytes))))
    case .whole, .seconds: return .whole(Int64(integer(bytes)))
    case .fraction(let perSecond, _): return .number(Double(integer(bytes)) / Double(perSecond))
    case .size: return .whole(Int64(integer(bytes)) / 2)
    case .linger:
      if integer(bytes) == 0 { return .boolean(false) }
      return .whole(Int64(integer(Array(bytes.dropFirst(4)))))
    case .text: return .text(asSet(bytes))
    case .error:
      let number = integer(bytes)
      if number == 0 { return .boolean(false) }
      var name = TextBuffer()
      name.append(Errno(number))
      return .text(name.bytes)
    case .context: return .boolean(true)
    }
  }
}

extension SocketOption {
  /// The bytes for `setsockopt` that set the value which `getsockopt` returned as `value`. It need not be
  /// in the range for scripts.
  func asSet(_ value: [UInt8]) -> [UInt8] {
    switch kind {
    case .size: bytes(Int64(integer(value)) / 2)
    case .text: Array(value.prefix { $0 != 0 })
    default: value
    }
  }
}

extension SocketOption.Value {
  fileprivate var number: Double? {
    switch self {
    case .whole(let whole): Double(whole)
    case .number(let number): number
    case .boolean, .text: nil
    }
  }

  /// The value if it is a whole number in this range. 2.0 is a whole number, as in Lua.
  fileprivate func whole(_ least: Int64, _ most: Int64) -> Int64? {
    // The comparisons exclude NaN and every number that Int64 cannot hold.
    guard let number, number >= Double(least), number <= Double(most) else { return nil }
    let whole = Int64(number)
    return Double(whole) == number ? whole : nil
  }
}

/// The low 32 bits, as the bytes of a C `int` or `unsigned`.
private func bytes(_ number: Int64) -> [UInt8] {
  withUnsafeBytes(of: CInt(truncatingIfNeeded: number)) { Array($0) }
}

/// The C `int` at the start; 0 if the kernel returned fewer bytes.
private func integer(_ bytes: [UInt8]) -> CInt {
  guard bytes.count >= MemoryLayout<CInt>.size else { return 0 }
  return bytes.withUnsafeBytes { $0.loadUnaligned(as: CInt.self) }
}
