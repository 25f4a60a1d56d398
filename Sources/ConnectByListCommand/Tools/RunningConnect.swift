import CConnectByListTerminal
import ConnectByList
import ConnectByListCore

/// A connect that a tool drives beside others.
final class RunningConnect {
  let operation: Operation
  private var result: RaceResult?

  init(_ list: AddressList, _ request: ConnectRequest) throws(ConnectError) {
    operation = try Operation(list, request)
  }

  /// Takes in completions and starts what is due, without blocking. Returns whether the race is over.
  func advance() -> Bool {
    if case .finished(let result) = operation.advance() { self.result = result }
    return result != nil
  }

  /// The connected socket, or the error. Called once, after `advance` has returned true.
  func conclude() throws(ConnectError) -> Socket {
    guard let result else { preconditionFailure("the race is not over") }
    return try operation.conclude(result)
  }

  /// Waits until one of several connects may advance, or until `limit`. A connect without a descriptor to wait
  /// for, because too many are open, is advanced every 10 ms.
  static func wait(for connects: [RunningConnect], until limit: Instant) {
    var wakeUp = limit
    var waits: [cbl_terminal_wait] = []
    waits.reserveCapacity(connects.count)
    for connect in connects {
      wakeUp = min(wakeUp, connect.operation.wakeUp)
      do throws(Errno) {
        waits.append(
          cbl_terminal_wait(
            fd: try connect.operation.pollDescriptor(), events: Int16(CBL_TERMINAL_READABLE),
            ready: 0))
      } catch {
        wakeUp = min(wakeUp, Clock.now() + .milliseconds(10))
      }
    }
    let left = wakeUp == .distantFuture ? -1 : max(0, (wakeUp - Clock.now()).nanoseconds)
    _ = waits.withUnsafeMutableBufferPointer {
      cbl_terminal_poll($0.baseAddress, $0.count, left)
    }
  }
}
