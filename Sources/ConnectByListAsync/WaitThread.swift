import CConnectByListPosix
import ConnectByList
import ConnectByListCore
import Synchronization

/// The thread that waits for all connects, reads and writes of the process's tasks: threads of the cooperative pool
/// must not block. It begins with the first of them, has two descriptors, and ends with the process.
final class WaitThread: Sendable {
  /// Something that waits for one descriptor. Only the thread uses it after it was added.
  protocol Job: AnyObject, Sendable {
    /// The descriptor and its events; -1: the instant alone. Asked again after each `advance`.
    var awaited: (number: CInt, events: CInt) { get }
    /// When `advance` is due without an event.
    var wakeUp: Instant { get }
    /// Returns whether it has ended. It has then closed what it had open, and resumed its task.
    func advance() -> Bool
    /// Ends it at once: the task was cancelled, or `errno` says what is out of order.
    func end(_ errno: Errno)
  }

  private struct Inbox {
    var added: [(id: UInt64, job: any Job)] = []
    var cancelled: [UInt64] = []
    var lastID: UInt64 = 0
    /// The event descriptor that ends the thread's wait; -1: there is no thread yet.
    var signal: CInt = -1
    var failure: Errno?
  }

  static let shared = WaitThread()
  private let inbox = Mutex(Inbox())

  /// The tag of the event descriptor in the wait set; jobs count from 1.
  private static let signalTag: UInt64 = 0

  /// Adds a job and returns its number. Throws if the thread cannot be started: `.tooManyOpen`, `.tryAgain`.
  func add(_ job: any Job) throws(Errno) -> UInt64 {
    let added: Result<UInt64, Errno> = inbox.withLock { inbox in
      if inbox.signal < 0 {
        do throws(Errno) { try start(&inbox) } catch { return .failure(error) }
      }
      inbox.lastID += 1
      inbox.added.append((inbox.lastID, job))
      Syscalls.signalEvent(inbox.signal)
      return .success(inbox.lastID)
    }
    return try added.get()
  }

  /// Ends a job with `.cancelled`, unless it has ended.
  func cancel(_ id: UInt64) {
    inbox.withLock { inbox in
      inbox.cancelled.append(id)
      Syscalls.signalEvent(inbox.signal)
    }
  }

  private func start(_ inbox: inout Inbox) throws(Errno) {
    let set = try Syscalls.epollCreate()
    let signal = try Syscalls.eventDescriptor()
    try Syscalls.epollAdd(
      set.number, signal.number, events: CInt(CBL_POSIX_READABLE), tag: Self.signalTag)
    let (setNumber, signalNumber) = (set.number, signal.number)
    try startDetachedThread { self.run(setNumber, signalNumber) }
    inbox.signal = signal.release()
    _ = set.release()
  }

  // MARK: the thread

  private struct Entry {
    let job: any Job
    /// What is in the wait set for it.
    var number: CInt = -1
  }

  private func run(_ set: CInt, _ signal: CInt) {
    var entries: [UInt64: Entry] = [:]
    withUnsafeTemporaryAllocation(of: cbl_posix_ready.self, capacity: 64) { ready in
      while true {
        let next = entries.values.reduce(Instant.distantFuture) { min($0, $1.job.wakeUp) }
        let span = next == .distantFuture ? TimeSpan.forever : max(.zero, next - Clock.now())
        var due: Set<UInt64> = []
        do throws(Errno) {
          let count = try Syscalls.epollWait(set, ready, for: span)
          for index in 0..<count { due.insert(ready[index].tag) }
        } catch {
          // Without events no job could go on, so all end with the error. Jobs that come later are tried again.
          for entry in entries.values {
            remove(entry, from: set)
            entry.job.end(error)
          }
          entries = [:]
          Syscalls.sleep(for: .milliseconds(10))
        }
        if due.remove(Self.signalTag) != nil { Syscalls.clearEvent(signal) }
        let (added, cancelled) = inbox.withLock { inbox in
          defer { (inbox.added, inbox.cancelled) = ([], []) }
          return (inbox.added, inbox.cancelled)
        }
        for (id, job) in added {
          entries[id] = Entry(job: job)
          due.insert(id)
        }
        for id in cancelled {
          guard let entry = entries.removeValue(forKey: id) else { continue }
          remove(entry, from: set)
          entry.job.end(.cancelled)
        }
        let now = Clock.now()
        for (id, entry) in entries where due.contains(id) || entry.job.wakeUp <= now {
          advance(id, &entries, set)
        }
      }
    }
  }

  private func advance(_ id: UInt64, _ entries: inout [UInt64: Entry], _ set: CInt) {
    guard var entry = entries.removeValue(forKey: id) else { return }
    // A job that ends closes its descriptor, or gives it back: it leaves the set first.
    remove(entry, from: set)
    entry.number = -1
    if entry.job.advance() { return }
    let (number, events) = entry.job.awaited
    if number >= 0 {
      do throws(Errno) { try Syscalls.epollAdd(set, number, events: events, tag: id) } catch {
        entry.job.end(error)
        return
      }
      entry.number = number
    }
    entries[id] = entry
  }

  private func remove(_ entry: Entry, from set: CInt) {
    if entry.number >= 0 { Syscalls.epollRemove(set, entry.number) }
  }
}
