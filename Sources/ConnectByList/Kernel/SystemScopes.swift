import CConnectByListPosix
import ConnectByListCore

/// Interface names as this machine's kernel has them.
public struct SystemScopes: ScopeNames {
  public init() {}

  public func index(ofInterface name: [UInt8]) -> UInt32? {
    // IFNAMSIZ is 16 with the NUL; a NUL inside would name another interface.
    guard name.count < 16, !name.contains(0) else { return nil }
    let index = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16) { text in
      for (position, byte) in name.enumerated() { text[position] = CChar(bitPattern: byte) }
      text[name.count] = 0
      return cbl_posix_interface_index(text.baseAddress)
    }
    return index == 0 ? nil : index
  }

  public func name(ofInterface index: UInt32) -> [UInt8]? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16) { text in
      guard cbl_posix_interface_name(index, text.baseAddress) == 0 else { return nil }
      var name: [UInt8] = []
      for byte in text {
        if byte == 0 { break }
        name.append(UInt8(bitPattern: byte))
      }
      return name
    }
  }
}
