import CConnectByListTerminal
import ConnectByList
import ConnectByListCore

/// A connect that is driven beside others. A class, because arrays cannot hold values with one owner.
final class OperationBox {
  private var operation: Operation?
  private(set) var progress = Operation.Progress.pending

  init(_ list: AddressList, _ request: ConnectRequest) throws(ConnectError) {
    operation = try Operation(list, request)
  }

  /// Takes in what has completed and starts what is due. Returns whether it has come to its end.
  func advance() -> Bool {
    progress = operation!.advance()
    if case .finished = progress { return true }
    return false
  }

  var wakeUp: Instant { operation!.wakeUp }

  /// Readable when `advance` has something to take in.
  func pollDescriptor() throws(Errno) -> CInt { try operation!.pollDescriptor() }

  func lines(at now: Instant, marks: LiveLines.Marks) -> [LiveLines.Line] {
    LiveLines.lines(of: operation!, at: now, marks: marks)
  }

  /// The connected socket, or why there is none. Called once, after `advance` has returned true.
  func conclude() throws(ConnectError) -> Socket {
    guard case .finished(let result) = progress else { preconditionFailure("not at its end") }
    let ended = operation.take()!
    return try ended.conclude(result)
  }
}

/// Waits for several connects at once.
enum Waiting {
  /// Returns when one of them may advance, or at `limit`. A connect without a descriptor to wait for (there
  /// are too many open) is advanced every 10 ms.
  static func wait(for boxes: [OperationBox], until limit: Instant) {
    var wakeUp = limit
    var waits: [cbl_terminal_wait] = []
    waits.reserveCapacity(boxes.count)
    for box in boxes {
      wakeUp = min(wakeUp, box.wakeUp)
      do throws(Errno) {
        waits.append(
          cbl_terminal_wait(
            fd: try box.pollDescriptor(), events: Int16(CBL_TERMINAL_READABLE), ready: 0))
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
