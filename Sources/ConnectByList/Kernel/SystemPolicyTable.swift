import CConnectByListPosix
import ConnectByListCore

extension PolicyTable {
  /// The policy table of this system: that of /etc/gai.conf, else the RFC's. The file is read once in the life
  /// of a process, when this is first used.
  static let ofThisSystem = GaiConf.read() ?? .rfc6724
}

extension GaiConf {
  /// C: `open`, `read`, `close`.
  fileprivate static func read() -> PolicyTable? {
    // A String as the argument would be copied by code for all encodings of strings.
    let path: StaticString = "/etc/gai.conf"
    // One byte more tells a file that is too large.
    let bytes = [UInt8](unsafeUninitializedCapacity: sizeMax + 1) { buffer, count in
      count = max(0, Int(cbl_posix_read_file(path.utf8Start, buffer.baseAddress, buffer.count)))
    }
    return bytes.count > sizeMax ? nil : policyTable(bytes)
  }
}
