import ConnectByListCore

/// Ends a blocking connect from another thread, or from a signal handler.
///
/// Pass it as `ConnectRequest.cancel`. A cancelled handle stays cancelled: a connect that begins with it ends
/// at once. One handle may end any number of connects.
public final class CancelHandle: Sendable {
  /// An event descriptor, readable once `cancel` was called. It is open as long as the handle exists.
  public let number: CInt

  /// Throws what `eventfd` returns: `.tooManyOpen`, `.tooManyOpenInSystem`, `.outOfMemory`.
  public init() throws(Errno) { number = try Syscalls.eventDescriptor().release() }

  deinit { Syscalls.close(number) }

  /// Ends the connect with `.cancelled` (ECANCELED). Async-signal-safe: it is one `write`.
  public func cancel() { Syscalls.signalEvent(number) }
}
