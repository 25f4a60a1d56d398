@_exported import ConnectByList
import Synchronization

/// Connects as `ConnectByList.connectByList` does, without blocking the task's thread.
///
/// The race runs on a thread of its own, one a connect: a thread of the cooperative pool must not
/// block. Cancelling the task ends the race at once and closes all that it had opened; then this
/// throws `CancellationError`. A task that is cancelled already sends no packet.
///
/// - Parameters:
///   - list: remembers how its endpoints did only where the connect ends; pass the same list to the
///     next connect with `connectByList(_:options:settings:remember:)`.
///   - options: how the race is run; `timeout` counts from this call.
///   - settings: what is set on every attempt's socket before its SYN.
/// - Throws: `CancellationError`, or the `ConnectError` of the blocking call; `.tryAgain` where no
///   thread is to be had.
public func connectByList(
  _ list: AddressList, options: ConnectOptions = ConnectOptions(),
  settings: SocketSettings = SocketSettings()
) async throws -> Socket {
  try await connectByList(list, options: options, settings: settings) { _ in }
}

/// The same; `remember` gets the list as it is after the connect, whichever way that ended: with what
/// it knows of its endpoints by then. It is called on the race's thread, before this returns.
public func connectByList(
  _ list: AddressList, options: ConnectOptions = ConnectOptions(),
  settings: SocketSettings = SocketSettings(),
  remember: @escaping @Sendable (AddressList) -> Void
) async throws -> Socket {
  try Task.checkCancellation()
  let cancel: CancelHandle
  do throws(Errno) { cancel = try CancelHandle() } catch { throw ConnectError(error) }
  // By its descriptor, and not by the handle: the thread may outlive this call by a moment, and the
  // descriptor is to be closed when this returns.
  var request = try ConnectRequest(checking: options, settings)
  request.cancelDescriptor = cancel.number
  let race = BlockingRace(list, request, remember)
  let outcome = await withTaskCancellationHandler {
    await race.run()
  } onCancel: {
    cancel.cancel()
  }
  if case .failure(let error) = outcome {
    if error.errno == .cancelled && Task.isCancelled { throw CancellationError() }
    throw error
  }
  return race.takeSocket()
}

/// Connects to one host by its name, and a port or the name of a service: as
/// `ConnectByList.connectByName`, without blocking the task's thread.
public func connectByName(
  _ host: String, service: String, options: ConnectOptions = ConnectOptions(),
  settings: SocketSettings = SocketSettings()
) async throws -> Socket {
  let list = try AddressList(host: host, service: service)
  return try await connectByList(list, options: options, settings: settings)
}

/// The same with a port's number.
public func connectByName(
  _ host: String, port: UInt16, options: ConnectOptions = ConnectOptions(),
  settings: SocketSettings = SocketSettings()
) async throws -> Socket {
  let list = try AddressList(host: host, port: port)
  return try await connectByList(list, options: options, settings: settings)
}

/// A blocking connect on a thread of its own.
///
/// The socket has one owner and so cannot go through a continuation: it waits here to be taken. If
/// nobody takes it, it closes with this object.
private final class BlockingRace: Sendable {
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

  /// Once, after a success.
  func takeSocket() -> Socket {
    var taken: Socket?
    socket.withLock { swap(&$0, &taken) }
    return taken!
  }
}
