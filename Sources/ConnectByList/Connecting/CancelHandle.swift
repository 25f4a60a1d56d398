import ConnectByListCore

/// Ends a connect that blocks: from another thread, or from a signal handler.
///
/// Give it to the connect as `ConnectRequest.cancel`. A cancelled handle stays cancelled; a connect
/// that begins with it ends at once. One handle may end any number of connects.
public final class CancelHandle: Sendable {
  /// An event descriptor, readable once `cancel` was called; open as long as the handle is there.
  public let number: CInt

  /// Throws what `eventfd` says: `.tooManyOpen`, `.outOfMemory`.
  public init() throws(Errno) { number = try Syscalls.eventDescriptor().release() }

  deinit { Syscalls.close(number) }

  /// The connect ends with `.cancelled` (ECANCELED). One `write`, so it may be called in a signal
  /// handler.
  public func cancel() { Syscalls.signalEvent(number) }
}
