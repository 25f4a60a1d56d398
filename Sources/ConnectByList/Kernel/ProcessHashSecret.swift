import CConnectByListPosix
import ConnectByListCore

extension HashSecret {
  /// The secret of this process, the same each time. One system call, the first time.
  public static var ofThisProcess: HashSecret {
    var secret: (UInt64, UInt64) = (0, 0)
    withUnsafeMutablePointer(to: &secret) {
      $0.withMemoryRebound(to: UInt64.self, capacity: 2) { cbl_posix_hash_secret($0) }
    }
    return HashSecret(low: secret.0, high: secret.1)
  }
}
