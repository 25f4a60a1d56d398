@_exported import ConnectByList
import Synchronization

/// Connects as `ConnectByList.connectByList` does, without blocking the task's thread.
///
/// Each connect runs on a thread of its own, because threads of the cooperative pool must not block.
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
///   also after a failure. It is called on the connect's thread, before this returns.
public func connectByList(
  _ list: AddressList, options: ConnectOptions = ConnectOptions(),
  settings: SocketSettings = SocketSettings(), policy: EgressPolicy = .unrestricted,
  remember: @escaping @Sendable (AddressList) -> Void
) async throws -> Socket {
  try Task.checkCancellation()
  let cancel: CancelHandle
  do throws(Errno) { cancel = try CancelHandle() } catch { throw ConnectError(error) }
  // The request gets the descriptor and not the handle: the thread may end a moment after this call, and
  // would keep the handle's descriptor open until then.
  var request = try ConnectRequest(checking: options, settings)
  request.policy = policy
  request.cancelDescriptor = cancel.number
  let connect = BlockingConnect(list, request, remember)
  let outcome = await withTaskCancellationHandler {
    await connect.run()
  } onCancel: {
    cancel.cancel()
  }
  if case .failure(let error) = outcome {
    if error.errno == .cancelled && Task.isCancelled { throw CancellationError() }
    throw error
  }
  return connect.takeSocket()
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

/// A blocking connect on a thread of its own.
///
/// A continuation cannot carry the socket, which is noncopyable, so the socket is stored here until it is
/// taken. Otherwise it is closed with this object.
private final class BlockingConnect: Sendable {
  private let list: AddressList
  private let request: ConnectRequest
  private let remember: @Sendable (AddressList) -> Void
  private let socket = Mutex<Socket?>(nil)

  typealias Outcome = Result<Void, ConnectError>

  init(
    _ list: AddressList, _ request: ConnectRequest,
    _ remember: @escaping @Sendable (AddressList) -> Void
  ) {
    self.list = list
    self.request = request
    self.remember = remember
  }

  func run() async -> Outcome {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Outcome, Never>) in
      do throws(Errno) {
        try startDetachedThread { continuation.resume(returning: self.connect()) }
      } catch {
        continuation.resume(returning: .failure(ConnectError(error)))
      }
    }
  }

  private func connect() -> Outcome {
    var list = list
    defer { remember(list) }
    do throws(ConnectError) {
      let connected = try ConnectByList.connectByList(&list, request)
      put(connected)
      return .success(())
    } catch {
      return .failure(error)
    }
  }

  private func put(_ connected: consuming Socket) {
    var connected: Socket? = consume connected
    socket.withLock { swap(&$0, &connected) }
  }

  /// To be called once, after a success.
  func takeSocket() -> Socket {
    var taken: Socket?
    socket.withLock { swap(&$0, &taken) }
    return taken!
  }
}
