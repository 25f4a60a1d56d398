import ConnectByListCore

/// A connect that a caller drives beside others: an `Operation` that can stand in an array.
///
/// Call `advance` until it returns true, then `conclude` once. Not for races that validate, and not for use
/// by several threads at once. If it goes before its end, every descriptor of the race is closed.
public final class PendingConnect {
  // A pointer, because a value with one owner cannot be moved out of a class's property.
  private let operation: UnsafeMutablePointer<Operation>
  private var isConcluded = false
  private var result: RaceResult?

  /// Begins connecting, as `Operation.init` does, and throws what it throws.
  public init(_ list: AddressList, _ request: ConnectRequest) throws(ConnectError) {
    let begun = try Operation(list, request)
    operation = .allocate(capacity: 1)
    operation.initialize(to: begun)
  }

  deinit {
    if !isConcluded { operation.deinitialize(count: 1) }
    operation.deallocate()
  }

  /// The race as it is now. Not after `conclude`.
  public var race: Race { operation.pointee.race }
  /// What became of each name of the list. Not after `conclude`.
  public var names: [NameResult] { operation.pointee.names }
  /// When `advance` is due without any event; `distantFuture`: never.
  public var wakeUp: Instant { operation.pointee.wakeUp }

  /// Readable when `advance` has something to take in. Throws what `epoll_create` says.
  public func pollDescriptor() throws(Errno) -> CInt { try operation.pointee.pollDescriptor() }

  /// Takes in what has completed and starts what is due, without blocking. Returns whether the race is
  /// over.
  public func advance() -> Bool {
    if case .finished(let result) = operation.pointee.advance() {
      self.result = result
      return true
    }
    return false
  }

  /// The connected socket, or why there is none.
  public func conclude() throws(ConnectError) -> Socket {
    guard let result, !isConcluded else { preconditionFailure("not over, or concluded before") }
    isConcluded = true
    return try operation.move().conclude(result)
  }
}
