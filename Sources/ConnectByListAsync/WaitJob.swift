import CConnectByListPosix
import ConnectByList
import ConnectByListCore
import Synchronization

/// Runs a job on the thread of all waits until it resumes the task. Cancelling the task ends the job with
/// `.cancelled`.
///
/// - Parameter failing: the result if the thread cannot be started.
func withJob<Outcome>(
  _ make: @escaping @Sendable (UnsafeContinuation<Outcome, Never>) -> any WaitThread.Job,
  failing: @escaping @Sendable (Errno) -> Outcome
) async -> Outcome {
  let ticket = Ticket()
  return await withTaskCancellationHandler {
    await withUnsafeContinuation { continuation in
      do throws(Errno) {
        ticket.set(try WaitThread.shared.add(make(continuation)))
      } catch {
        continuation.resume(returning: failing(error))
      }
    }
  } onCancel: {
    ticket.cancel()
  }
}

/// The number of a job. A cancel that comes before the number is known is noted.
private final class Ticket: Sendable {
  private let state = Mutex<(id: UInt64?, isCancelled: Bool)>((nil, false))

  func set(_ id: UInt64) {
    let isCancelled = state.withLock { state in
      state.id = id
      return state.isCancelled
    }
    if isCancelled { WaitThread.shared.cancel(id) }
  }

  func cancel() {
    let id = state.withLock { state in
      state.isCancelled = true
      return state.id
    }
    if let id { WaitThread.shared.cancel(id) }
  }
}

/// Waits until one of the events has come to a descriptor, or the instant has passed.
///
/// - Throws: `CancellationError` if the task is cancelled.
func waitForEvents(_ number: CInt, _ events: CInt, until: Instant) async throws {
  try Task.checkCancellation()
  let ended: Errno? = await withJob {
    ReadinessJob(number, events, until, $0)
  } failing: {
    $0
  }
  if ended == .cancelled && Task.isCancelled { throw CancellationError() }
  if let ended { throw ended }
}

/// Waits once for a descriptor.
private final class ReadinessJob: WaitThread.Job, @unchecked Sendable {
  let awaited: (number: CInt, events: CInt)
  let wakeUp: Instant
  private let continuation: UnsafeContinuation<Errno?, Never>
  private var hasBegun = false

  init(
    _ number: CInt, _ events: CInt, _ until: Instant,
    _ continuation: UnsafeContinuation<Errno?, Never>
  ) {
    awaited = (number, events)
    wakeUp = until
    self.continuation = continuation
  }

  /// The first time nothing has come yet.
  func advance() -> Bool {
    guard hasBegun else {
      hasBegun = true
      return false
    }
    continuation.resume(returning: nil)
    return true
  }

  func end(_ errno: Errno) { continuation.resume(returning: errno) }
}
