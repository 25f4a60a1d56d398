import ConnectByListCore

extension SocketOption {
  /// What an option is to those who set and read it: in seconds and bytes, never in the kernel's
  /// own units.
  public enum Value: Equatable, Sendable {
    case boolean(Bool)
    case whole(Int64)
    case number(Double)
    case text([UInt8])
  }

  /// What its values are, and how the kernel has them.
  public enum Kind: Sendable {
    case boolean
    case whole(Int64, Int64, step: Int64 = 1)
    /// Whole seconds.
    case seconds(Int64, Int64)
    /// Seconds from 0, which the kernel counts in smaller units.
    case fraction(perSecond: Int64, Int64)
    /// Bytes. The kernel keeps and tells the double of what was set, for its own overhead
    /// (socket(7)); here both are what was set.
    case size
    /// `false`, or whole seconds.
    case linger
    /// At most 15 bytes, as interfaces and congestion controls are called.
    case text
    /// An errno's name, or `false`.
    case error
    /// `true`, and nothing to read.
    case context
  }

  /// Both sizes: twice 2048 and a packet's header are the least that the kernel grants, so that
  /// what was set can be read.
  static let sizeMin: Int64 = 4096
  static let sizeMax: Int64 = 1_073_741_823
  static let textMax = 15
  static let lingerMax: Int64 = 65535

  /// In words that stand after "must be".
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

  /// A value as `setsockopt` takes it; `nil`: the option cannot be that.
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
      // To the nearest unit, but what is not nothing stays so: 0 has a meaning of its own.
      let units = Int64(seconds * Double(perSecond) + 0.5)
      return bytes(units == 0 && seconds > 0 ? 1 : units)
    case .size: return value.whole(Self.sizeMin, Self.sizeMax).map { bytes($0) }
    case .linger:
      if value == .boolean(false) { return bytes(0) + bytes(0) }
      return value.whole(0, Self.lingerMax).map { bytes(1) + bytes($0) }
    case .text:
      // A NUL would end it: another name.
      guard case .text(let text) = value, text.count <= Self.textMax, !text.contains(0) else {
        return nil
      }
      return text
    case .context: return value == .boolean(true) ? [] : nil
    case .error: return nil
    }
  }

  /// What `getsockopt` gave.
  func decoded(_ bytes: [UInt8]) -> Value {
    switch kind {
    case .boolean: return .boolean(integer(bytes) != 0)
    // Numbers that may be above CInt's are unsigned ones of the kernel.
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
  /// What `getsockopt` gave, as `setsockopt` takes it, without the range that scripts are held to.
  func asSet(_ given: [UInt8]) -> [UInt8] {
    switch kind {
    case .size: bytes(Int64(integer(given)) / 2)
    case .text: Array(given.prefix { $0 != 0 })
    default: given
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

  /// A whole number in this range; `2.0` is one too, as in Lua.
  @inline(never)
  fileprivate func whole(_ least: Int64, _ most: Int64) -> Int64? {
    // Compared before it is converted: NaN, and what no Int64 can be, end here.
    guard let number, number >= Double(least), number <= Double(most) else { return nil }
    let whole = Int64(number)
    return Double(whole) == number ? whole : nil
  }
}

/// The low 32 bits, as C's `int` or `unsigned` has them here.
@inline(never)
private func bytes(_ number: Int64) -> [UInt8] {
  withUnsafeBytes(of: CInt(truncatingIfNeeded: number)) { Array($0) }
}

/// The `int` at the front; 0 where the kernel gave less than one.
@inline(never)
private func integer(_ bytes: [UInt8]) -> CInt {
  guard bytes.count >= MemoryLayout<CInt>.size else { return 0 }
  return bytes.withUnsafeBytes { $0.loadUnaligned(as: CInt.self) }
}
