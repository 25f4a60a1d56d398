import CConnectByListPosix
import ConnectByListCore

/// The system calls, one function each. The files of this folder are the only ones that call
/// CConnectByListPosix.
///
/// Each function's comment names the C function and says what happens on EINTR and on the errors
/// that are no failure; all other errors are thrown. The C half returns -errno, so no code between
/// the call and the throw can change the number.
///
/// - SocketCalls.swift: making, connecting, binding, accepting, closing
/// - OptionCalls.swift: socket options and descriptor flags
/// - TransferCalls.swift: bytes and netlink datagrams
/// - WaitCalls.swift: poll, epoll, event descriptors
/// - ThreadCalls.swift: threads
package enum Syscalls {
  /// Throws a negative result as the error that it is.
  @discardableResult
  static func check(_ code: CInt) throws(Errno) -> CInt {
    if code < 0 { throw Errno(-code) }
    return code
  }
}

extension Syscalls {
  /// Bytes of the processor's second-level cache; 0 or less where they are not known. C: `sysconf`.
  static var secondLevelCacheSize: Int { Int(cbl_posix_second_level_cache_size()) }

  /// The C library's text for an error number, which stays valid. C: `strerrordesc_np`.
  package static func errorText(_ number: CInt) -> UnsafePointer<CChar>? {
    cbl_posix_error_text(number)
  }
}
