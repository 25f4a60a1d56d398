import ConnectByListCore

/// The interfaces of a scenario, numbered from 1 in the order in which the text first names them.
///
/// A name that consists of digits is a name too: `%1` is the interface called 1, not the first one.
public struct ScenarioScopes: ScopeNames, Equatable, Sendable {
  public private(set) var names: [[UInt8]] = []

  public init() {}

  /// The number of the interface with this name. A new name gets a new number.
  @discardableResult
  public mutating func add(_ name: [UInt8]) -> UInt32 {
    if let known = index(ofInterface: name) { return known }
    names.append(name)
    return UInt32(names.count)
  }

  public func index(ofInterface name: [UInt8]) -> UInt32? {
    names.firstIndex { $0 == name }.map { UInt32($0 + 1) }
  }

  public func name(ofInterface index: UInt32) -> [UInt8]? {
    index >= 1 && index <= names.count ? names[Int(index) - 1] : nil
  }
}
