@_exported import ConnectByList
import CConnectByListPosix
import ConnectByListCore
import Synchronization

/// Connects as `ConnectByList.connectByList` does, without blocking the task's thread.
///
/// One thread drives all connects, because threads of the cooperative pool must not block.
/// Cancelling the task ends the connect at once and closes all its sockets; then this throws
/// `CancellationError`. Nothing is sent where the task is cancelled before.
///
/// - Parameters:
///   - list: is not changed. For a list that remembers how its endpoints did, use
///     `connectByList(_:options:settings:policy:remember:)`.
///   - options: how the race is run; `timeout` counts from this call.
///   - settings: the options that are set on every attempt's socket before its SYN.
///   - policy: which destinations may be connected to; others fail with `.accessDenied`.
/// - Throws: `CancellationError`, or the `ConnectError` of the blocking call; `.tryAgain` where no
///   thread can be started.
public func connectByList(
  _ list: AddressList, options: ConnectOptions = ConnectOptions(),
  settings: SocketSettings = SocketSettings(),
  policy: EgressPolicy = .unrestricted
) async throws -> Socket {
  try await connectByList(list, options: options, settings: settings, policy: policy) { _ in }
}

/// Connects as `connectByList(_:options:settings:policy:)`.
///
/// - Parameter remember: gets the list after the connect, with what it has learned about its endpoints,
///   also after a failure. It is called on the thread of all connects, before this returns, and should be quick.
public func connectByList(
  _ list: AddressList, options: ConnectOptions = ConnectOptions(),
  settings: SocketSettings = SocketSettings(), policy: EgressPolicy = .unrestricted,
  remember: @escaping @Sendable (AddressList) -> Void
) async throws -> Socket {
  try Task.checkCancellation()
  let request = try ConnectRequest(checking: options, settings, nil, policy)
  let slot = SocketSlot()
  let outcome = await withJob { [request] continuation in
    ConnectJob(list, request, into: slot, remember, continuation)
  } failing: {
    .failure(ConnectError($0))
  }
  if case .failure(let error) = outcome {
    if error.errno == .cancelled && Task.isCancelled { throw CancellationError() }
    throw error
  }
  return slot.take()
}

/// Connects to a host, by its name and the name of a service or a port in digits, as
/// `ConnectByList.connectByName` does, without blocking the task's thread.
public func connectByName(
  _ host: String, service: String, options: ConnectOptions = ConnectOptions(),
  settings: SocketSettings = SocketSettings(),
  policy: EgressPolicy = .unrestricted
) async throws -> Socket {
  let list = try AddressList(host: host, service: service)
  return try await connectByList(list, options: options, settings: settings, policy: policy)
}

/// Connects to a port of a host, by the host's name, without blocking the task's thread.
public func connectByName(
  _ host: String, port: UInt16, options: ConnectOptions = ConnectOptions(),
  settings: SocketSettings = SocketSettings(),
  policy: EgressPolicy = .unrestricted
) async throws -> Socket {
  let list = try AddressList(host: host, port: port)
  return try await connectByList(list, options: options, settings: settings, policy: policy)
}

/// A connect of a task, on the thread that waits for all of them.
///
/// A continuation cannot carry the socket, which is noncopyable, so the socket is stored here until it is
/// taken. Otherwise it is closed with this object.
private final class ConnectJob: WaitThread.Job, @unchecked Sendable {
  typealias Outcome = Result<Void, ConnectError>

  private var list: AddressList
  private let request: ConnectRequest
  private let remember: @Sendable (AddressList) -> Void
  private let continuation: UnsafeContinuation<Outcome, Never>
  private var operation: Operation?
  private var pollNumber: CInt = -1
  private let slot: SocketSlot

  init(
    _ list: AddressList, _ request: ConnectRequest, into slot: SocketSlot,
    _ remember: @escaping @Sendable (AddressList) -> Void,
    _ continuation: UnsafeContinuation<Outcome, Never>
  ) {
    self.list = list
    self.request = request
    self.slot = slot
    self.remember = remember
    self.continuation = continuation
  }

  var awaited: (number: CInt, events: CInt) { (pollNumber, CInt(CBL_POSIX_READABLE)) }
  var wakeUp: Instant { operation?.wakeUp ?? .distantFuture }

  func advance() -> Bool {
    guard let outcome = step() else { return false }
    finish(outcome)
    return true
  }

  func end(_ errno: Errno) {
    operation?.cancel()
    // A cancelled operation ends with its next step.
    finish((operation == nil ? nil : step()) ?? .failure(ConnectError(errno)))
  }

  /// The outcome; `nil`: it goes on.
  private func step() -> Outcome? {
    do throws(ConnectError) {
      let operation = try begunOperation()
      while true {
        switch operation.advance() {
        case .pending: return nil
        case .validate(let id): operation.accept(id)
        case .finished(let result):
          operation.remember(in: &list)
          slot.put(try operation.conclude(result))
          return .success(())
        }
      }
    } catch {
      return .failure(error)
    }
  }

  private func begunOperation() throws(ConnectError) -> Operation {
    if let operation { return operation }
    let begun = try Operation(list, request)
    do throws(Errno) { pollNumber = try begun.pollDescriptor() } catch { throw ConnectError(error) }
    operation = begun
    return begun
  }

  /// The operation's descriptors are closed before the task goes on: no other variable holds it.
  private func finish(_ outcome: Outcome) {
    operation = nil
    remember(list)
    continuation.resume(returning: outcome)
  }
}

/// Where a connect leaves its socket.
private final class SocketSlot: Sendable {
  private let socket = Mutex<Socket?>(nil)

  func put(_ connected: consuming Socket) {
    var connected: Socket? = consume connected
    socket.withLock { swap(&$0, &connected) }
  }

  /// To be called once, after a success.
  func take() -> Socket {
    var taken: Socket?
    socket.withLock { swap(&$0, &taken) }
    return taken!
  }
}
