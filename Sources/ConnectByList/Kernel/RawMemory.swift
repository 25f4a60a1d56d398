import CConnectByListPosix
import ConnectByListCore

/// Memory whose size comes from input: what a peer sends, what a script passes, what the kernel answers.
///
/// Embedded Swift does not check what its allocator returns: an array that cannot be allocated is a pointer to
/// nothing. So every buffer that input can make larger than a few KB is one of these, and running out of memory
/// is ENOMEM like any other failure. Arrays have bounds of their own, which
/// the documentation lists (Promises).
///
/// Public, because Embedded Swift does not show the deinit of a package structure to the Lua functions.
public struct RawMemory: ~Copyable {
  /// The bytes; none before the first `resize`.
  public private(set) var bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  public init() {}

  deinit { cbl_posix_free(bytes.baseAddress) }

  public var count: Int { bytes.count }

  /// Changes the size; the bytes may move, and the first of them stay as they were. 0 frees all. Throws
  /// `.outOfMemory`, and changes nothing, where there is not so much. C: `realloc`.
  public mutating func resize(to count: Int) throws(Errno) {
    if count == 0 { return free() }
    guard let moved = cbl_posix_resize(bytes.baseAddress, count) else { throw .outOfMemory }
    bytes = UnsafeMutableRawBufferPointer(start: moved, count: count)
  }

  /// Makes room for at least `needed` bytes, doubling, so that a buffer which grows byte by byte is copied a
  /// logarithmic number of times. Throws as `resize`.
  public mutating func reserve(_ needed: Int) throws(Errno) {
    if needed > count { try resize(to: max(needed, 2 * count, 256)) }
  }

  public mutating func free() {
    cbl_posix_free(bytes.baseAddress)
    bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  }
}
