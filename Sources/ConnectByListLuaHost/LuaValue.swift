/// A value that goes into a Lua state or comes out of it.
public enum LuaValue: Hashable, Sendable {
  case `nil`
  case boolean(Bool)
  case integer(Int64)
  case number(Double)
  /// Bytes: Lua's strings need not be UTF-8. See ``string``.
  case bytes([UInt8])
  /// A copy of a table, in any order. Metatables are not part of it. Going in, a key must be neither nil nor
  /// NaN, and a later value of an equal key replaces an earlier one.
  case table([LuaField])
  /// Coming out: a value that has no copy in Swift, by the name of its type (`function`, `userdata`,
  /// `thread`). Going in it is nil.
  case other(type: String)

  /// An array: a table with the keys from 1 on.
  public static func array(_ values: [LuaValue]) -> LuaValue {
    .table(
      values.enumerated().map { LuaField(key: .integer(Int64($0.offset + 1)), value: $0.element) })
  }

  public static func string(_ text: String) -> LuaValue { .bytes(Array(text.utf8)) }

  /// The text of `bytes`; what is not UTF-8 becomes U+FFFD. `nil` for any other value.
  public var string: String? {
    guard case .bytes(let bytes) = self else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// An integer, or a number without a fraction.
  public var integer: Int64? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int64(exactly: value)
    default: nil
    }
  }

  /// A number of either kind.
  public var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  /// Whether Lua takes it as true: everything but nil and false.
  public var isTrue: Bool { self != .nil && self != .boolean(false) }

  /// A table's value of a key; `nil` where this is no table or has no such key.
  public subscript(key: LuaValue) -> LuaValue? {
    guard case .table(let fields) = self else { return nil }
    return fields.first { $0.key == key }?.value
  }
}

public struct LuaField: Hashable, Sendable {
  public var key: LuaValue
  public var value: LuaValue

  public init(key: LuaValue, value: LuaValue) {
    self.key = key
    self.value = value
  }
}

extension LuaValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  public init(stringLiteral text: String) { self = .string(text) }
  public init(integerLiteral value: Int64) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
  public init(arrayLiteral values: LuaValue...) { self = .array(values) }
  public init(dictionaryLiteral fields: (LuaValue, LuaValue)...) {
    self = .table(fields.map { LuaField(key: $0.0, value: $0.1) })
  }
  public init(nilLiteral: ()) { self = .nil }
}
