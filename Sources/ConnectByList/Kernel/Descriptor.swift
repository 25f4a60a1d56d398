import CConnectByListPosix

/// A file descriptor and the duty to close it. There is exactly one owner at any line: it is handed
/// over by `consuming`, and whoever lets go of it closes it.
@frozen
public struct Descriptor: ~Copyable {
  public let number: CInt

  /// Takes over a descriptor that is open and nobody else's.
  public init(owning number: CInt) {
    assert(number >= 0)
    self.number = number
  }

  deinit { Syscalls.close(number) }

  /// Gives the descriptor away unclosed: the duty goes with the number.
  public consuming func release() -> CInt {
    let number = number
    discard self
    return number
  }
}
