import CConnectByListTerminal
import ConnectByList
import ConnectByListCore

/// Waits for several connects at once.
enum Waiting {
  /// Returns when one of them may advance, or at `limit`. A connect without a descriptor to wait for (there
  /// are too many open) is advanced every 10 ms.
  static func wait(for connects: [PendingConnect], until limit: Instant) {
    var wakeUp = limit
    var waits: [cbl_terminal_wait] = []
    waits.reserveCapacity(connects.count)
    for connect in connects {
      wakeUp = min(wakeUp, connect.wakeUp)
      do throws(Errno) {
        waits.append(
          cbl_terminal_wait(
            fd: try connect.pollDescriptor(), events: Int16(CBL_TERMINAL_READABLE), ready: 0))
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
