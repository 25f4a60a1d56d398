import CConnectByListPosix

/// A file descriptor and the duty to close it.
///
/// It has exactly one owner. Ownership is handed over by `consuming`; the descriptor is closed when
/// its owner lets it go.
@frozen
public struct Descriptor: ~Copyable {
  public let number: CInt

  /// Takes over an open descriptor that has no other owner.
  public init(owning number: CInt) {
    assert(number >= 0)
    self.number = number
  }

  deinit { Syscalls.close(number) }

  /// Gives up ownership without closing: the caller closes the number.
  public consuming func release() -> CInt {
    let number = number
    discard self
    return number
  }
}
